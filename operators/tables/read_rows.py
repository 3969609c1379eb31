"""The kernel that reads rows of text into entries of an input log: a head, a record, and the row itself."""

from typing import Any

import numpy as np

from operators.kernel import inlined, kernel, rows_at, table
from operators.tables import layout
from operators.tables.layout import WORD, Setting
from operators.tables.number import EMPTY, FINE, read_number
from operators.tables.ratios import RATIO
from operators.tables.refusal import Why
from operators.tables.row import ROW, RowKind, Told
from operators.tables.time_format import STEP, read_time
from operators.tables.zone import ZONE, wall_offset
from schemas.market import EventKind, RawKind

ENTRY = np.dtype([("clock", "<i8"), ("raw_kind", "<i4"), ("size", "<i4"), *ROW.descr])
"""What stands before a row's text: the head of `operators.sources.framing.frame_session`, and the record."""

CURSOR = np.dtype(
    [
        ("at", "i8"),  # where in the block the next row starts
        ("clock", "i8"),  # time of the row read last, ns UTC
        ("written", "i8"),  # bytes of entries
        ("start", "i8"),  # of a refused row: where it is in the block
        ("end", "i8"),
        ("told", "i8"),  # of a refused row: its Told
        ("symbol", "i8"),
        ("rest", "i8"),
        ("role", "i8"),  # the column at fault, and where in the block it is
        ("field_start", "i8"),
        ("field_end", "i8"),
        ("fields", "i8"),  # how many columns came
    ]
)

_I8 = np.dtype(np.int64)
_HEAD, _ENTRY = ENTRY.itemsize - ROW.itemsize, ENTRY.itemsize
_MESSAGE = int(RawKind.MESSAGE)
_NO_TEXT, _NO_ROOM = int(Why.NO_TEXT), int(Why.NO_ROOM)
_NEGATIVE, _FIELDS, _TIME_WRONG, _WORD_WRONG = int(Why.NEGATIVE), int(Why.FIELDS), int(Why.TIME), int(Why.WORD)
_NOT_A_NUMBER, _TOO_LARGE = int(Why.NOT_A_NUMBER), int(Why.TOO_LARGE)
_T_BID, _T_ASK, _T_SYMBOL, _T_AT_STAKE = int(Told.BID), int(Told.ASK), int(Told.SYMBOL), int(Told.AT_STAKE)
_PASSED = int(RowKind.PASSED)
_QUOTE, _TRADE = int(EventKind.QUOTE), int(EventKind.TRADE)
_CLEAR, _DELETE = int(EventKind.CLEAR), int(EventKind.DELETE)
_TIME, _SYMBOL, _SIDE, _KIND, _ORDER = layout.TIME, layout.SYMBOL, layout.SIDE, layout.KIND, layout.ORDER
_BID, _BID_QTY, _ASK, _ASK_QTY = layout.BID, layout.BID_QTY, layout.ASK, layout.ASK_QTY
_PRICE, _QTY = layout.PRICE, layout.QTY
_S_KIND, _S_DELIMITER, _S_FIELDS, _S_EXACTLY, _S_BASE, _S_TEXT, _S_WALL, _S_UNCHANGED, _S_QTY = map(int, Setting)
_LATEST = 1 << 62
"""Times end in 2116, so that a delay can be added."""
_NEWLINE, _RETURN, _SPACE, _QUOTED = 10, 13, 32, ord('"')


@kernel
def read_rows(ctx: Any, block: Any, used: int, is_final: bool, cursor: Any, out: Any) -> int:
    """Read the rows in `block[:used]` from where `cursor` (one row of CURSOR) is, and write their entries to `out`.

    Returns why it stopped: NO_TEXT, where the block ends (inside a row, unless the file ends there too), NO_ROOM, or
    why the row at the cursor cannot be read. That row is passed over; `cursor` says what it is.
    """
    here = cursor[0]
    here.written = 0
    while True:
        if here.at >= used:
            return _NO_TEXT
        end, next_at, fields = _split(ctx, block, here.at, used)
        if next_at > used and not is_final:
            return _NO_TEXT
        start = here.at
        if end == start:
            here.at = min(next_at, used)
            continue
        if here.written + _ENTRY + end - start > len(out):
            return _NO_ROOM
        here.start, here.end, here.fields = start, end, fields
        entry = rows_at(out.ctypes.data + here.written, 1, ENTRY)[0]
        why = _read_row(ctx, block, here, entry)
        here.at = min(next_at, used)
        if why != FINE:
            return why
        entry.clock = here.clock
        entry.raw_kind, entry.size = _MESSAGE, _ENTRY - _HEAD + end - start
        text = here.written + _ENTRY
        for i in range(end - start):
            out[text + i] = block[start + i]
        here.written = text + end - start


