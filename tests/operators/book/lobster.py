"""LOBSTER's reconstruction of NASDAQ books as market events: one message and the book it leads to per row.

The file shows only the orders and levels near the top. Lots of orders that came before the file, or out of
its sight, are pooled in one order per level; a level that comes into sight is added, one that leaves is deleted.
"""

import zipfile
from bisect import insort
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from schemas.market import EVENTS, LAST, EventKind
from schemas.record import Frame

SUBMISSION, CANCELLATION, DELETION, EXECUTION, HIDDEN_EXECUTION = range(1, 6)

POOL = 1 << 40
"""References of pooled orders start here."""


def read(archive: Path) -> tuple[list[list[float]], Any]:
    """Messages (time, type, order, size, price, direction), and books of shape (rows, levels, side, [price, size])."""
    with zipfile.ZipFile(archive) as files:
        names = sorted(name for name in files.namelist() if name.endswith(".csv"))
        with files.open(names[0]) as messages, files.open(names[1]) as books:
            shown = pd.read_csv(books, header=None, dtype=np.int64).to_numpy()
            told = pd.read_csv(messages, header=None, usecols=range(6), dtype=np.float64).to_numpy().tolist()
    return told, shown.reshape(len(shown), -1, 2, 2)[:, :, ::-1]


class Encoder:
    """Turns messages into events, and remembers what a book that follows them holds."""

    def __init__(self, depth: int) -> None:
        self.depth = depth
        self.events: list[tuple[int, ...]] = []
        self.orders: dict[int, tuple[int, int, int]] = {}
        """Reference -> (side, price, qty)."""
        self.levels: dict[tuple[int, int], set[int]] = defaultdict(set)
        """(side, price) -> its orders."""
        self.prices: tuple[list[int], list[int]] = ([], [])
        """Per side, best first; bids negated."""
        self.pooled: dict[tuple[int, int], int] = {}
        self.pools = POOL
        self.row = 0

    def tell(self, kind: EventKind, order: int = 0, price: int = 0, qty: int = 0, side: int = 0) -> None:
        self.events.append((self.row, self.row, self.row, order, 0, price, qty, 0, kind, side, 0))

    def add(self, order: int, side: int, price: int, qty: int) -> None:
        if not self.levels[side, price]:
            insort(self.prices[side], price if side else -price)
        self.orders[order] = (side, price, qty)
        self.levels[side, price].add(order)
        self.tell(EventKind.ADD, order, price, qty, side)

    def pool(self, side: int, price: int, qty: int) -> None:
        self.pools += 1
        self.pooled[side, price] = self.pools
        self.add(self.pools, side, price, qty)

    def take(self, kind: EventKind, order: int, side: int, price: int, qty: int) -> None:
        if order not in self.orders:
            order = self.pooled[side, price]
        self.tell(kind, order, price, qty, side)
        left = self.orders[order][2] - qty
        self.orders[order] = (side, price, left)
        if left == 0:
            self.forget(order)

    def forget(self, order: int) -> None:
        side, price, _ = self.orders.pop(order)
        self.levels[side, price].remove(order)
        if self.pooled.get((side, price)) == order:
            del self.pooled[side, price]
        if not self.levels[side, price]:
            self.prices[side].remove(price if side else -price)

    def message(self, row: int, message: list[float]) -> None:
        self.row = row
        _, kind, order, size, price, direction = (int(value) for value in message)
        side = 0 if direction == 1 else 1
        if kind == SUBMISSION:
            self.add(order, side, price, size)
        elif kind == HIDDEN_EXECUTION:
            self.tell(EventKind.TRADE, price=price, qty=size)
        else:
            self.take(EventKind.EXECUTE if kind == EXECUTION else EventKind.CANCEL, order, side, price, size)

    def keep_in_sight(self, shown: list[list[list[int]]]) -> list[int]:
        """Delete levels that left, add levels that came; returns the depths (0 is the best) of those that came."""
        came = []
        for side in (0, 1):
            for price in self.prices[side][self.depth :]:
                for order in sorted(self.levels[side, abs(price)]):
                    self.tell(EventKind.DELETE, order)
                    self.forget(order)
            for depth, level in enumerate(shown):
                price, qty = level[side]
                if qty and not self.levels[side, price]:
                    self.pool(side, price, qty)
                    came.append(depth)
        return came


def encode(messages: list[list[float]], books: Any) -> tuple[Frame, list[list[int]]]:
    """The events, `cause` being the row of the file, and per row the depths at which a level came into sight."""
    encoder = Encoder(books.shape[1])
    encoder.tell(EventKind.SYNC, qty=1)
    shown = books.tolist()
    came = [encoder.keep_in_sight(shown[0])]
    for row in range(1, len(messages)):
        encoder.message(row, messages[row])
        came.append(encoder.keep_in_sight(shown[row]))
    events = EVENTS.rows(encoder.events)
    events["flags"][np.append(np.diff(events["cause"]) != 0, True)] = LAST
    return events, came
