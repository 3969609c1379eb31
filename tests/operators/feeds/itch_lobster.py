"""LOBSTER's message files written as ITCH 5.0, in whole columns.

A file of N levels shows the messages about these levels only. What a level holds when it comes into view is therefore
taken from the file, as one order: the pool. Messages about orders that nobody saw arrive take from the pool of their
level; when a level leaves the view, whatever is left of it is deleted. All else is the file's own messages.
"""

from typing import Any, NamedTuple

import numpy as np

from tests.operators.book.lobster import CANCELLATION, DELETION, EXECUTION, HIDDEN_EXECUTION, SUBMISSION

_HEADER = [("type", "S1"), ("locate", ">u2"), ("tracking", ">u2"), ("ts_high", ">u2"), ("ts_low", ">u4")]
_ADDED = [*_HEADER, ("order", ">u8"), ("side", "S1"), ("shares", ">u4"), ("stock", "S8"), ("price", ">u4")]
_FORMATS = {
    b"A": np.dtype(_ADDED),
    b"P": np.dtype([*_ADDED, ("match", ">u8")]),
    b"E": np.dtype([*_HEADER, ("order", ">u8"), ("shares", ">u4"), ("match", ">u8")]),
    b"X": np.dtype([*_HEADER, ("order", ">u8"), ("shares", ">u4")]),
    b"D": np.dtype([*_HEADER, ("order", ">u8")]),
}
_POOL = 1 << 40
"""References of pools start here."""

_WANTED = np.dtype(
    [("row", "i8"), ("phase", "i8"), ("type", "S1"), ("order", "i8"), ("side", "i8"), ("shares", "i8"), ("price", "i8")]
)
"""A message to write; within a row of the file, first its own message, then deletions, then pools."""


class Encoded(NamedTuple):
    """Messages one behind the other in `data`, the row of the file that each belongs to, and what came into view."""

    data: Any
    starts: Any
    sizes: Any
    rows: Any
    depths_come: Any
    """Depth (0 is the best) at which each level came into view, but for those of the first row."""
    rows_nothing_came: int


class _Epochs(NamedTuple):
    """The stretches of rows during which a level was in view without a break, and which one a level is in where."""

    first: Any
    last: Any
    side: Any
    price: Any
    depth: Any
    """Where it came in."""
    qty: Any
    """What it held then."""
    keys: Any
    of_key: Any
    rows: int

    def at(self, row: Any, side: Any, price: Any) -> Any:
        """The stretch that the level is in at the row, -1 for none."""
        key = _key(self.rows, row, side, price)
        i = np.minimum(np.searchsorted(self.keys, key), len(self.keys) - 1)
        return np.where(self.keys[i] == key, self.of_key[i], -1)


class _Told(NamedTuple):
    """The file's messages by column, the stretch that each one's level is in, and what orders they speak of."""

    kind: Any
    order: Any
    size: Any
    price: Any
    side: Any
    epoch: Any
    submitted: Any
    taking: Any
    known: Any
    """Of `taking`: whether the order was seen to arrive, and its level has been in view since."""
    ids: Any
    """The orders seen to arrive, sorted."""
    position: Any
    """Where in `ids` the message's order is, if it is."""


def encode(messages: Any, books: Any) -> Encoded:
    """All messages; the first row's pools are the book that the day starts from."""
    epochs = _epochs(books)
    told = _told(messages, epochs)
    rows, pooled = np.arange(len(messages)), told.taking & ~told.known
    types = np.array([b"", b"A", b"X", b"D", b"E", b"P"])[np.clip(told.kind, 0, 5)]
    types[pooled & (told.kind == DELETION)] = b"X"
    order = np.where(pooled, _POOL + told.epoch, np.where(told.kind == HIDDEN_EXECUTION, 0, told.order))
    own = (rows > 0) & (told.kind <= HIDDEN_EXECUTION)
    columns = (column[own] for column in (types, order, told.side, told.size, told.price))
    pools, leaving = _pools(told, epochs), _leaving(told, epochs)
    come = np.flatnonzero(pools)
    wanted = np.concatenate(
        (
            _wanted(rows[own], 0, *columns),
            *(_wanted(leaves, 1, b"D", reference) for leaves, reference in leaving),
            _wanted(epochs.first[come], 2, b"A", _POOL + come, epochs.side[come], pools[come], epochs.price[come]),
        )
    )
    ts = np.round(messages[:, 0] * 1e9).astype(np.int64)
    written = _written(wanted[np.lexsort((wanted["order"], wanted["phase"], wanted["row"]))], ts)
    later = come[epochs.first[come] > 0]
    return Encoded(*written, epochs.depth[later], len(rows) - 1 - len(np.unique(epochs.first[later])))


