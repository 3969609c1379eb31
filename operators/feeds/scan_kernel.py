"""Messages of known shapes (operators.feeds.shape) to event rows, compiled. What matches no shape is left alone."""

from typing import Any

import numpy as np

from operators.feeds.fields import MILLIS_MAX, SECONDS_MAX
from operators.feeds.multiples import LIMIT
from operators.feeds.shape import OP, PIECE, SHAPE, SLOTS, Code, Slot
from operators.kernel import inlined, kernel, rows_at, table
from schemas.market import EVENTS, LAST, EventKind, RawKind
from schemas.record import Frame

FEED = np.dtype([("first", "i8"), ("count", "i8")])
"""Of a feed: its rows among the symbols; count 0: another operator's."""

SYMBOL = np.dtype([("start", "i8"), ("size", "i8"), ("instrument", "i8"), ("tick", "i8"), ("lot", "i8")])
"""A symbol in the pool of symbols, its instrument's index, tick and lot in units of 1e-9."""

SPAN = np.dtype([(name, "i8") for name in ("price", "qty", "start", "between", "behind", "end")])
"""A level once more, and where in the frame's bytes its price begins and ends, and its quantity."""

STEP = np.dtype(
    [
        (name, "i8")
        for name in (
            "shape", "row", "feed", "cause", "ts", "symbol", "first", "bids", "end",
            "time", "order", "previous", "checksum", "kind", "bid", "bid_qty", "ask", "ask_qty", "stamp", "sequence",
        )
    ]
)  # fmt: skip
"""What is to be done next: a message's shape (UNREAD: none), its entry, and what it states; its symbol among those of
the feed; its rows from `first` to `end`, whose first `bids` are of the bid side."""

UNREAD, COMPLETE = -1, -2
"""No shape matched; rows of any number of messages of one feed, to be written as they are."""

# Tables behind `ctx`, in order.
SHAPES, OPS, PIECES, POOL, FEEDS, SYMBOLS, NAMES, SLOT_VALUES, EVENT_ROWS, SPANS, STEPS = range(11)

_EVENT, _BYTE, _I8 = EVENTS.dtype, np.dtype(np.uint8), np.dtype(np.int64)
_MESSAGE = int(RawKind.MESSAGE)
_LEVEL, _TRADE, _QUOTE = map(int, (EventKind.LEVEL, EventKind.TRADE, EventKind.QUOTE))
(
    _C_LITERAL, _C_SYMBOL, _C_SYMBOL_EACH, _C_INT, _C_SIGNED, _C_MILLIS, _C_SECONDS, _C_MOMENT, _C_TEXT, _C_WORD,
    _C_PRICE, _C_TOTAL, _C_EXACT, _C_EACH, _C_NEXT, _C_LEVEL, _C_TRADE, _C_QUOTE, _C_BEST, _C_END,
    _C_SYMBOL_LAST,
) = map(int, Code)  # fmt: skip
(
    _TIME, _ORDER, _PREVIOUS, _CHECKSUM, _KIND, _SIDE, _BID, _BID_QTY, _ASK, _ASK_QTY, _STAMP, _SEQUENCE,
) = map(int, list(Slot)[1:])  # fmt: skip
_NS, _NS_PER_MS = 10**9, 10**6
_NO, _FULL = -1, -2
"""It is not of that shape; there is no room for its rows."""
_DIGITS_MAX = 18
_PLACES_MAX = 9
_QUOTE_MARK, _COMMA, _POINT, _ZERO, _NINE, _CLOSE, _MINUS, _COLON = map(ord, '",.09]-:')
_BACKSLASH = ord("\\")
_ASCII = 128
_SPACE = 32
_POWERS = np.array([10**i for i in range(_PLACES_MAX + 1)], np.int64)
_NANOS_MAX = (1 << 63) - 1


