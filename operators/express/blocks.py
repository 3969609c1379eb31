"""The kernel of the express: a cut of the input log taken through every stage, a block at a time.

A block is small enough that what one stage writes is still in the processor's nearest memory when the next
one reads it. The kernel comes back early where Python has to act (a table must grow, a message was
rejected); called again, it goes on where it stopped.
"""

from enum import IntEnum
from typing import Any

import numpy as np

from operators.book.apply import apply
from operators.book.rows import FEED_EVENT_ROWS, LEVEL_ROWS, QUOTE_ROWS
from operators.book.state import DONE
from operators.execution.run import run_loop
from operators.express.kept import COUNTS, I8, PORTS, keep_others, keep_quotes, keep_spreads
from operators.feeds.itch_kernel import EVENT_ROWS, decode
from operators.kernel import bare, first_rows, kernel, rows_at, table
from operators.pairs.touch import spread_rows
from operators.signals.decision import band_signals
from schemas.market import EVENTS, FEED_EVENTS, LEVELS, QUOTES, RAW
from schemas.signal import SIGNALS, SPREADS

BLOCK = 64
"""Entries of the input log."""


class Stop(IntEnum):
    """Why the kernel came back."""

    NOTHING = 0  # the cut is done and wrote nothing
    ROWS = 1  # the cut is done and wrote rows
    LOOP = 2  # the closed loop is full, see its own reason in WHY
    BOOK = 3  # the book has no room for event WHY of the block, see its own reason in BOOK_WHY
    REJECTED = 4  # WHY messages of the block were rejected
    OUTSIDE = 5  # row WHY of the block points outside of the data
    ROOM = 6  # the block has WHY events or quotes, more than there is room for
    STRANGER = 7  # quote WHY of the block is of an instrument that the desk has not


_NOTHING, _ROWS, _LOOP, _BOOK, _REJECTED, _OUTSIDE, _ROOM, _STRANGER = (int(s) for s in Stop)

# Tables behind the express's ctx. TOTALS are the rows written, by port: the loop's streams, then what was kept.
CONTEXTS, CURSOR, TOTALS = range(3)

# Numbers in CONTEXTS: the ctx of every stage's tables; FEED and BOOK are 0 where there is none.
(FEED, BOOK, BOOK_OUT, SPREAD_DESK, SPREAD, BANDS_DESK, BANDS, LOOP, LOOP_OUT, LOOP_WORK, KEPT, ROOM, HAS_LEVELS) = (
    range(13)
)

# Numbers in CURSOR: the block, what is to be done with it next, and what its stages have written so far.
(FIRST, END, PHASE, INPUT, INPUT_COUNT, APPLIED, QUOTED, CHANGED, ADMITTED, DECIDED, WHY, BOOK_WHY) = range(12)
CURSOR_SIZE = 12

_READ, _APPLY, _DECIDE, _ACT = range(4)
"""Phases of a block."""

_RAW, _EVENT, _QUOTE, _LEVEL = RAW.dtype, EVENTS.dtype, QUOTES.dtype, LEVELS.dtype
_FEED_EVENT, _SPREAD, _SIGNAL = FEED_EVENTS.dtype, SPREADS.dtype, SIGNALS.dtype
_EVENT_BYTES, _QUOTE_BYTES, _RAW_BYTES = _EVENT.itemsize, _QUOTE.itemsize, _RAW.itemsize
_U1 = np.dtype(np.uint8)
_SPREAD_SCRATCH, _BANDS_SCRATCH = 4, 1
"""Numbers of the scratch tables among the desk tables of Spread and Bands."""
_PORTS = len(PORTS)


@kernel
def advance(ctx: Any, is_new: Any, clock: Any, data: Any, inputs: Any, inputs_count: Any) -> int:
    """Take the cut on to its end, or to where Python has to act; returns a Stop.

    At the end that is ROWS with a mask of the ports that have rows (bit 8 + i for number `i` of TOTALS), or NOTHING.

    `inputs` is the address of `inputs_count` rows of EVENTS (of QUOTES where there is no book), unused where
    the feed is part of the express. `is_new` is 0 to go on after a stop.
    """
    contexts, cursor = table(ctx, CONTEXTS, I8), table(ctx, CURSOR, I8)
    clock, data = bare(clock, _RAW), bare(data, _U1)
    counts = table(contexts[LOOP_OUT], 0, I8)
    counts[:] = 0
    if is_new:
        cursor[:] = 0
        table(contexts[KEPT], COUNTS, I8)[:] = 0
    stop = DONE
    while cursor[PHASE] != _READ or cursor[END] < len(clock):
        phase = cursor[PHASE]
        if phase == _READ:
            stop = _read(contexts, cursor, clock, data, inputs, inputs_count)
        elif phase == _APPLY:
            stop = _apply(contexts, cursor, inputs)
        elif phase == _DECIDE:
            stop = _decide(contexts, cursor, inputs)
        else:
            stop = _act(contexts, cursor, clock, inputs)
        if stop != DONE:
            return stop
    return _total(ctx, counts[1:], table(contexts[KEPT], COUNTS, I8))


@kernel
def _total(ctx: Any, streams: Any, kept: Any) -> int:
    totals = table(ctx, TOTALS, I8)
    mask = 0
    for i in range(len(totals)):
        totals[i] = streams[i] if i < len(streams) else kept[i - len(streams)]
        mask |= (totals[i] > 0) << (8 + i)
    return mask | _ROWS if mask > 0 else _NOTHING


