"""How the entries of FIX market data make price levels: by price, by their ids, or by their place in the book."""

from abc import ABC, abstractmethod
from typing import Any, ClassVar, NamedTuple

NEW, CHANGE, DELETE, DELETE_THRU, DELETE_FROM, OVERLAY = "0", "1", "2", "3", "4", "5"
"""MDUpdateAction (279); the last three came with 5.0."""

UNSAID = -1


class LevelEntry(NamedTuple):
    """One entry of a side (0 bids, 1 asks). `UNSAID` stands for what it does not say."""

    action: str
    side: int
    id: str
    position: int
    ticks: int
    lots: int


class Levels(ABC):
    """What one book's entries add up to. `changes` are the totals by (side, ticks) that a message makes new."""

    actions: ClassVar[frozenset[str]] = frozenset((NEW, CHANGE, DELETE))
    """What may be done to an entry."""
    priced: ClassVar[frozenset[str]] = frozenset((NEW, CHANGE, OVERLAY))
    """Those for which an entry must say its price."""
    sized: ClassVar[frozenset[str]] = priced
    """Those for which it must say its size."""
    has_ids: ClassVar[bool] = False
    has_positions: ClassVar[bool] = False

    def __init__(self) -> None:
        self.changes: dict[tuple[int, int], int] = {}

    def clear(self) -> None:
        """There are no entries."""
        self.changes.clear()

    @abstractmethod
    def apply(self, entry: LevelEntry) -> bool:
        """Take an entry; false, and nothing done, where it contradicts those before."""

    def knows(self, entry_id: str) -> bool:
        """Whether there is an entry of that id."""
        return False

    def snapshot(self) -> Any:
        """The state between two messages."""
        return None

    def restore(self, state: Any) -> None:
        """Take up the state of a snapshot."""
        self.changes.clear()


class ByPrice(Levels):
    """An entry is the total at its price."""

    actions: ClassVar[frozenset[str]] = frozenset((NEW, CHANGE, DELETE, OVERLAY))
    priced: ClassVar[frozenset[str]] = actions

    def apply(self, entry: LevelEntry) -> bool:
        """New and change say the total; nothing contradicts anything."""
        self.changes[entry.side, entry.ticks] = 0 if entry.action == DELETE else entry.lots
        return True


class ById(Levels):
    """An entry is an order, or one participant's quote: the entries at a price add up."""

    priced: ClassVar[frozenset[str]] = frozenset((NEW,))
    sized: ClassVar[frozenset[str]] = priced
    has_ids: ClassVar[bool] = True

    def __init__(self) -> None:
        super().__init__()
        self._entries: dict[str, tuple[int, int, int]] = {}
        self._totals: dict[tuple[int, int], int] = {}

    def clear(self) -> None:
        """There are no entries."""
        super().clear()
        self._entries.clear()
        self._totals.clear()

    def apply(self, entry: LevelEntry) -> bool:
        """A new id must be new, one that changes or goes must be known and of that side."""
        known = self._entries.get(entry.id)
        if entry.action == NEW:
            if known is not None:
                return False
            self._put(entry.id, entry.side, entry.ticks, entry.lots)
            return True
        if known is None or entry.side not in (UNSAID, known[0]):
            return False
        side, ticks, lots = self._entries.pop(entry.id)
        self._add(side, ticks, -lots)
        if entry.action == CHANGE:
            ticks, lots = (new if new != UNSAID else old for new, old in ((entry.ticks, ticks), (entry.lots, lots)))
            self._put(entry.id, side, ticks, lots)
        return True

    def knows(self, entry_id: str) -> bool:
        """Whether there is an entry of that id."""
        return entry_id in self._entries

    def snapshot(self) -> Any:
        """The entries by id, in the order in which they came."""
        return dict(self._entries)

    def restore(self, state: Any) -> None:
        """Take up the entries of a snapshot."""
        self.clear()
        for entry_id, entry in state.items():
            self._put(entry_id, *entry)
        self.changes.clear()

    def _put(self, entry_id: str, side: int, ticks: int, lots: int) -> None:
        self._entries[entry_id] = side, ticks, lots
        self._add(side, ticks, lots)

    def _add(self, side: int, ticks: int, lots: int) -> None:
        total = self._totals.pop((side, ticks), 0) + lots
        if total:
            self._totals[side, ticks] = total
        self.changes[side, ticks] = total


class ByPosition(Levels):
    """An entry is a row of its side, 1 the best: rows move as others come and go, and none stays beyond `depth`."""

    actions: ClassVar[frozenset[str]] = frozenset((NEW, CHANGE, DELETE, DELETE_THRU, DELETE_FROM, OVERLAY))
    has_positions: ClassVar[bool] = True

    def __init__(self, depth: int) -> None:
        super().__init__()
        self._depth = depth
        self._sides: tuple[list[tuple[int, int]], list[tuple[int, int]]] = ([], [])

    def clear(self) -> None:
        """There are no rows."""
        super().clear()
        for rows in self._sides:
            rows.clear()

    def apply(self, entry: LevelEntry) -> bool:
        """A row must be there, or be the next one where it is new. A new one of no place is the last."""
        rows, action = self._sides[entry.side], entry.action
        at = len(rows) if entry.position == UNSAID else entry.position - 1
        if not 0 <= at <= (len(rows) if action == NEW else len(rows) - 1):
            return False
        before = list(rows)
        if action == NEW:
            rows.insert(at, (entry.ticks, entry.lots))
            del rows[self._depth :]
        elif action in (CHANGE, OVERLAY):
            rows[at] = entry.ticks, entry.lots
        else:
            del rows[0 if action == DELETE_THRU else at : len(rows) if action == DELETE_FROM else at + 1]
        was, now = dict(before), dict(rows)
        for ticks in was | now:
            if was.get(ticks, 0) != now.get(ticks, 0):
                self.changes[entry.side, ticks] = now.get(ticks, 0)
        return True

    def snapshot(self) -> Any:
        """The rows of both sides."""
        return [list(rows) for rows in self._sides]

    def restore(self, state: Any) -> None:
        """Take up the rows of a snapshot."""
        self.clear()
        for rows, known in zip(self._sides, state, strict=True):
            rows.extend(known)
