"""Records of rows (operators.tables.row) to event rows, compiled."""

from enum import IntEnum
from typing import Any

import numpy as np

from operators.kernel import inlined, kernel, rows_at, table
from operators.tables.row import ROW, RowKind, Told
from schemas.market import EVENTS, LAST, EventKind, RawKind
from schemas.record import Frame

FEED = np.dtype([("first", "i4"), ("count", "i4")])
"""Of a feed: its rows among the followed instruments; count 0: another operator's."""

FOLLOWED = np.dtype([("symbol", "i8"), ("symbol_rest", "i8"), ("instrument", "i8"), ("tick", "i8"), ("lot", "i8")])
"""An instrument that a feed speaks of: its symbol as `words`, its index, tick and lot in units of 1e-9."""

TOP = np.dtype(
    [
        ("price", "i8", 2),  # best prices told last, ticks
        ("qty", "i8", 2),  # lots; 0: the side is empty
        ("unsure", "i4"),  # bits of the sides not told since the book was lost: 1 bid, 2 ask
        ("trust", "i4"),  # NEVER, WHOLE or LOST
    ],
    align=True,
)
"""What has been said of an instrument's book."""

NEVER, WHOLE, LOST = range(3)
"""What was said of a book: nothing yet, that it is whole, that it is not. A lost one that quotes tell is whole again
once both sides were told anew; one that orders or levels tell, once it is cleared."""

NO_SIDE = -1
"""The side of a trade of which the row does not tell who took."""

REJECT = np.dtype([("row", "i8"), ("reason", "i4"), ("instrument", "i4")])
"""A message that Python has to look at: its row in the frame, its Reason, the instrument concerned (-1 none)."""


class Reason(IntEnum):
    """Why a message was rejected."""

    LENGTH = 1  # shorter than a record
    KIND = 2  # a kind that no row has, or no side where one must be
    REFUSED = 3  # the source could not read the row
    AMOUNT = 4  # a price or quantity below 0
    TICK = 5
    LOT = 6
    ZERO = 7  # a price, quantity, or reference that must not be 0
    SYMBOL = 8  # none, on a feed of several instruments


# Tables behind `ctx`, in order: what was told, what was configured, what is produced.
TOPS, FEEDS, INSTRUMENTS, EVENT_ROWS, REJECT_ROWS = range(5)

EVENTS_PER_ROW = 5
"""At most: the old and the new level of both sides, and SYNC."""

_MESSAGE, _EVENT = int(RawKind.MESSAGE), EVENTS.dtype
_SIZE = ROW.itemsize
_REFUSED, _PASSED = int(RowKind.REFUSED), int(RowKind.PASSED)
_BID, _ASK, _SYMBOL, _BUY, _SELL, _AT_STAKE = map(int, Told)
_ADD, _EXECUTE, _CANCEL, _DELETE = map(int, list(EventKind)[:4])
_LEVEL, _CLEAR, _TRADE, _QUOTE = map(int, (EventKind.LEVEL, EventKind.CLEAR, EventKind.TRADE, EventKind.QUOTE))
_SYNC = int(EventKind.SYNC)
_FINE, _R_LENGTH, _R_KIND, _R_REFUSED, _R_AMOUNT, _R_TICK, _R_LOT, _R_ZERO, _R_SYMBOL = range(9)
_BOTH = 3
_LIMIT = 10**12


