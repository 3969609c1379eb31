"""One instrument's book on one FIX session: which report is next, and what a message changes in it."""

from typing import Any

from operators.feeds.fix_levels import NEW, LevelEntry, Levels
from operators.feeds.told_book import Moment, Side, ToldBook
from schemas.market import FeedEventKind


class FixBook:
    """A book that feed number `feed` tells of. What a message changes in it is written when the message ends."""

    def __init__(self, feed: int, told: ToldBook, levels: Levels) -> None:
        self.told, self.levels = told, levels
        self.last = 0
        """Number of the last report (RptSeq); 0 where none has come."""
        self._feed = feed
        self._is_replaced = False

    def follows(self, report: int, is_first: bool, at: Moment) -> bool:
        """Whether report number `report` (RptSeq) is to be applied; of one message all may have the same.

        One that was there already is not. Where some never came, the book is not whole any more.
        """
        last = self.last
        if last and (report < last or (report == last and is_first)):
            self.told.admit(self._feed, FeedEventKind.DUPLICATE, report, report, at)
            return False
        if last and report > last + 1:
            self.told.admit(self._feed, FeedEventKind.GAP, last + 1, report - 1, at)
            self.lose(at)
        self.last = report
        return True

    def begins(self, report: int) -> bool:
        """Whether a full refresh as of a report is to be taken: not if the book is whole, and knows of later ones."""
        if report > 0:
            if self.told.teller == self._feed and report < self.last:
                return False
            self.last = report
        return True

    def empty(self) -> None:
        """What was there is gone: the message tells of the whole book from here on."""
        self.levels.clear()
        self._is_replaced = True

    def apply(self, entry: LevelEntry, at: Moment) -> None:
        """Take an entry of a side; one that contradicts the book tells that it is not whole."""
        if (self._is_replaced or self.told.teller == self._feed) and not self.levels.apply(entry):
            self.told.admit(self._feed, FeedEventKind.INCONSISTENT, at.order, at.order, at)
            self.lose(at)

    def trade(self, action: str, ticks: int, lots: int, side: int, at: Moment) -> None:
        """A trade; or that one is taken back, or replaced."""
        if action != NEW:
            self.told.admit(self._feed, FeedEventKind.BROKEN_TRADE, at.order, at.order, at)
        if ticks:
            self.told.trade(ticks, lots, side, at)

    def lose(self, at: Moment) -> None:
        """The book is not whole any more, where it was this feed that told it."""
        self._is_replaced = False
        if self.told.teller == self._feed:
            self.told.lose(at)

    def end_message(self, at: Moment) -> None:
        """Write what the message has changed."""
        changes = self.levels.changes
        if self._is_replaced:
            self.told.replace(self._feed, *self._sides(only_present=True), at)
        elif changes and self.told.teller == self._feed:
            self.told.change(*self._sides(only_present=False), at)
        changes.clear()
        self._is_replaced = False

    def snapshot(self) -> Any:
        """The state between two messages, apart from what is told."""
        return self.last, self.levels.snapshot()

    def restore(self, state: Any) -> None:
        """Take up the state of a snapshot."""
        self.last, levels = state
        self.levels.restore(levels)

    def _sides(self, only_present: bool) -> tuple[Side, Side]:
        sides = Side([], [], ([], [])), Side([], [], ([], []))
        for (side, ticks), lots in self.levels.changes.items():
            if lots or not only_present:
                sides[side].prices.append(ticks)
                sides[side].quantities.append(lots)
        return sides