@inlined
def _split(ctx: Any, block: Any, at: int, used: int) -> tuple[int, int, int]:
    """(end of the row's text, start of the next row, columns); without a line end the next starts beyond `used`."""
    starts, ends = table(ctx, layout.FIELD_STARTS, _I8), table(ctx, layout.FIELD_ENDS, _I8)
    delimiter = table(ctx, layout.SETTINGS, _I8)[_S_DELIMITER]
    n, start, i = 0, at, at
    while True:
        while start < used and block[start] == _SPACE and delimiter != _SPACE:
            start += 1
        i, end, is_quoted = max(i, start), -1, False
        if start < used and block[start] == _QUOTED:
            is_quoted = True
            start += 1
            i = start
            while i < used and block[i] != _NEWLINE and (block[i] != _QUOTED or _is_doubled(block, i, used)):
                i += 2 if block[i] == _QUOTED else 1
            end = i
        while i < used and block[i] != delimiter and block[i] != _NEWLINE:
            i += 1
        is_last = i >= used or block[i] == _NEWLINE
        stop = i
        if is_last and stop > at and block[stop - 1] == _RETURN:
            stop -= 1
        if n < len(starts):
            if not is_quoted:
                end = stop
                while end > start and block[end - 1] == _SPACE:
                    end -= 1
            starts[n], ends[n] = start, max(min(end, stop), start)
        n += 1
        if is_last:
            return stop, i + 1, n
        i += 1
        start = i


@inlined
def _is_doubled(block: Any, i: int, used: int) -> bool:
    return i + 1 < used and block[i + 1] == _QUOTED


@inlined
def _read_row(ctx: Any, block: Any, here: Any, entry: Any) -> int:
    """Fill the record of an entry; what is wrong with the row goes to `here`."""
    settings, column_of = table(ctx, layout.SETTINGS, _I8), table(ctx, layout.COLUMN_OF, _I8)
    starts, ends = table(ctx, layout.FIELD_STARTS, _I8), table(ctx, layout.FIELD_ENDS, _I8)
    kind = settings[_S_KIND]
    here.told = 0 if kind == _TRADE else _T_AT_STAKE
    here.symbol, here.rest, here.role = 0, 0, 0
    exactly = settings[_S_EXACTLY]
    if here.fields < settings[_S_FIELDS] or (exactly and here.fields != exactly):
        return _FIELDS
    entry.told, entry.order, entry.price, entry.qty, entry.ask, entry.ask_qty = 0, 0, 0, 0, 0, 0
    column = column_of[_SYMBOL]
    if column >= 0:
        here.symbol, here.rest = _read_words(block, starts[column], ends[column])
        here.told |= _T_SYMBOL
        entry.told = _T_SYMBOL
    entry.symbol, entry.symbol_rest = here.symbol, here.rest
    why = _read_clock(ctx, block, here, starts[column_of[_TIME]], ends[column_of[_TIME]])
    if why != FINE:
        return _at_fault(here, why, _TIME, starts[column_of[_TIME]], ends[column_of[_TIME]])
    entry.ts_event = here.clock
    if not _is_taken(ctx, block, starts, ends):
        entry.kind = _PASSED
        return FINE
    entry.kind = kind
    if kind == _QUOTE:
        return _read_quote(ctx, block, here, entry)
    return _read_change(ctx, block, here, entry)


@inlined
def _read_clock(ctx: Any, block: Any, here: Any, start: int, end: int) -> int:
    """Put the row's time in `here.clock`, ns UTC."""
    settings = table(ctx, layout.SETTINGS, _I8)
    is_wall, base = settings[_S_WALL] != 0, settings[_S_BASE]
    if settings[_S_TEXT]:
        fits, time, is_utc = read_time(block, start, end, table(ctx, layout.STEPS, STEP), base)
        if not fits:
            return _TIME_WRONG
        is_wall = not is_utc
    else:
        why, time = read_number(block, start, end, table(ctx, layout.TIME_RATIOS, RATIO), True)
        if why != FINE:
            return why
        if time >= _LATEST:
            return _TOO_LARGE
        time += base
    if is_wall:
        time -= wall_offset(table(ctx, layout.ZONES, ZONE), time)
    if time < 0:
        return _NEGATIVE
    if time >= _LATEST:
        return _TOO_LARGE
    here.clock = time
    return FINE


@inlined
def _read_quote(ctx: Any, block: Any, here: Any, entry: Any) -> int:
    column_of, settings = table(ctx, layout.COLUMN_OF, _I8), table(ctx, layout.SETTINGS, _I8)
    told = entry.told
    for side in range(2):
        price_role, qty_role = (_BID, _BID_QTY) if side == 0 else (_ASK, _ASK_QTY)
        if column_of[price_role] < 0:
            continue
        why, price = _read_amount(ctx, block, here, price_role, layout.PRICE_RATIOS)
        if why == EMPTY:
            price = 0
        elif why != FINE:
            return why
        qty = settings[_S_QTY]
        if price == 0:
            qty = 0
        elif column_of[qty_role] >= 0:
            why, qty = _read_amount(ctx, block, here, qty_role, layout.QTY_RATIOS)
            if why != FINE:
                return why
        if price == 0 and settings[_S_UNCHANGED]:
            continue
        if side == 0:
            told |= _T_BID
            entry.price, entry.qty = price, qty
        else:
            told |= _T_ASK
            entry.ask, entry.ask_qty = price, qty
    entry.told = told
    return FINE


