"""Whether a message is of a shape (operators.feeds.shape), and the event rows it then gives."""

from typing import Any

import numpy as np

from operators.feeds.fields import MILLIS_MAX
from operators.feeds.scan_values import (
    CLOSE,
    COLON,
    COMMA,
    MINUS,
    NO,
    POINT,
    QUOTE_MARK,
    ZERO,
    integer,
    moment_text,
    seconds_text,
    string_end,
    whole_steps,
)
from operators.feeds.shape import OP, PIECE, PIECES_MAX, SLOTS, Code, Slot
from operators.kernel import inlined, kernel, table
from schemas.market import EVENTS, LAST, EventKind

FEED = np.dtype([("first", "i8"), ("count", "i8")])
"""Of a feed: its rows among the symbols; count 0: another operator's."""

SYMBOL = np.dtype([("start", "i8"), ("size", "i8"), ("instrument", "i8"), ("tick", "i8"), ("lot", "i8")])
"""A symbol in the pool of symbols, its instrument's index, tick and lot in units of 1e-9."""

SPAN = np.dtype([(name, "i8") for name in ("price", "qty", "start", "between", "behind", "end")])
"""A level once more, and where in the frame's bytes its price begins and ends, and its quantity."""

# Tables behind `ctx`, in order.
SHAPES, OPS, PIECES, POOL, FEEDS, SYMBOLS, NAMES, SLOT_VALUES, EVENT_ROWS, SPANS, STEPS = range(11)

FULL = -2
"""There is no room for the message's rows."""

_EVENT, _BYTE, _I8 = EVENTS.dtype, np.dtype(np.uint8), np.dtype(np.int64)
_LEVEL, _TRADE, _QUOTE = map(int, (EventKind.LEVEL, EventKind.TRADE, EventKind.QUOTE))
(
    _C_LITERAL, _C_SYMBOL, _C_SYMBOL_EACH, _C_INT, _C_SIGNED, _C_MILLIS, _C_SECONDS, _C_MOMENT, _C_TEXT, _C_WORD,
    _C_PRICE, _C_TOTAL, _C_EXACT, _C_EACH, _C_NEXT, _C_LEVEL, _C_TRADE, _C_QUOTE, _C_BEST, _C_END,
    _C_SYMBOL_LAST,
) = map(int, Code)  # fmt: skip
_TIME, _ORDER, _KIND, _SIDE, _BID, _BID_QTY, _ASK, _ASK_QTY = map(
    int, (Slot.TIME, Slot.ORDER, Slot.KIND, Slot.SIDE, Slot.BID, Slot.BID_QTY, Slot.ASK, Slot.ASK_QTY)
)
_NS_PER_MS = 10**6


