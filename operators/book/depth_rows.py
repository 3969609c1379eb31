"""The kernel of the depth operator: changes of levels and quotes in, what stands in the first levels out."""

from typing import Any

import numpy as np

from operators.book.ladder import LADDER, LEVEL, NEEDS_ROOM, better, clear, row_of, set_level
from operators.kernel import inlined, kernel, table
from schemas.market import DEPTH, DEPTH_LEVELS

MARK = np.dtype([("bar", "i8"), ("state", "i4"), ("is_touched", "i4")], align=True)
"""Of one instrument: the interval of its last row, the state of its last quote (-1: none yet), and whether the
message at hand changed anything that a row shows."""

# Tables behind the state's ctx.
MARKS, LADDERS, LADDER_LEVELS = range(3)

# Tables behind the scratch's ctx, and numbers in the first.
CURSOR, TOUCHED, TICKS, ROWS, LEVEL_ROWS = range(5)
NEXT_LEVEL, NEXT_QUOTE, CAUSE, TS, TOUCHED_COUNT, TOLD, ROW_COUNT, LEVEL_ROW_COUNT = range(8)
CURSOR_SIZE = 8

# Why the kernel came back.
DONE, NEEDS_LEVELS, NEEDS_ROWS, NO_INSTRUMENT = range(4)

_I8, _F8 = np.dtype(np.int64), np.dtype(np.float64)
_ROW, _LEVEL_ROW = DEPTH.dtype, DEPTH_LEVELS.dtype


@kernel
def depth_rows(ctx: Any, out: Any, depth: int, every: int, levels: Any, quotes: Any) -> int:
    """Follow `levels` and `quotes`; rows go to the scratch. Call again for the same rows once there is room."""
    cursor = table(out, CURSOR, _I8)
    books = len(table(ctx, MARKS, MARK))
    while True:
        i, j = cursor[NEXT_LEVEL], cursor[NEXT_QUOTE]
        is_level = i < len(levels) and (j == len(quotes) or levels[i].cause <= quotes[j].cause)
        is_over = i == len(levels) and j == len(quotes)
        cause = cursor[CAUSE] if is_over else levels[i].cause if is_level else quotes[j].cause
        if cursor[TOUCHED_COUNT] > 0 and (is_over or cause != cursor[CAUSE]):
            if not _tell(ctx, out, depth, every):
                return NEEDS_ROWS
        elif is_over:
            return DONE
        else:
            instrument = levels[i].instrument if is_level else quotes[j].instrument
            if instrument < 0 or instrument >= books:
                return NO_INSTRUMENT
            if is_level:
                if not _change(ctx, out, depth, levels[i]):
                    return NEEDS_LEVELS
                cursor[TS] = levels[i].ts
                cursor[NEXT_LEVEL] += 1
            else:
                _note(ctx, out, quotes[j])
                cursor[TS] = quotes[j].ts
                cursor[NEXT_QUOTE] += 1
            cursor[CAUSE] = cause


@inlined
def _change(ctx: Any, out: Any, depth: int, row: Any) -> bool:
    """A level has a new total, or all are gone; False where there is no room for it."""
    ladders, pool = table(ctx, LADDERS, LADDER), table(ctx, LADDER_LEVELS, LEVEL)
    if row.qty < 0:
        clear(ladders, 2 * row.instrument)
        clear(ladders, 2 * row.instrument + 1)
        _touch(ctx, out, row.instrument)
        return True
    ladder = 2 * row.instrument + (row.side & 1)
    if set_level(pool, ladders, ladder, row.price, row.qty) == NEEDS_ROOM:
        return False
    if better(pool, ladders, ladder, row.price) < depth:
        _touch(ctx, out, row.instrument)
    return True


@inlined
def _note(ctx: Any, out: Any, quote: Any) -> None:
    mark = table(ctx, MARKS, MARK)[quote.instrument]
    if quote.state != mark.state:
        mark.state = quote.state
        _touch(ctx, out, quote.instrument)


@inlined
def _touch(ctx: Any, out: Any, instrument: int) -> None:
    mark = table(ctx, MARKS, MARK)[instrument]
    if mark.is_touched == 0:
        mark.is_touched = 1
        cursor = table(out, CURSOR, _I8)
        table(out, TOUCHED, _I8)[cursor[TOUCHED_COUNT]] = instrument
        cursor[TOUCHED_COUNT] += 1