@kernel
def scan(ctx: Any, raws: Frame, data: Frame, first: int) -> tuple[int, int]:
    """Read the messages among `raws[first:]` of schema RAW, whose bytes are in `data`.

    Returns (row, steps): how many steps it wrote, and the row before which it stopped for want of room for
    events, or the end.
    """
    feeds, steps, shapes = table(ctx, FEEDS, FEED), table(ctx, STEPS, STEP), table(ctx, SHAPES, SHAPE)
    rows, done, size = 0, 0, len(data)
    text = rows_at(data.ctypes.data, size, _BYTE)
    for i in range(first, len(raws)):
        raw = raws[i]
        is_known = raw.feed < len(feeds)
        if raw.feed < 0 or (is_known and feeds[raw.feed].count == 0):
            continue
        found, end = UNREAD, _NO
        if is_known and raw.kind == _MESSAGE and raw.start >= 0 and raw.size >= 0 and raw.start + raw.size <= size:
            for shape in range(len(shapes)):
                end = _match(ctx, shapes[shape].first, text, raw, rows)
                if end != _NO:
                    found = shape
                    break
        bids = _sides(ctx, rows, end) if found >= 0 else 0
        if _FULL in (end, bids):
            return i, done
        if found >= 0 and shapes[found].is_complete:
            if done > 0 and steps[done - 1].shape == COMPLETE and steps[done - 1].feed == raw.feed:
                steps[done - 1].end = rows = end
                continue
            found = COMPLETE
        step = steps[done]
        step.shape, step.row, step.feed, step.cause, step.ts = found, i, raw.feed, raw.cause, raw.ts
        done += 1
        if found != UNREAD:
            _state(table(ctx, SLOT_VALUES, _I8), step)
            step.first, step.bids, step.end = rows, bids, end
            rows = end
    return len(raws), done


@inlined
def _state(slots: Any, step: Any) -> None:
    """Write what a message states into its step."""
    step.symbol, step.time, step.order, step.previous = slots[0], slots[_TIME], slots[_ORDER], slots[_PREVIOUS]
    step.checksum, step.kind, step.stamp, step.sequence = (
        slots[_CHECKSUM],
        slots[_KIND],
        slots[_STAMP],
        slots[_SEQUENCE],
    )
    step.bid, step.bid_qty, step.ask, step.ask_qty = slots[_BID], slots[_BID_QTY], slots[_ASK], slots[_ASK_QTY]


@inlined
def _sides(ctx: Any, first: int, end: int) -> int:
    """How many bids there are among the rows from `first` to `end`, if they are levels; _FULL where there is no room.

    Levels get the time and order of their message, and bids come to stand before asks.
    """
    slots, events = table(ctx, SLOT_VALUES, _I8), table(ctx, EVENT_ROWS, _EVENT)
    if first == end or events[first].kind != _LEVEL:
        return 0
    bids, is_sorted = 0, True
    for k in range(first, end):
        events[k].ts_event, events[k].order = slots[_TIME], slots[_ORDER]
        if events[k].side == 0:
            is_sorted &= bids == k - first
            bids += 1
    if is_sorted:
        return bids
    if 2 * end - first > len(events):
        return _FULL
    spans = table(ctx, SPANS, SPAN)
    bid, ask = end, end + bids
    for k in range(first, end):
        if events[k].side == 0:
            events[bid], spans[bid] = events[k], spans[k]
            bid += 1
        else:
            events[ask], spans[ask] = events[k], spans[k]
            ask += 1
    for k in range(first, end):
        events[k], spans[k] = events[k + end - first], spans[k + end - first]
    return bids


