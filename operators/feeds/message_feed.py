"""What operators have in common that decode feeds message by message: rows in, rows out, and nothing lost between."""

from abc import abstractmethod
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Protocol

import numpy as np
from pydantic import Field, field_validator

from operators import operator
from operators.feeds.event_rows import EventRows
from operators.feeds.multiples import MalformedError
from operators.operator import Desk, Frames, Operator
from schemas.errors import ConfigError
from schemas.market import DEAD_LETTERS, EVENTS, FEED_EVENTS, RAW, RawFrame, RawKind
from schemas.record import Schema

_MESSAGE, _CONNECT, _DISCONNECT = int(RawKind.MESSAGE), int(RawKind.CONNECT), int(RawKind.DISCONNECT)

FeedEventRow = tuple[int, int, int, int, int, int, int]


class FeedParameters(operator.Parameters):
    """Which feeds to decode."""

    feeds: tuple[str, ...] = Field(min_length=1, description="ids of the desk's feeds to decode")

    @field_validator("feeds")
    @classmethod
    def _named_once(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        twice = [name for i, name in enumerate(value) if name in value[:i]]
        if twice:
            raise ValueError(f"feed {twice[0]!r} is listed twice; keep one")
        return value


class Decoder(Protocol):
    """Decodes one feed."""

    def decode(self, payload: memoryview, cause: int, ts: int) -> None:
        """Write the events of one message. Raises MalformedError, having written nothing but SYNC 0."""

    def connect(self, cause: int, ts: int) -> None:
        """The connection was opened."""

    def disconnect(self, cause: int, ts: int) -> None:
        """The connection was lost."""

    def snapshot(self) -> Any:
        """The state, as a value that later messages leave alone."""

    def restore(self, state: Any) -> None:
        """Take up the state of a snapshot."""


class MessageFeed(Operator):
    """Decodes feeds message by message.

    Every message becomes events, is ignored as the protocol has it, or becomes one dead letter. Raises
    ConfigError for an unknown feed, and for one that does not say what it speaks of.
    """

    inputs: ClassVar[Mapping[str, Schema]] = {"raw": RAW}
    outputs: ClassVar[Mapping[str, Schema]] = {
        "events": EVENTS,
        "dead_letters": DEAD_LETTERS,
        "feed_events": FEED_EVENTS,
    }
    Parameters: ClassVar[type[operator.Parameters]] = FeedParameters

    def __init__(self, parameters: Any, desk: Desk) -> None:
        super().__init__(parameters, desk)
        self._rows = EventRows()
        self._feed_events: list[FeedEventRow] = []
        self._letters: list[tuple[int, int, int, str, bytes]] = []
        self._decoders: list[Decoder | None] = [None] * (len(desk.feeds) + 1)  # the last stands for feed -1: none
        for feed, numbers in listed(desk, parameters.feeds, type(self).__name__.lower()).items():
            self._decoders[feed] = self._decoder(feed, numbers)
        self._is_decoded = np.array([decoder is not None for decoder in self._decoders])
        self._is_shared = not all(self._is_decoded[:-1])

    @abstractmethod
    def _decoder(self, feed: int, instruments: list[int]) -> Decoder:
        """The decoder of a feed, given the indices of the instruments it speaks of."""

    def process(self, frames: Frames) -> Frames:
        """Decode the messages of the operator's feeds; entries of other feeds and other kinds pass unseen."""
        raw: Any = frames.get("raw")
        if raw is None or len(raw.rows) == 0:
            return {}
        self._rows.count = 0
        self._feed_events.clear()
        self._letters.clear()
        self._decode(raw)
        produced = {}
        if self._rows.count:
            produced["events"] = self._rows.frame
        if self._letters:
            produced["dead_letters"] = DEAD_LETTERS.rows(self._letters)
        if self._feed_events:
            produced["feed_events"] = FEED_EVENTS.rows(self._feed_events)
        return produced

    def _decode(self, raw: RawFrame) -> None:
        """Decode all entries of a frame."""
        rows = raw.rows[self._is_decoded[raw.rows["feed"]]] if self._is_shared else raw.rows
        data = bytes_of(raw)
        for cause, ts, kind, feed, start, size in rows.tolist():
            decoder = self._decoders[feed]
            if decoder is not None:
                self._entry(decoder, cause, ts, kind, feed, data[start : start + size])

    def _entry(self, decoder: Decoder, cause: int, ts: int, kind: int, feed: int, message: memoryview) -> None:
        """Decode one entry."""
        if kind == _MESSAGE:
            try:
                decoder.decode(message, cause, ts)
            except MalformedError as e:
                self._letters.append((cause, ts, feed, str(e), bytes(message)))
        elif kind == _CONNECT:
            decoder.connect(cause, ts)
        elif kind == _DISCONNECT:
            decoder.disconnect(cause, ts)

    def snapshot(self) -> Any:
        """The state of every feed's decoder."""
        return [decoder.snapshot() for decoder in self._decoders if decoder is not None]

    def restore(self, state: Any) -> None:
        """Take up the state of a snapshot."""
        for decoder, known in zip(filter(None, self._decoders), state, strict=True):
            decoder.restore(known)


def bytes_of(raw: RawFrame) -> memoryview:
    """What the rows of a frame point into."""
    data: Any = raw.data
    return memoryview(data)


def listed(desk: Desk, feeds: Iterable[str], who: str) -> dict[int, list[int]]:
    """Index of each feed -> indices of the instruments it speaks of. Raises ConfigError for what the desk has not."""
    ids = [feed.id for feed in desk.feeds]
    found = {}
    for name in feeds:
        if name not in ids:
            known = ", ".join(ids) or "none"
            raise ConfigError(f"{who}: feed {name!r} is not a feed of desk {desk.id!r}; known: {known}")
        instruments = desk.feeds[ids.index(name)].instruments
        unknown = [instrument for instrument in instruments if instrument not in desk.index]
        if unknown:
            raise ConfigError(f"{who}: feed {name!r} speaks of {unknown[0]!r}, which desk {desk.id!r} does not have")
        found[ids.index(name)] = [desk.index[instrument] for instrument in instruments]
    return found