def _told(messages: Any, epochs: _Epochs) -> _Told:
    kind, order, size, price = (messages[:, i].astype(np.int64) for i in range(1, 5))
    side, rows = (messages[:, 5] != 1).astype(np.int64), np.arange(len(messages))
    submitted = (rows > 0) & (kind == SUBMISSION)
    taking = (rows > 0) & np.isin(kind, (CANCELLATION, DELETION, EXECUTION))
    epoch = np.where(submitted, epochs.at(rows, side, price), epochs.at(rows - 1, side, price))
    assert (epoch[submitted | taking] >= 0).all()
    ids = np.sort(order[submitted])
    assert (np.diff(ids) > 0).all()
    position = np.minimum(np.searchsorted(ids, order), len(ids) - 1)
    arrived = np.empty(len(ids), np.int64)
    arrived[position[submitted]] = epoch[submitted]
    known = taking & (ids[position] == order) & (arrived[position] == epoch)
    return _Told(kind, order, size, price, side, epoch, submitted, taking, known, ids, position)


def _pools(told: _Told, epochs: _Epochs) -> Any:
    """What each level held, when it came into view, besides the order that brought it there."""
    pools = epochs.qty.copy()
    opening = told.submitted & (epochs.first[told.epoch] == np.arange(len(told.epoch)))
    np.subtract.at(pools, told.epoch[opening], told.size[opening])
    assert (pools >= 0).all()
    return pools


def _leaving(told: _Told, epochs: _Epochs) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
    """(rows, references) of the orders, and of the pools, that are there when their level leaves the view."""
    left = np.zeros(len(told.ids), np.int64)
    np.add.at(left, told.position[told.submitted], told.size[told.submitted])
    np.subtract.at(left, told.position[told.known], told.size[told.known])
    pools, pooled = _pools(told, epochs), told.taking & ~told.known
    np.subtract.at(pools, told.epoch[pooled], told.size[pooled])
    assert (left >= 0).all()
    assert (pools >= 0).all()
    epoch = np.empty(len(told.ids), np.int64)
    epoch[told.position[told.submitted]] = told.epoch[told.submitted]
    behind = epochs.last + 1
    orders = np.flatnonzero((left > 0) & (behind[epoch] < epochs.rows))
    drained = np.flatnonzero((pools > 0) & (behind < epochs.rows))
    return (behind[epoch[orders]], told.ids[orders]), (behind[drained], _POOL + drained)


def _key(rows: int, row: Any, side: Any, price: Any) -> Any:
    return (side * (1 << 32) + price) * rows + row


def _epochs(books: Any) -> _Epochs:
    row, depth, side = np.nonzero(books[..., 1])
    price, qty = books[row, depth, side].T
    key = _key(len(books), row, side, price)
    order = np.argsort(key)
    row, depth, side, price, qty, key = (column[order] for column in (row, depth, side, price, qty, key))
    begins = np.append(True, (np.diff(key) != 1) | (np.diff(price) != 0) | (np.diff(side) != 0))
    ends = np.append(begins[1:], True)
    return _Epochs(
        row[begins],
        row[ends],
        side[begins],
        price[begins],
        depth[begins],
        qty[begins],
        key,
        np.cumsum(begins) - 1,
        len(books),
    )


def _wanted(row: Any, phase: int, kind: Any, order: Any, side: Any = 0, shares: Any = 0, price: Any = 0) -> Any:
    rows = np.empty(len(row), _WANTED)
    for name, column in zip(_WANTED.names, (row, phase, kind, order, side, shares, price), strict=True):
        rows[name] = column
    return rows


def _written(wanted: Any, ts: Any) -> tuple[Any, Any, Any, Any]:
    """(data, starts, sizes, rows) of the messages wanted."""
    sizes = np.zeros(len(wanted), np.int64)
    for code, form in _FORMATS.items():
        sizes[wanted["type"] == code] = form.itemsize
    starts = np.cumsum(sizes) - sizes
    data = np.zeros(int(sizes.sum()), np.uint8)
    for code, form in _FORMATS.items():
        chosen = wanted["type"] == code
        messages = np.zeros(int(chosen.sum()), form)
        messages["type"], messages["locate"] = code, 1
        messages["ts_high"], messages["ts_low"] = (
            ts[wanted["row"][chosen]] >> 32,
            ts[wanted["row"][chosen]] & 0xFFFFFFFF,
        )
        for name in form.names[5:]:
            if name in ("order", "shares", "price"):
                messages[name] = wanted[name][chosen]
        if "side" in form.names:
            messages["side"] = np.where(wanted["side"][chosen] == 0, b"B", b"S")
            messages["stock"] = b"LOBSTER "
        at = starts[chosen][:, None] + np.arange(form.itemsize)
        data[at] = messages.view(np.uint8).reshape(-1, form.itemsize)
    return data, starts, sizes, wanted["row"]