@kernel
def _read(contexts: Any, cursor: Any, clock: Any, data: Any, inputs: int, inputs_count: int) -> int:
    """The next block, and its events (its quotes, without a book)."""
    first = cursor[END]
    end = min(first + BLOCK, len(clock))
    if contexts[FEED]:
        rows = rows_at(clock.ctypes.data + first * _RAW_BYTES, end - first, _RAW)
        count, why = decode(contexts[FEED], rows, data)
        if count < 0:
            cursor[WHY] = why
            return _OUTSIDE
        start = 0
    else:
        start = cursor[INPUT] + cursor[INPUT_COUNT]
        count, why = _until(contexts, inputs, inputs_count, start, clock[end - 1].cause), 0
        if count > contexts[ROOM]:
            cursor[WHY] = count
            return _ROOM
    cursor[FIRST], cursor[END], cursor[INPUT], cursor[INPUT_COUNT] = first, end, start, count
    cursor[APPLIED] = cursor[QUOTED] = cursor[CHANGED] = cursor[ADMITTED] = 0
    cursor[PHASE] = _APPLY
    if why > 0:
        cursor[WHY] = why
        return _REJECTED
    return DONE


@kernel
def _until(contexts: Any, inputs: int, inputs_count: int, start: int, cause: int) -> int:
    """How many of the rows from `start` on are caused by entries up to `cause`."""
    end = start
    if contexts[BOOK]:
        events = rows_at(inputs, inputs_count, _EVENT)
        while end < inputs_count and events[end].cause <= cause:
            end += 1
    else:
        quotes = rows_at(inputs, inputs_count, _QUOTE)
        while end < inputs_count and quotes[end].cause <= cause:
            end += 1
    return end - start


@kernel
def _apply(contexts: Any, cursor: Any, inputs: int) -> int:
    """The block's events move the books."""
    if contexts[BOOK] == 0:
        cursor[QUOTED] = cursor[INPUT_COUNT]
    elif cursor[INPUT_COUNT] > 0:
        if contexts[FEED]:
            events = first_rows(contexts[FEED], EVENT_ROWS, cursor[INPUT_COUNT], _EVENT)
        else:
            events = rows_at(inputs + cursor[INPUT] * _EVENT_BYTES, cursor[INPUT_COUNT], _EVENT)
        applied = apply(contexts[BOOK], contexts[BOOK_OUT], events, cursor[APPLIED])
        why, cursor[APPLIED], cursor[QUOTED], cursor[CHANGED], cursor[ADMITTED] = applied
        if why != DONE:
            cursor[BOOK_WHY] = why
            return _BOOK
    cursor[PHASE] = _DECIDE
    return DONE


@kernel
def _quotes(contexts: Any, cursor: Any, inputs: int) -> Any:
    """The block's quotes."""
    if contexts[BOOK]:
        return first_rows(contexts[BOOK_OUT], QUOTE_ROWS, cursor[QUOTED], _QUOTE)
    return rows_at(inputs + cursor[INPUT] * _QUOTE_BYTES, cursor[QUOTED], _QUOTE)


@kernel
def _decide(contexts: Any, cursor: Any, inputs: int) -> int:
    """Spreads and signals of the block's quotes, and what of the open loop's rows is kept."""
    quotes = _quotes(contexts, cursor, inputs)
    measured = decided = 0
    if len(quotes) > 0:
        measured = spread_rows(contexts[SPREAD_DESK], contexts[SPREAD], quotes)
        if measured < 0:
            cursor[WHY] = -1 - measured
            return _STRANGER
    spreads = first_rows(contexts[SPREAD_DESK], _SPREAD_SCRATCH, measured, _SPREAD)
    if measured > 0:
        decided = band_signals(contexts[BANDS_DESK], contexts[BANDS], spreads)
    cursor[DECIDED] = decided
    signals = first_rows(contexts[BANDS_DESK], _BANDS_SCRATCH, decided, _SIGNAL)
    kept = contexts[KEPT]
    keep_quotes(kept, quotes)
    keep_spreads(kept, spreads)
    if cursor[CHANGED] + cursor[ADMITTED] + decided > 0:
        levels = first_rows(contexts[BOOK_OUT], LEVEL_ROWS, cursor[CHANGED], _LEVEL)
        feed_events = first_rows(contexts[BOOK_OUT], FEED_EVENT_ROWS, cursor[ADMITTED], _FEED_EVENT)
        keep_others(kept, levels, feed_events, signals)
    table(contexts[LOOP_WORK], 0, I8)[:] = 0
    cursor[PHASE] = _ACT
    return DONE


@kernel
def _act(contexts: Any, cursor: Any, clock: Any, inputs: int) -> int:
    """The closed loop over the block."""
    first = cursor[FIRST]
    rows = rows_at(clock.ctypes.data + first * _RAW_BYTES, cursor[END] - first, _RAW)
    quotes = _quotes(contexts, cursor, inputs)
    changed = cursor[CHANGED] if contexts[HAS_LEVELS] else 0
    levels = first_rows(contexts[BOOK_OUT], LEVEL_ROWS, changed, _LEVEL)
    signals = first_rows(contexts[BANDS_DESK], _BANDS_SCRATCH, cursor[DECIDED], _SIGNAL)
    why = run_loop(contexts[LOOP], contexts[LOOP_OUT], contexts[LOOP_WORK], rows, quotes, levels, signals)
    if why != DONE:
        cursor[WHY] = why
        return _LOOP
    cursor[PHASE] = _READ
    return DONE