@kernel
def decode_rows(ctx: Any, rows: Frame, data: Frame, first: int, decoded: int, rejected: int) -> tuple[int, int, int]:
    """Decode the messages among `rows[first:]` of schema RAW, whose bytes are in `data`.

    Writes event rows behind the `decoded` that there are, and rejects, for which there is room, behind `rejected`.
    Returns (row, decoded, rejected): it stopped before that row for want of room for events, or at the end, or, where
    the row is -1 - n, because row n points outside of `data`.
    """
    feeds, events, rejects = table(ctx, FEEDS, FEED), table(ctx, EVENT_ROWS, _EVENT), table(ctx, REJECT_ROWS, REJECT)
    followed = table(ctx, INSTRUMENTS, FOLLOWED)
    for i in range(first, len(rows)):
        raw = rows[i]
        if raw.kind != _MESSAGE or raw.feed < 0 or feeds[raw.feed].count == 0:
            continue
        if raw.start < 0 or raw.size < 0 or raw.start + raw.size > len(data):
            return -1 - i, decoded, rejected
        feed = feeds[raw.feed]
        if decoded + max(EVENTS_PER_ROW, feed.count) > len(events):
            return i, decoded, rejected
        reason, at_stake, known = _R_LENGTH, True, -1
        if raw.size >= _SIZE:
            row = rows_at(data.ctypes.data + raw.start, 1, ROW)[0]
            known = _named(followed, feed, row)
            if row.kind == _PASSED or (known < 0 and row.told & _SYMBOL):
                continue
            if row.kind == _REFUSED:
                reason, at_stake = _R_REFUSED, row.told & _AT_STAKE != 0
            elif known >= 0:
                reason, decoded = _one(ctx, raw, row, followed[known], events, decoded)
                at_stake = row.kind != _TRADE
            else:
                reason, at_stake = _R_SYMBOL, row.kind != _TRADE
        if reason == _FINE:
            continue
        rejects[rejected].row, rejects[rejected].reason = i, reason
        rejects[rejected].instrument = followed[known].instrument if known >= 0 else -1
        rejected += 1
        if at_stake:
            begin, end = (known, known + 1) if known >= 0 else (feed.first, feed.first + feed.count)
            for k in range(begin, end):
                decoded = _lose(ctx, raw, followed[k].instrument, events, decoded)
    return len(rows), decoded, rejected


@inlined
def _named(followed: Any, feed: Any, row: Any) -> int:
    """The row of the instrument that a record is about, -1 for none: a feed without symbols speaks of one."""
    if not row.told & _SYMBOL:
        return feed.first if feed.count == 1 else -1
    low, high = feed.first, feed.first + feed.count
    while low < high:
        middle = (low + high) // 2
        known = followed[middle]
        if known.symbol < row.symbol or (known.symbol == row.symbol and known.symbol_rest < row.symbol_rest):
            low = middle + 1
        else:
            high = middle
    is_it = low < feed.first + feed.count and followed[low].symbol == row.symbol
    return low if is_it and followed[low].symbol_rest == row.symbol_rest else -1


@inlined
def _one(ctx: Any, raw: Any, row: Any, instrument: Any, events: Any, decoded: int) -> tuple[int, int]:
    """(reason, event rows) with those of one record."""
    top = table(ctx, TOPS, TOP)[instrument.instrument]
    if row.kind == _QUOTE:
        return _quote(raw, row, instrument, top, events, decoded)
    if row.kind == _CLEAR:
        event = _next(events, decoded, raw, row, instrument.instrument)
        event.kind = _CLEAR
        top.qty[0] = top.qty[1] = 0
        return _FINE, _whole(events, decoded + 1, raw, row, instrument.instrument, top)
    if row.kind not in (_ADD, _EXECUTE, _CANCEL, _DELETE, _LEVEL, _TRADE):
        return _R_KIND, decoded
    return _change(raw, row, instrument, top, events, decoded)


@inlined
def _change(raw: Any, row: Any, instrument: Any, top: Any, events: Any, decoded: int) -> tuple[int, int]:
    """A trade, a level, or what became of an order. The first of them that is no trade starts a whole book."""
    kind = row.kind
    reason, price = _steps(row.price, instrument.tick, _R_TICK)
    if reason == _FINE:
        reason, qty = _steps(row.qty, instrument.lot, _R_LOT)
    if reason != _FINE:
        return reason, decoded
    lacks_price = price == 0 and kind in (_ADD, _LEVEL, _TRADE)
    lacks_qty = qty == 0 and kind not in (_LEVEL, _DELETE)
    if lacks_price or lacks_qty or (row.order <= 0 and kind <= _DELETE):
        return _R_ZERO, decoded
    is_buy, is_sell = row.told & _BUY != 0, row.told & _SELL != 0
    if not is_buy and not is_sell and kind in (_ADD, _LEVEL):
        return _R_KIND, decoded
    if kind != _TRADE and top.trust == NEVER:
        decoded = _whole(events, decoded, raw, row, instrument.instrument, top)
        events[decoded - 1].flags = 0
    event = _next(events, decoded, raw, row, instrument.instrument)
    event.kind, event.order, event.price, event.qty, event.flags = kind, row.order, price, qty, LAST
    if kind == _TRADE:
        event.side = 1 if is_buy else (0 if is_sell else NO_SIDE)
    else:
        event.side = 1 if is_sell else 0
    return _FINE, decoded + 1