@kernel
def _match(ctx: Any, at: int, text: Any, raw: Any, row: int) -> int:
    """The event rows with those of the message, if it is of the shape whose first step is `at`; else _NO or _FULL."""
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
                return _NO
            for k in range(op.b):
                if text[p + k] != pool[op.a + k]:
                    return _NO
            p += op.b
        elif code in (_C_SYMBOL, _C_SYMBOL_EACH):
            begin = p
            p = _string(text, p, end)
            if p < 0:
                return _NO
            known = _named(ctx, feed, text, begin, p)
            if known < 0 or (code == _C_SYMBOL and symbol >= 0 and known != symbol):
                return _NO
            symbol = known
        elif code in (_C_INT, _C_MILLIS, _C_SIGNED):
            is_negative = code == _C_SIGNED and p < end and text[p] == _MINUS
            if is_negative:
                p += 1
            p, value = _int(text, p, end)
            if p < 0 or (is_negative and value == 0):
                return _NO
            if code == _C_MILLIS:
                if value >= MILLIS_MAX:
                    return _NO
                value *= _NS_PER_MS
            slots[op.a] = -value if is_negative else value
        elif code == _C_SECONDS:
            p, value = _seconds(text, p, end)
            if p < 0:
                return _NO
            slots[op.a] = value
        elif code == _C_MOMENT:
            p, value = _moment(text, p, end)
            if p < 0:
                return _NO
            slots[op.a] = value
        elif code == _C_TEXT:
            p = _string(text, p, end)
            if p < 0:
                return _NO
        elif code == _C_WORD:
            p, value = _word(pieces, pool, op.b, text, p, end)
            if p < 0:
                return _NO
            slots[op.a] = value
        elif code in (_C_PRICE, _C_TOTAL, _C_EXACT):
            begin = p
            if symbol >= 0:
                step = symbols[symbol].tick if code == _C_PRICE else symbols[symbol].lot
                p, value = _steps(text, p, end, step, code == _C_TOTAL)
            if symbol < 0 or p < 0 or (op.b and p - begin > 1 and text[begin] == _ZERO and text[begin + 1] != _POINT):
                return _NO
            slots[op.a] = value
            if code == _C_PRICE:
                price_start, price_end = begin, p
            else:
                qty_start, qty_end = begin, p
        elif code == _C_EACH:
            if p < end and text[p] == _CLOSE:
                p += 1
                at = op.a
        elif code == _C_NEXT:
            if p >= end:
                return _NO
            if text[p] == _COMMA:
                at = op.a
            elif text[p] != _CLOSE:
                return _NO
            p += 1
        elif code in (_C_LEVEL, _C_TRADE):
            if slots[_BID] == 0 or (code == _C_TRADE and slots[_BID_QTY] == 0):
                return _NO
            if row >= len(events):
                return _FULL
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
                return _NO
            if row + 2 > len(events):
                return _FULL
            for side in range(2):
                event = _next(events[row], raw, symbols[symbol].instrument, slots)
                event.kind, event.side, event.price, event.qty = _QUOTE, side, slots[_BID], slots[_BID_QTY]
                if side:
                    event.price, event.qty, event.flags = slots[_ASK], slots[_ASK_QTY], LAST
                row += 1
        elif code == _C_SYMBOL_LAST:
            begin = end - 2
            while begin > p and text[begin - 1] != _QUOTE_MARK:
                begin -= 1
            symbol = _named(ctx, feed, text, begin, end - 2)
            if symbol < 0:
                return _NO
        elif code == _C_BEST:
            if symbol < 0:
                return _NO
            p = _best(pieces, pool, op.a, text, p, end, symbols[symbol], slots)
            if p < 0:
                return _NO
        else:
            if p != end:
                return _NO
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
def _string(text: Any, p: int, end: int) -> int:
    """The place of the quotation mark behind what is plain inside a string, or _NO."""
    while p < end and text[p] != _QUOTE_MARK:
        if text[p] < _SPACE or text[p] >= _ASCII or text[p] == _BACKSLASH:
            return _NO
        p += 1
    return p if p < end else _NO


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
    """The row of a symbol, or _NO."""
    symbols, names = table(ctx, SYMBOLS, SYMBOL), table(ctx, NAMES, _BYTE)
    for known in range(feed.first, feed.first + feed.count):
        if _is(symbols[known], names, text, start, end):
            return known
    return _NO


