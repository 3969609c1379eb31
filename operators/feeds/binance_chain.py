"""Whether the depth updates of one instrument form an unbroken chain behind a snapshot.

The rules are Binance's ("How to manage a local order book correctly"), put so that one form serves both
markets: an update covers the ids `previous` (exclusive) to `final`. Futures state `previous` as `pu`;
on spot it is `U - 1`.
"""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple

from schemas.market import FeedEventKind

HELD_MAX = 10_000
"""Updates kept while there is no snapshot to apply them to."""

STALE_MAX = 100
"""Updates in a row that are older than the book: by then it is the book that is wrong."""

UNSYNCED = -1


class Update(NamedTuple):
    """A depth update: new totals of levels, the first `bids` of them on the bid side."""

    previous: int
    final: int
    ts_event: int
    prices: Sequence[int]
    quantities: Sequence[int]
    bids: int

    def packed(self) -> "Update":
        """The same in a fraction of the memory."""
        return self._replace(prices=array("q", self.prices), quantities=array("q", self.quantities))


class Verdict(Enum):
    """What becomes of an update."""

    APPLY = 1
    IGNORE = 2
    HOLD = 3  # until a snapshot comes
    LOSE = 4  # it is held, and the book is not whole any more
    OVERFLOW = 5  # it is not held, nor is any other


Admission = tuple[FeedEventKind, int, int]
"""A feed event: kind, first, last id concerned."""


@dataclass
class Chain:
    """Where an instrument's updates stand."""

    is_futures: bool
    last: int = UNSYNCED
    """Id up to which the book is whole, or UNSYNCED."""
    is_joining: bool = False
    """The book is a bare snapshot: the next update may begin before it."""
    stale: int = 0
    held: list[Update] = field(default_factory=list)
    seen: int = UNSYNCED
    """Id that updates went up to which are neither held nor in a whole book: a snapshot must not be older."""
    missing: tuple[int, int] = (0, -1)
    """Ids that never came, the last time that some did not."""

    def offer(self, update: Update) -> tuple[Verdict, Admission | None]:
        """Take the next update of the stream."""
        if self.last == UNSYNCED:
            return self._hold(update)
        if update.final < self.last or (update.final == self.last and not (self.is_joining and self.is_futures)):
            return self._stale(update)
        if update.previous == self.last or (self.is_joining and update.previous < self.last):
            self.last, self.is_joining, self.stale = update.final, False, 0
            return Verdict.APPLY, None
        admission = self._break(self.last, update)
        self.lose()
        self.held.append(update.packed())
        return Verdict.LOSE, admission

    def follows(self, previous: int, final: int) -> bool:
        """Take an update of which there is no more to say than that it is the next one of a whole book; else False."""
        if self.last == UNSYNCED or self.is_joining or not previous == self.last < final:
            return False
        self.last, self.stale = final, 0
        return True

    def snapshot(self, last_id: int) -> tuple[list[Update] | None, Admission | None]:
        """Take a snapshot that is whole up to `last_id`: the held updates to apply to it, or None to ignore it."""
        if last_id <= self.last:
            return None, (FeedEventKind.DUPLICATE, last_id, last_id)
        if not self.held and last_id < self.seen:
            return None, (FeedEventKind.OUT_OF_ORDER, last_id, self.seen)
        usable = [u for u in self.held if u.final > last_id or (self.is_futures and u.final == last_id)]
        if usable and usable[0].previous > last_id:
            return None, (FeedEventKind.OUT_OF_ORDER, last_id, usable[0].previous)
        self.last = usable[-1].final if usable else last_id
        self.is_joining, self.stale, self.held = not usable, 0, []
        return usable, None

    def lose(self) -> None:
        """The book is not whole any more, and what is held leads nowhere."""
        self.seen = max(self.seen, self.last, self.held[-1].final if self.held else UNSYNCED)
        self.last, self.is_joining, self.stale, self.held = UNSYNCED, False, 0, []

    def _hold(self, update: Update) -> tuple[Verdict, Admission | None]:
        admission = None
        tail = self.held[-1].final if self.held else self.seen
        if update.final <= tail:
            self.stale += 1
            if self.stale < STALE_MAX:
                return Verdict.IGNORE, self._again(update, tail)
            admission = (FeedEventKind.INCONSISTENT, update.final, tail)
            self.held = []
        elif self.held and update.previous != tail:
            admission = self._break(tail, update)
            self.held = []
        self.stale = 0
        if len(self.held) >= HELD_MAX:
            self.seen, self.held = update.final, []
            return Verdict.OVERFLOW, None
        self.held.append(update.packed())
        return Verdict.HOLD, admission

    def _stale(self, update: Update) -> tuple[Verdict, Admission | None]:
        self.stale += 1
        if self.stale >= STALE_MAX:
            admission = (FeedEventKind.INCONSISTENT, update.final, self.last)
            self.lose()
            self.seen = UNSYNCED
            self.held.append(update.packed())
            return Verdict.LOSE, admission
        if self.is_joining:  # the snapshot holds it already, as it should
            return Verdict.IGNORE, None
        return Verdict.IGNORE, self._again(update, self.last)

    def _again(self, update: Update, last: int) -> Admission:
        """An update whose ids are behind us: it came twice, or it is one that was missed."""
        if self.missing[0] <= update.final <= self.missing[1]:
            return FeedEventKind.OUT_OF_ORDER, update.final, last
        return FeedEventKind.DUPLICATE, update.final, update.final

    def _break(self, last: int, update: Update) -> Admission:
        """Ids that never came; or an update that begins inside what is known, which none should."""
        if update.previous > last:
            self.missing = last + 1, update.previous
            return FeedEventKind.GAP, *self.missing
        return FeedEventKind.INCONSISTENT, update.previous + 1, update.final