@inlined
def _quote(raw: Any, row: Any, instrument: Any, top: Any, events: Any, decoded: int) -> tuple[int, int]:
    """Best prices: the level before goes, the new one comes."""
    reason, bid = _steps(row.price, instrument.tick, _R_TICK)
    if reason == _FINE:
        reason, bid_qty = _steps(row.qty, instrument.lot, _R_LOT)
    if reason == _FINE:
        reason, ask = _steps(row.ask, instrument.tick, _R_TICK)
    if reason == _FINE:
        reason, ask_qty = _steps(row.ask_qty, instrument.lot, _R_LOT)
    if reason != _FINE:
        return reason, decoded
    first = decoded
    if row.told & _BID:
        decoded = _side(raw, row, instrument, top, events, decoded, 0, bid, bid_qty)
    if row.told & _ASK:
        decoded = _side(raw, row, instrument, top, events, decoded, 1, ask, ask_qty)
    if top.trust != WHOLE and top.unsure == 0:
        decoded = _whole(events, decoded, raw, row, instrument.instrument, top)
    if decoded > first:
        events[decoded - 1].flags = LAST
    return _FINE, decoded


@inlined
def _side(
    raw: Any, row: Any, instrument: Any, top: Any, events: Any, decoded: int, side: int, price: int, qty: int
) -> int:
    """One side of a quote; returns the event rows with those it needs."""
    if price == 0:
        qty = 0
    if top.qty[side] and (top.price[side] != price or qty == 0):
        decoded = _level(events, decoded, raw, row, instrument.instrument, side, top.price[side], 0)
    if qty and (top.price[side] != price or top.qty[side] != qty):
        decoded = _level(events, decoded, raw, row, instrument.instrument, side, price, qty)
    top.price[side], top.qty[side] = price, qty
    top.unsure &= ~(1 << side)
    return decoded


@inlined
def _steps(nanos: int, step: int, reason: int) -> tuple[int, int]:
    """(what is wrong, how many ticks or lots) of an amount in units of 1e-9."""
    if nanos < 0:
        return _R_AMOUNT, 0
    steps = nanos // step
    if steps * step != nanos:
        return reason, 0
    return (_FINE if steps <= _LIMIT else _R_AMOUNT), steps


@inlined
def _lose(ctx: Any, raw: Any, instrument: int, events: Any, decoded: int) -> int:
    """SYNC 0: what was rejected may have changed the instrument's book."""
    top = table(ctx, TOPS, TOP)[instrument]
    top.unsure = _BOTH
    if top.trust == WHOLE:
        top.trust = LOST
    event = events[decoded]
    event.cause, event.ts, event.ts_event = raw.cause, raw.ts, 0
    event.order, event.order_new, event.price, event.qty = 0, 0, 0, 0
    event.instrument, event.kind, event.side, event.flags = instrument, _SYNC, 0, LAST
    return decoded + 1


@inlined
def _whole(events: Any, decoded: int, raw: Any, row: Any, instrument: int, top: Any) -> int:
    """SYNC 1: from here on all is known."""
    event = _next(events, decoded, raw, row, instrument)
    event.kind, event.qty, event.flags = _SYNC, 1, LAST
    top.trust, top.unsure = WHOLE, 0
    return decoded + 1


@inlined
def _level(events: Any, decoded: int, raw: Any, row: Any, instrument: int, side: int, price: int, qty: int) -> int:
    event = _next(events, decoded, raw, row, instrument)
    event.kind, event.side, event.price, event.qty = _LEVEL, side, price, qty
    return decoded + 1


@inlined
def _next(events: Any, decoded: int, raw: Any, row: Any, instrument: int) -> Any:
    """The event row to be filled, with what all have in common."""
    event = events[decoded]
    event.cause, event.ts, event.ts_event = raw.cause, raw.ts, row.ts_event
    event.order, event.order_new, event.price, event.qty = 0, 0, 0, 0
    event.instrument, event.kind, event.side, event.flags = instrument, 0, 0, 0
    return event
