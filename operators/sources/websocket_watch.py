"""Which books on a connection must be told anew: found by decoding what came, as the desk will."""

from collections.abc import Sequence
from dataclasses import dataclass
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


@dataclass
class _Book:
    symbol: str
    wait_s: float
    """How long to wait for it this time."""
    whole_since_s: float | None = None
    asked_s: float = 0.0
    is_lost: bool = False
    """It was whole, and has not been asked for since."""


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
        self._patience_s, self._most_s = patience_s, _MOST * patience_s
        self._books = [_Book(instrument.symbol, patience_s) for instrument in instruments]
        self.restart(0.0)

    @property
    def is_whole(self) -> bool:
        """Whether every book is."""
        return all(book.whole_since_s is not None for book in self._books)

    def restart(self, now_s: float) -> None:
        """The connection was lost, or is a new one: no book is whole, and all have just been asked for."""
        kind = self._venue.decoder
        self._decoder = kind(kind.Parameters.model_validate(self._parameters), self._desk)
        for book in self._books:
            book.whole_since_s, book.asked_s, book.is_lost = None, now_s, False

    def follow(self, entries: Sequence[Entry], now_s: float) -> None:
        """Decode messages that came up to `now_s`."""
        messages = [e for e in entries if e.kind is RawKind.MESSAGE and self._venue.speaks_of_books(e.data)]
        if not messages:
            return
        told: Any = self._decoder.process({"raw": _frame(messages)}).get("events")
        if told is None:
            return
        for i, is_whole in told[told["kind"] == _SYNC][["instrument", "qty"]].tolist():
            book = self._books[i]
            book.is_lost = not is_whole
            if not is_whole:
                book.whole_since_s = None
            elif book.whole_since_s is None:
                book.whole_since_s = now_s

    def due(self, now_s: float) -> list[str]:
        """Symbols whose books are to be asked for now; they are taken to be."""
        found = []
        for book in self._books:
            since_s = book.whole_since_s
            if since_s is not None:
                if now_s - since_s >= self._most_s:
                    book.wait_s = self._patience_s
            elif now_s - book.asked_s >= book.wait_s or (book.is_lost and book.wait_s == self._patience_s):
                found.append(book.symbol)
                book.asked_s, book.is_lost = now_s, False
                book.wait_s = min(2 * book.wait_s, self._most_s)
        return found


def _frame(messages: Sequence[Entry]) -> RawFrame:
    rows = np.zeros(len(messages), RAW.dtype)
    rows["ts"] = [entry.clock for entry in messages]
    rows["size"] = [len(entry.data) for entry in messages]
    rows["start"] = np.cumsum(rows["size"]) - rows["size"]
    return RawFrame(rows, np.frombuffer(b"".join(entry.data for entry in messages), np.uint8))