@inlined
def _word(pieces: Any, pool: Any, words: int, text: Any, p: int, end: int) -> tuple[int, int]:
    """(the place behind, which word) of several, none of which begins another."""
    for k in range(words // 256):
        piece = pieces[words % 256 + k]
        if p + piece.size <= end and _is(piece, pool, text, p, p + piece.size):
            return p + piece.size, k
    return _NO, 0


@inlined
def _int(text: Any, p: int, end: int) -> tuple[int, int]:
    """(the place behind, value) of a JSON number without fraction."""
    start, value = p, 0
    while p < end and _ZERO <= text[p] <= _NINE:
        value = 10 * value + (text[p] - _ZERO)
        p += 1
        if p - start > _DIGITS_MAX:
            return _NO, 0
    if p == start or (p - start > 1 and text[start] == _ZERO):
        return _NO, 0
    return p, value


@inlined
def _nanos(text: Any, p: int, end: int) -> tuple[int, int]:
    """(the place behind, units of 1e-9) of a plain decimal."""
    start, value, places = p, 0, -1
    while p < end:
        c = text[p]
        if _ZERO <= c <= _NINE:
            if places < _PLACES_MAX:
                if value > _NANOS_MAX // 10 - 1:
                    return _NO, 0
                value = 10 * value + (c - _ZERO)
                places += places >= 0
            elif c != _ZERO:
                return _NO, 0
        elif c == _POINT and places < 0 and p > start:
            places = 0
        else:
            break
        p += 1
    if p == start or places == 0 or p - start > _DIGITS_MAX + _DIGITS_MAX:
        return _NO, 0
    power = _POWERS[_PLACES_MAX - max(places, 0)]
    if value > _NANOS_MAX // power:
        return _NO, 0
    return p, value * power


@inlined
def _steps(text: Any, p: int, end: int, step: int, is_total: bool) -> tuple[int, int]:
    """(the place behind, ticks or lots) of a plain decimal."""
    p, nanos = _nanos(text, p, end)
    if p < 0:
        return _NO, 0
    steps = nanos // step
    if steps * step != nanos:
        if not is_total:
            return _NO, 0
        steps = max(steps, 1)
    return (p if steps <= LIMIT else _NO), steps


@inlined
def _seconds(text: Any, p: int, end: int) -> tuple[int, int]:
    """(the place behind, ns) of seconds with at most nine places."""
    start = p
    p, nanos = _nanos(text, p, end)
    if p < 0 or p - start > 20 or nanos // _NS >= SECONDS_MAX:
        return _NO, 0
    point = start
    while point < p and text[point] != _POINT:
        point += 1
    return (p if point - start <= 10 and p - point <= _PLACES_MAX + 1 else _NO), nanos


@inlined
def _pair(text: Any, p: int) -> Any:
    """Two digits, or a negative number."""
    tens, ones = np.int64(text[p]) - _ZERO, np.int64(text[p + 1]) - _ZERO
    return 10 * tens + ones if 0 <= tens <= 9 and 0 <= ones <= 9 else -(10**6)


@inlined
def _moment(text: Any, p: int, end: int) -> tuple[int, int]:
    """(the place behind, ns UTC) of a time like 2026-08-09T21:05:48.228568804Z."""
    if p + 20 > end or text[p + 4] != _MINUS or text[p + 7] != _MINUS or text[p + 10] != ord("T"):
        return _NO, 0
    if text[p + 13] != _COLON or text[p + 16] != _COLON:
        return _NO, 0
    year, month, day = 100 * _pair(text, p) + _pair(text, p + 2), _pair(text, p + 5), _pair(text, p + 8)
    hour, minute, second = _pair(text, p + 11), _pair(text, p + 14), _pair(text, p + 17)
    is_leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    day_max = 28 + is_leap if month == 2 else 30 + (month + (month > 7)) % 2
    is_date = 1970 <= year < 2262 and 1 <= month <= 12 and 1 <= day <= day_max
    if not is_date or hour < 0 or hour > 23 or minute < 0 or minute > 59 or second < 0 or second > 59:
        return _NO, 0
    p += 19
    fraction, places = 0, 0
    if text[p] == _POINT:
        p += 1
        while p < end and _ZERO <= text[p] <= _NINE and places < _PLACES_MAX:
            fraction = 10 * fraction + (text[p] - _ZERO)
            p, places = p + 1, places + 1
        if places == 0:
            return _NO, 0
    if p >= end or text[p] != ord("Z"):
        return _NO, 0
    if month <= 2:
        year, month = year - 1, month + 12
    days = 365 * year + year // 4 - year // 100 + year // 400 + (153 * (month - 3) + 2) // 5 + day - 719469
    seconds = 86400 * days + 3600 * hour + 60 * minute + second
    return (p + 1 if seconds < SECONDS_MAX else _NO), seconds * _NS + fraction * _POWERS[_PLACES_MAX - places]


@inlined
def _best(pieces: Any, pool: Any, names: int, text: Any, p: int, end: int, symbol: Any, slots: Any) -> int:
    """The place behind members `,"name":"text"` of an object; those known go into the slots of the best prices."""
    while p < end and text[p] == _COMMA:
        if p + 2 > end or text[p + 1] != _QUOTE_MARK:
            return _NO
        start = p + 2
        p = _string(text, start, end)
        if p < 0 or p + 3 > end or text[p + 1] != _COLON or text[p + 2] != _QUOTE_MARK:
            return _NO
        which = -1
        for k in range(4):
            if _is(pieces[names + k], pool, text, start, p):
                which = k
        start = p + 3
        p = _string(text, start, end)
        if p < 0:
            return _NO
        if which >= 0:
            value = 0
            if p > start:
                step = symbol.lot if which % 2 else symbol.tick
                behind, value = _steps(text, start, p + 1, step, which % 2 == 1)
                if behind != p:
                    return _NO
            slots[_BID + which] = value
            slots[_KIND] |= 2 << which
        p += 1
    return p