@kernel
def match(ctx: Any, at: int, text: Any, raw: Any, row: int) -> int:
    """The event rows with those of the message, if it is of the shape whose first step is `at`; else NO or FULL."""
    ops, pieces, pool = table(ctx, OPS, OP), table(ctx, PIECES, PIECE), table(ctx, POOL, _BYTE)
    symbols, slots = table(ctx, SYMBOLS, SYMBOL), table(ctx, SLOT_VALUES, _I8)
    events, spans = table(ctx, EVENT_ROWS, _EVENT), table(ctx, SPANS, SPAN)
    feed = table(ctx, FEEDS, FEED)[raw.feed]
    p, end, symbol, value = raw.start, raw.start + raw.size, -1, 0
    price_start = price_end = qty_start = qty_end = 0
    for k in range(SLOTS):
        slots[k] = 0
    while True:
        op = ops[at]
        code = op.code
        at += 1
        if code == _C_LITERAL:
            if p + op.b > end:
                return NO
            for k in range(op.b):
                if text[p + k] != pool[op.a + k]:
                    return NO
            p += op.b
        elif code in (_C_SYMBOL, _C_SYMBOL_EACH):
            begin = p
            p = string_end(text, p, end)
            if p < 0:
                return NO
            known = _named(ctx, feed, text, begin, p)
            if known < 0 or (code == _C_SYMBOL and symbol >= 0 and known != symbol):
                return NO
            symbol = known
        elif code in (_C_INT, _C_MILLIS, _C_SIGNED):
            is_negative = code == _C_SIGNED and p < end and text[p] == MINUS
            if is_negative:
                p += 1
            p, value = integer(text, p, end)
            if p < 0 or (is_negative and value == 0):
                return NO
            if code == _C_MILLIS:
                if value >= MILLIS_MAX:
                    return NO
                value *= _NS_PER_MS
            slots[op.a] = -value if is_negative else value
        elif code == _C_SECONDS:
            p, value = seconds_text(text, p, end)
            if p < 0:
                return NO
            slots[op.a] = value
        elif code == _C_MOMENT:
            p, value = moment_text(text, p, end)
            if p < 0:
                return NO
            slots[op.a] = value
        elif code == _C_TEXT:
            p = string_end(text, p, end)
            if p < 0:
                return NO
        elif code == _C_WORD:
            p, value = _word(pieces, pool, op.b, text, p, end)
            if p < 0:
                return NO
            slots[op.a] = value
        elif code in (_C_PRICE, _C_TOTAL, _C_EXACT):
            begin = p
            if symbol >= 0:
                step = symbols[symbol].tick if code == _C_PRICE else symbols[symbol].lot
                p, value = whole_steps(text, p, end, step, code == _C_TOTAL)
            if symbol < 0 or p < 0 or (op.b and p - begin > 1 and text[begin] == ZERO and text[begin + 1] != POINT):
                return NO
            slots[op.a] = value
            if code == _C_PRICE:
                price_start, price_end = begin, p
            else:
                qty_start, qty_end = begin, p
        elif code == _C_EACH:
            if p < end and text[p] == CLOSE:
                p += 1
                at = op.a
        elif code == _C_NEXT:
            if p >= end:
                return NO
            if text[p] == COMMA:
                at = op.a
            elif text[p] != CLOSE:
                return NO
            p += 1
        elif code in (_C_LEVEL, _C_TRADE):
            if slots[_BID] == 0 or (code == _C_TRADE and slots[_BID_QTY] == 0):
                return NO
            if row >= len(events):
                return FULL
            event = _next(events[row], raw, symbols[symbol].instrument, slots)
            event.price, event.qty = slots[_BID], slots[_BID_QTY]
            if code == _C_TRADE:
                event.kind, event.flags, event.side = _TRADE, LAST, slots[_SIDE]
            else:
                event.side = op.a if op.a >= 0 else slots[_SIDE]
                span = spans[row]
                span.price, span.qty = slots[_BID], slots[_BID_QTY]
                span.start, span.between, span.behind, span.end = price_start, price_end, qty_start, qty_end
            row += 1
        elif code == _C_QUOTE:
            if (slots[_BID] == 0) != (slots[_BID_QTY] == 0) or (slots[_ASK] == 0) != (slots[_ASK_QTY] == 0):
                return NO
            if row + 2 > len(events):
                return FULL
            for side in range(2):
                event = _next(events[row], raw, symbols[symbol].instrument, slots)
                event.kind, event.side, event.price, event.qty = _QUOTE, side, slots[_BID], slots[_BID_QTY]
                if side:
                    event.price, event.qty, event.flags = slots[_ASK], slots[_ASK_QTY], LAST
                row += 1
        elif code == _C_SYMBOL_LAST:
            begin = end - 2
            while begin > p and text[begin - 1] != QUOTE_MARK:
                begin -= 1
            symbol = _named(ctx, feed, text, begin, end - 2)
            if symbol < 0:
                return NO
        elif code == _C_BEST:
            if symbol < 0:
                return NO
            p = _best(pieces, pool, op.a, text, p, end, symbols[symbol], slots)
            if p < 0:
                return NO
        else:
            if p != end:
                return NO
            slots[0] = symbol - feed.first
            return row


@inlined
def _next(event: Any, raw: Any, instrument: int, slots: Any) -> Any:
    """The event row to be filled, with what all have in common; a level's time may not be known yet."""
    event.cause, event.ts, event.ts_event, event.order, event.order_new = (
        raw.cause,
        raw.ts,
        slots[_TIME],
        slots[_ORDER],
        0,
    )
    event.instrument, event.kind, event.flags = instrument, _LEVEL, 0
    return event


@inlined
def _is(piece: Any, pool: Any, text: Any, start: int, end: int) -> bool:
    """Whether that text is the piece."""
    if piece.size != end - start:
        return False
    for k in range(piece.size):
        if text[start + k] != pool[piece.start + k]:
            return False
    return True


@inlined
def _named(ctx: Any, feed: Any, text: Any, start: int, end: int) -> int:
    """The row of a symbol, or NO."""
    symbols, names = table(ctx, SYMBOLS, SYMBOL), table(ctx, NAMES, _BYTE)
    for known in range(feed.first, feed.first + feed.count):
        if _is(symbols[known], names, text, start, end):
            return known
    return NO


@inlined
def _word(pieces: Any, pool: Any, words: int, text: Any, p: int, end: int) -> tuple[int, int]:
    """(the place behind, which word) of several, none of which begins another."""
    for k in range(words // PIECES_MAX):
        piece = pieces[words % PIECES_MAX + k]
        if p + piece.size <= end and _is(piece, pool, text, p, p + piece.size):
            return p + piece.size, k
    return NO, 0


@inlined
def _best(pieces: Any, pool: Any, names: int, text: Any, p: int, end: int, symbol: Any, slots: Any) -> int:
    """The place behind members `,"name":"text"` of an object; those known go into the slots of the best prices."""
    while p < end and text[p] == COMMA:
        if p + 2 > end or text[p + 1] != QUOTE_MARK:
            return NO
        start = p + 2
        p = string_end(text, start, end)
        if p < 0 or p + 3 > end or text[p + 1] != COLON or text[p + 2] != QUOTE_MARK:
            return NO
        which = -1
        for k in range(4):
            if _is(pieces[names + k], pool, text, start, p):
                which = k
        start = p + 3
        p = string_end(text, start, end)
        if p < 0:
            return NO
        if which >= 0:
            value = 0
            if p > start:
                step = symbol.lot if which % 2 else symbol.tick
                behind, value = whole_steps(text, start, p + 1, step, which % 2 == 1)
                if behind != p:
                    return NO
            slots[_BID + which] = value
            slots[_KIND] |= 2 << which
        p += 1
    return p