@kernel
def _tell(ctx: Any, out: Any, depth: int, every: int) -> bool:
    """The rows of a message that is over; False where the scratch is full."""
    cursor, touched, marks = table(out, CURSOR, _I8), table(out, TOUCHED, _I8), table(ctx, MARKS, MARK)
    bar = cursor[TS] // every if every > 0 else 0
    while cursor[TOLD] < cursor[TOUCHED_COUNT]:
        mark = marks[touched[cursor[TOLD]]]
        if mark.state >= 0 and (every == 0 or bar > mark.bar):
            if not _write(ctx, out, depth, touched[cursor[TOLD]], mark.state):
                return False
            mark.bar = bar
        mark.is_touched = 0
        cursor[TOLD] += 1
    cursor[TOLD] = cursor[TOUCHED_COUNT] = 0
    return True


@kernel
def _write(ctx: Any, out: Any, depth: int, instrument: int, state: int) -> bool:
    cursor, ladders = table(out, CURSOR, _I8), table(ctx, LADDERS, LADDER)
    rows, level_rows = table(out, ROWS, _ROW), table(out, LEVEL_ROWS, _LEVEL_ROW)
    bids, asks = ladders[2 * instrument].count, ladders[2 * instrument + 1].count
    deep = min(max(bids, asks), depth)
    first = cursor[LEVEL_ROW_COUNT]
    if cursor[ROW_COUNT] == len(rows) or first + deep > len(level_rows):
        return False
    for k in range(deep):
        row = level_rows[first + k]
        row.cause, row.ts, row.instrument, row.level = cursor[CAUSE], cursor[TS], instrument, k + 1
        row.bid, row.bid_qty = _level(ctx, 2 * instrument, k)
        row.ask, row.ask_qty = _level(ctx, 2 * instrument + 1, k)
    _sum_up(rows[cursor[ROW_COUNT]], level_rows[first : first + deep], table(out, TICKS, _F8)[instrument])
    row = rows[cursor[ROW_COUNT]]
    row.cause, row.ts, row.instrument = cursor[CAUSE], cursor[TS], instrument
    row.levels, row.state = depth, state
    cursor[LEVEL_ROW_COUNT] += deep
    cursor[ROW_COUNT] += 1
    return True


@inlined
def _level(ctx: Any, ladder: int, k: int) -> tuple[int, int]:
    """Price and lots of the level `k` steps behind the best, (0, 0) where there are fewer."""
    ladders = table(ctx, LADDERS, LADDER)
    if k >= ladders[ladder].count:
        return 0, 0
    level = table(ctx, LADDER_LEVELS, LEVEL)[row_of(ladders, ladder, k)]
    return level.price, level.qty


@kernel
def _sum_up(row: Any, levels: Any, tick: float) -> None:
    bid_qty, ask_qty, bid_value, ask_value = 0, 0, 0.0, 0.0
    for k in range(len(levels)):
        level = levels[k]
        bid_qty += level.bid_qty
        ask_qty += level.ask_qty
        bid_value += float(level.bid) * float(level.bid_qty)
        ask_value += float(level.ask) * float(level.ask_qty)
    row.bid_qty, row.ask_qty = bid_qty, ask_qty
    row.imbalance = row.microprice = row.depth_price = 0.0
    if bid_qty + ask_qty > 0:
        row.imbalance = float(bid_qty - ask_qty) / float(bid_qty + ask_qty)
    if bid_qty > 0 and ask_qty > 0:
        best = levels[0]
        row.microprice = tick * _weighted(float(best.bid), float(best.ask), best.bid_qty, best.ask_qty)
        row.depth_price = tick * _weighted(bid_value / bid_qty, ask_value / ask_qty, bid_qty, ask_qty)


@inlined
def _weighted(bid: float, ask: float, bid_qty: int, ask_qty: int) -> float:
    """Between bid and ask, the nearer to one the more stands at the other."""
    return (bid * ask_qty + ask * bid_qty) / (float(bid_qty) + float(ask_qty))