@inlined
def _read_change(ctx: Any, block: Any, here: Any, entry: Any) -> int:
    """A trade, a level, or what became of an order."""
    column_of, settings = table(ctx, layout.COLUMN_OF, _I8), table(ctx, layout.SETTINGS, _I8)
    if column_of[_KIND] >= 0:
        why, kind = _read_word(ctx, block, here, _KIND)
        if why != FINE:
            return why
        entry.kind = kind
        if kind == _TRADE:
            here.told &= ~_T_AT_STAKE
        if kind == _CLEAR:
            return FINE
    if column_of[_ORDER] >= 0:
        why, order = _read_reference(ctx, block, here)
        if why != FINE:
            return why
        entry.order = order
        if entry.kind == _DELETE:
            return FINE
    if column_of[_SIDE] >= 0:
        why, side = _read_word(ctx, block, here, _SIDE)
        if why != FINE:
            return why
        entry.told |= side
    why, price = _read_amount(ctx, block, here, _PRICE, layout.PRICE_RATIOS)
    if why != FINE:
        return why
    qty = settings[_S_QTY]
    if column_of[_QTY] >= 0:
        why, qty = _read_amount(ctx, block, here, _QTY, layout.QTY_RATIOS)
        if why != FINE:
            return why
    entry.price, entry.qty = price, qty
    return FINE


@inlined
def _read_amount(ctx: Any, block: Any, here: Any, role: int, ratios: int) -> tuple[int, int]:
    """A price or quantity, not negative, in units of 1e-9."""
    column = table(ctx, layout.COLUMN_OF, _I8)[role]
    start, end = table(ctx, layout.FIELD_STARTS, _I8)[column], table(ctx, layout.FIELD_ENDS, _I8)[column]
    why, value = read_number(block, start, end, table(ctx, ratios, RATIO), False)
    if why == FINE and value < 0:
        why = _NEGATIVE
    return _at_fault(here, why, role, start, end), value


@inlined
def _read_reference(ctx: Any, block: Any, here: Any) -> tuple[int, int]:
    """An order's reference: up to eighteen digits."""
    column = table(ctx, layout.COLUMN_OF, _I8)[_ORDER]
    start, end = table(ctx, layout.FIELD_STARTS, _I8)[column], table(ctx, layout.FIELD_ENDS, _I8)[column]
    value, i = 0, start
    while i < end and i - start < 18 and 48 <= block[i] <= 57:
        value = 10 * value + (block[i] - 48)
        i += 1
    why = FINE if i == end and end > start else _NOT_A_NUMBER
    return _at_fault(here, why, _ORDER, start, end), value


@inlined
def _read_word(ctx: Any, block: Any, here: Any, role: int) -> tuple[int, int]:
    """What the word in the column of `role` means."""
    column = table(ctx, layout.COLUMN_OF, _I8)[role]
    start, end = table(ctx, layout.FIELD_STARTS, _I8)[column], table(ctx, layout.FIELD_ENDS, _I8)[column]
    word, rest = _read_words(block, start, end)
    for known in table(ctx, layout.WORDS, WORD):
        if known.column == column and known.word == word and known.rest == rest:
            return FINE, known.meaning
    return _at_fault(here, _WORD_WRONG, role, start, end), 0


@inlined
def _is_taken(ctx: Any, block: Any, starts: Any, ends: Any) -> bool:
    """Whether every column of `only`, in whose order its texts lie, has one of them."""
    column, is_found = -1, True
    for wanted in table(ctx, layout.ONLY, WORD):
        if wanted.column != column:
            if not is_found:
                return False
            column, is_found = wanted.column, False
        if not is_found:
            word, rest = _read_words(block, starts[column], ends[column])
            is_found = wanted.word == word and wanted.rest == rest
    return is_found


@inlined
def _read_words(block: Any, start: int, end: int) -> Any:
    """See `operators.tables.row.words`."""
    if end - start > 16:
        return -1, -1
    word, rest = np.int64(0), np.int64(0)
    for i in range(end - start):
        if i < 8:
            word |= np.int64(block[start + i]) << (8 * i)
        else:
            rest |= np.int64(block[start + i]) << (8 * (i - 8))
    return word, rest


@inlined
def _at_fault(here: Any, why: int, role: int, start: int, end: int) -> int:
    if why != FINE:
        here.role, here.field_start, here.field_end = role, start, end
    return why
