"""A book as LOBSTER shows it: the messages about its uppermost levels, and after each of them these levels."""

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

from schemas.market import EventKind, Side

Level = tuple[int, int]
"""(side, price) in units of the file."""

POOLS = 1 << 62
"""References from here on are of pools: what a level held, when it came into view, of orders nobody saw arrive."""

SUBMISSION, CANCELLATION, DELETION, EXECUTION, HIDDEN_EXECUTION, CROSS, HALT = range(1, 8)
_REDUCES = {CANCELLATION: EventKind.CANCEL, DELETION: EventKind.CANCEL, EXECUTION: EventKind.EXECUTE}


class Message(NamedTuple):
    """A row of a message file, but for its time."""

    kind: int
    order: int
    size: int
    price: int
    direction: int
    """1: the order buys, -1: it sells."""

    @property
    def level(self) -> Level:
        """Where the order is."""
        return (Side.BID if self.direction == 1 else Side.ASK), self.price


class Tell(Protocol):
    """Takes an event."""

    def __call__(self, kind: EventKind, order: int, level: Level, qty: int) -> None:
        """The event, in units of the file."""


class ContradictionError(Exception):
    """The message does not lead from the book before it to the book behind it."""


class LobsterBook:
    """Which orders are in view, and how many lots of which nobody saw an order arrive."""

    def __init__(self) -> None:
        self.orders: dict[int, tuple[Level, int]] = {}
        """Reference -> (level, lots left)."""
        self.at: dict[Level, dict[int, None]] = {}
        """The orders of every level in view, as they came."""
        self.totals: dict[Level, int] = {}
        self.pool_of: dict[Level, int] = {}
        self.pools = 0

    def follow(self, message: Message, shown: Mapping[Level, int], tell: Tell) -> None:
        """Apply the message, delete what left the view, and add what came into it. Raises ContradictionError."""
        if message.kind == SUBMISSION:
            if message.level not in shown:
                raise ContradictionError(f"order {message.order} arrives at a level that is not there")
            is_new = message.level not in self.totals
            self._add(message.order, message.level, message.size, tell)
            if is_new and shown[message.level] > message.size:
                self._pool(message.level, shown[message.level] - message.size, tell)
        elif message.kind in _REDUCES:
            self._reduce(message, tell)
        self.keep(shown, tell)
        if self.totals != shown:
            raise ContradictionError("the levels are not those that the message leads to")

    def keep(self, shown: Mapping[Level, int], tell: Tell) -> None:
        """Delete the levels that are not shown, and add those that are new."""
        for level in [level for level in self.totals if level not in shown]:
            for order in list(self.at[level]):
                tell(EventKind.DELETE, order, level, 0)
                self._forget(order, level)
        for level, qty in shown.items():
            if level not in self.totals:
                self._pool(level, qty, tell)

    def _add(self, order: int, level: Level, qty: int, tell: Tell) -> None:
        if order in self.orders:
            raise ContradictionError(f"order {order} arrives a second time")
        self.orders[order] = level, qty
        self.at.setdefault(level, {})[order] = None
        self.totals[level] = self.totals.get(level, 0) + qty
        tell(EventKind.ADD, order, level, qty)

    def _pool(self, level: Level, qty: int, tell: Tell) -> None:
        self.pools += 1
        self.pool_of[level] = POOLS + self.pools
        self._add(self.pool_of[level], level, qty, tell)

    def _reduce(self, message: Message, tell: Tell) -> None:
        level = message.level
        order = message.order if message.order in self.orders else self.pool_of.get(level, 0)
        known, left = self.orders.get(order, (level, 0))
        if known != level or not 0 < message.size <= left:
            raise ContradictionError(
                f"{message.size} of order {message.order} leave, of {left} at another level or here"
            )
        tell(_REDUCES[message.kind], order, level, message.size)
        self.orders[order] = level, left - message.size
        self.totals[level] -= message.size
        if left == message.size:
            self._forget(order, level)

    def _forget(self, order: int, level: Level) -> None:
        _, left = self.orders.pop(order)
        self.totals[level] -= left
        del self.at[level][order]
        if self.pool_of.get(level) == order:
            del self.pool_of[level]
        if not self.at[level]:
            del self.at[level], self.totals[level]

    def clear(self) -> None:
        """Nothing is in view."""
        for table in (self.orders, self.at, self.totals, self.pool_of):
            table.clear()

    def snapshot(self) -> Any:
        """All of it, as a value."""
        at = {level: list(orders) for level, orders in self.at.items()}
        return dict(self.orders), at, dict(self.totals), dict(self.pool_of), self.pools

    def restore(self, state: Any) -> None:
        """Be the book of a snapshot."""
        orders, at, totals, pool_of, self.pools = state
        self.orders, self.totals, self.pool_of = dict(orders), dict(totals), dict(pool_of)
        self.at = {level: dict.fromkeys(orders) for level, orders in at.items()}
