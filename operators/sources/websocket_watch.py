"""Which books on a connection must be told anew: found by decoding what came, as the desk will."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from operators.operator import Desk, Feed
from operators.sources.line import Entry
from operators.sources.websocket_venue import Venue
from schemas.instrument import Instrument
from schemas.market import RAW, EventKind, RawFrame, RawKind

_SYNC = int(EventKind.SYNC)
_MOST = 12
"""Longest wait, and how long a book must be whole for waits to start over, in times of the first: a minute of 5 s."""


class Watch:
    """Follows the books of one connection with a decoder of its own, and says which need a snapshot.

    Sequence breaks, checksums that differ, messages that were damaged: the decoder says of all of them that a
    book is not whole any more (SYNC 0). Then, or where a book has not become whole within `patience_s` of being
    asked for, it is due. Each further time in a row the wait doubles, up to twelve times `patience_s`; it is
    `patience_s` again once the book has been whole for that long.
    """

    def __init__(self, venue: Venue, instruments: Sequence[Instrument], depth: int, patience_s: float) -> None:
        self._desk = Desk("watch", tuple(instruments), feeds=(Feed("watched", tuple(i.id for i in instruments)),))
        self._venue, self._parameters = venue, {"feeds": ("watched",), **venue.parameters(depth)}
        self._symbols = [instrument.symbol for instrument in instruments]
        self._patience_s, self._most_s = patience_s, _MOST * patience_s
        self._wait_s = [patience_s] * len(instruments)
        self._whole_since: list[float | None] = [None] * len(instruments)
        self._asked_s = [0.0] * len(instruments)
        self._is_lost = [False] * len(instruments)
        self.restart(0.0)

    @property
    def is_whole(self) -> bool:
        """Whether every book is."""
        return all(since is not None for since in self._whole_since)

    def restart(self, now_s: float) -> None:
        """The connection was lost, or is a new one: no book is whole, and all have just been asked for."""
        kind = self._venue.decoder
        self._decoder = kind(kind.Parameters.model_validate(self._parameters), self._desk)
        for i in range(len(self._symbols)):
            self._whole_since[i], self._asked_s[i], self._is_lost[i] = None, now_s, False

    def asked(self, symbol: str, now_s: float) -> None:
        """A snapshot of this book was asked for."""
        i = self._symbols.index(symbol)
        self._asked_s[i], self._is_lost[i] = now_s, False
        self._wait_s[i] = min(2 * self._wait_s[i], self._most_s)

    def follow(self, entries: Sequence[Entry], now_s: float) -> None:
        """Decode messages that came up to `now_s`."""
        messages = [e for e in entries if e.kind is RawKind.MESSAGE and self._venue.speaks_of_books(e.data)]
        if not messages:
            return
        told: Any = self._decoder.process({"raw": _frame(messages)}).get("events")
        if told is None:
            return
        for i, is_whole in told[told["kind"] == _SYNC][["instrument", "qty"]].tolist():
            if is_whole:
                self._whole_since[i] = now_s if self._whole_since[i] is None else self._whole_since[i]
                self._is_lost[i] = False
            else:
                self._is_lost[i], self._whole_since[i] = True, None

    def due(self, now_s: float) -> list[str]:
        """Symbols whose books should be asked for now."""
        found = []
        for i, symbol in enumerate(self._symbols):
            since = self._whole_since[i]
            if since is not None:
                if now_s - since >= self._most_s:
                    self._wait_s[i] = self._patience_s
            elif now_s - self._asked_s[i] >= self._wait_s[i] or (
                self._is_lost[i] and self._wait_s[i] == self._patience_s
            ):
                found.append(symbol)
        return found


def _frame(messages: Sequence[Entry]) -> RawFrame:
    rows = np.zeros(len(messages), RAW.dtype)
    rows["ts"] = [entry.clock for entry in messages]
    rows["size"] = [len(entry.data) for entry in messages]
    rows["start"] = np.cumsum(rows["size"]) - rows["size"]
    return RawFrame(rows, np.frombuffer(b"".join(entry.data for entry in messages), np.uint8))
