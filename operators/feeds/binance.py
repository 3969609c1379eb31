"""Binance spot and USDⓈ-M futures: websocket and snapshot messages in, market events out."""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field, field_validator

from operators import operator
from operators.feeds.binance_chain import Chain
from operators.feeds.binance_decimal import MalformedError
from operators.feeds.binance_example import binance_example
from operators.feeds.binance_feed import BinanceFeed, FeedEventRow
from operators.feeds.binance_rows import EventRows
from operators.operator import Desk, Example, Frames, Operator
from operators.registry import register
from schemas.errors import ConfigError
from schemas.market import DEAD_LETTERS, EVENTS, FEED_EVENTS, RAW, RawKind
from schemas.record import Schema

_MESSAGE = int(RawKind.MESSAGE)


class BinanceParameters(operator.Parameters):
    """Which feeds, and which market's rules they follow."""

    market: Literal["spot", "usdm"] = Field(description="spot, or usdm: USDⓈ-margined futures")
    feeds: tuple[str, ...] = Field(min_length=1, description="ids of the desk's feeds to decode, one instrument each")

    @field_validator("feeds")
    @classmethod
    def _named_once(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        twice = [name for i, name in enumerate(value) if name in value[:i]]
        if twice:
            raise ValueError(f"feed {twice[0]!r} is listed twice; keep one")
        return value


@register("binance")
class Binance(Operator):
    """Decodes depth updates and snapshots, book tickers and trades, and says when a book is whole.

    Every message becomes events, is ignored as the protocol has it, or becomes one dead letter; where a
    depth update is missing or rejected, SYNC 0 follows and stands until a snapshot. `order` of events is the
    venue's update id (of trades, the trade id).

    Raises ConfigError for an unknown feed, and for one that does not speak of exactly one instrument.
    """

    inputs: ClassVar[Mapping[str, Schema]] = {"raw": RAW}
    outputs: ClassVar[Mapping[str, Schema]] = {
        "events": EVENTS,
        "dead_letters": DEAD_LETTERS,
        "feed_events": FEED_EVENTS,
    }
    Parameters = BinanceParameters

    def __init__(self, parameters: BinanceParameters, desk: Desk) -> None:
        super().__init__(parameters, desk)
        self._rows = EventRows()
        self._feed_events: list[FeedEventRow] = []
        self._feeds: list[BinanceFeed | None] = [None] * (len(desk.feeds) + 1)  # the last stands for feed -1: none
        for feed, instrument in _instruments(desk, parameters.feeds).items():
            self._feeds[feed] = BinanceFeed(
                feed,
                instrument,
                desk.instruments[instrument],
                parameters.market == "usdm",
                self._rows,
                self._feed_events,
            )
        self._is_decoded = np.array([feed is not None for feed in self._feeds])
        self._is_shared = not all(self._is_decoded[:-1])

    def process(self, frames: Frames) -> Frames:
        """Decode the messages of the operator's feeds; entries of other feeds and other kinds pass unseen."""
        raw: Any = frames.get("raw")
        if raw is None or len(raw.rows) == 0:
            return {}
        rows = raw.rows[self._is_decoded[raw.rows["feed"]]] if self._is_shared else raw.rows
        data = memoryview(raw.data)
        letters = []
        self._rows.count = 0
        self._feed_events.clear()
        for cause, ts, kind, feed, start, size in rows.tolist():
            decoder = self._feeds[feed]
            if decoder is None or kind != _MESSAGE:
                continue
            message = data[start : start + size]
            try:
                decoder.decode(message, cause, ts)
            except MalformedError as e:
                letters.append((cause, ts, feed, str(e), bytes(message)))
        produced = {}
        if self._rows.count:
            produced["events"] = self._rows.frame
        if letters:
            produced["dead_letters"] = DEAD_LETTERS.rows(letters)
        if self._feed_events:
            produced["feed_events"] = FEED_EVENTS.rows(self._feed_events)
        return produced

    def snapshot(self) -> Any:
        """Where each feed's chain of updates stands."""
        return [
            (feed.chain.last, feed.chain.is_joining, feed.chain.stale, list(feed.chain.held))
            for feed in self._feeds
            if feed is not None
        ]

    def restore(self, state: Any) -> None:
        """Take up the chains of a snapshot."""
        is_futures = self.parameters.market == "usdm"
        for feed, (last, is_joining, stale, held) in zip(filter(None, self._feeds), state, strict=True):
            feed.chain = Chain(is_futures, last, is_joining, stale, list(held))

    @classmethod
    def example(cls, seed: int) -> Example:
        """Two spot instruments with gaps, resynchronisations, repetitions and damaged messages."""
        return binance_example(seed)


def _instruments(desk: Desk, feeds: tuple[str, ...]) -> dict[int, int]:
    """Index of each feed -> index of the one instrument it speaks of."""
    ids = [feed.id for feed in desk.feeds]
    found: dict[int, int] = {}
    for name in feeds:
        if name not in ids:
            known = ", ".join(ids) or "none"
            raise ConfigError(f"binance: feed {name!r} is not a feed of desk {desk.id!r}; known: {known}")
        listed = desk.feeds[ids.index(name)].instruments
        if len(listed) != 1:
            raise ConfigError(
                f"binance: feed {name!r} lists {len(listed)} instruments; a Binance feed speaks of one: "
                "give each its own feed, and name it under `instruments`"
            )
        if listed[0] not in desk.index:
            raise ConfigError(f"binance: feed {name!r} speaks of {listed[0]!r}, which desk {desk.id!r} does not have")
        number = desk.index[listed[0]]
        if number in found.values():
            raise ConfigError(f"binance: two feeds speak of {listed[0]!r}; take one out")
        symbol = desk.instruments[number].symbol
        if symbol != symbol.upper():
            raise ConfigError(
                f"binance: instrument {listed[0]!r} has symbol {symbol!r}; messages say {symbol.upper()!r}, write that"
            )
        found[ids.index(name)] = number
    return found
