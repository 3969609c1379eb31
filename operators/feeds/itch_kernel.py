"""ITCH 5.0 bytes to event rows, compiled. One message becomes one event, one reject, or nothing."""

from typing import Any

import numpy as np

from operators.feeds.itch_bytes import be8, be16, be32, be64, printable, unprintable
from operators.feeds.itch_layout import (
    CODE,
    DAY_NS,
    DIRECTORY,
    LAYOUT,
    LOCATE,
    PLAIN,
    PRICE_MAX,
    REMARK,
    SHARES_MAX,
    TIMESTAMP,
)
from operators.feeds.itch_reject import Reason
from operators.framing.notice import KINDS
from operators.kernel import inlined, kernel, table
from schemas.market import EVENTS, LAST, EventKind, RawKind
from schemas.record import Frame

SCALE = np.dtype(
    [
        ("price_mul", "i8"),
        ("price_div", "i8"),
        ("lot_mul", "i8"),
        ("lot_div", "i8"),
        ("price_share", "f8"),  # 1 / price_div
        ("lot_share", "f8"),
    ]
)
"""Of an instrument: ticks = price · price_mul / price_div, lots = shares · lot_mul / lot_div, in lowest terms."""

REJECT = np.dtype([("row", "i8"), ("reason", "i4"), ("instrument", "i4")])
"""A message that Python has to look at: its row in the frame, its Reason, the instrument concerned (-1 none)."""

# What a locate stands for, where it is not an instrument's index.
NEVER_DEFINED, NOT_FOLLOWED = -2, -1

# Tables behind `ctx`: what the session taught (the instrument of each locate, and the locate of each instrument, -1
# none yet), what was configured (feed and midnight, message layouts, followed stocks, scales), the rows produced, the
# codes that are known, what halts each instrument, and the layouts of plain types.
INSTRUMENT_OF, LOCATE_OF, SESSION, LAYOUTS, SYMBOLS, FOLLOWED, SCALES, EVENT_ROWS, REJECT_ROWS, CODES, HALTS, PLAINS = (
    range(12)
)

_I4, _I8, _EVENT = np.dtype(np.int32), np.dtype(np.int64), EVENTS.dtype
_MESSAGE = int(RawKind.MESSAGE)
_DIRECTORY, _STATUS, _TRADE, _SYNC = int(DIRECTORY), int(EventKind.STATUS), int(EventKind.TRADE), int(EventKind.SYNC)
_CLOCK_BITS = (1 << 48) - 1
_BUY, _SELL, _TRADING, _NASDAQ = ord("B"), ord("S"), ord("T"), ord("Q")
_REGULATORY, _OPERATIONAL = 1, 2
"""Bits of what halts an instrument."""
_NOTICES = tuple(int.from_bytes(kind, "big") for kind in KINDS)

_FINE, _SILENT = 0, -1
"""Instead of a Reason: the message becomes an event, or nothing."""
_EMPTY, _TYPE, _LENGTH, _CLOCK, _UNDEFINED, _REDEFINED, _STOCK, _SIDE, _SHARES, _LOT, _PRICE, _TICK = map(
    int, list(Reason)[:12]
)
_CODE, _REMARK, _NOTICE = int(Reason.CODE), int(Reason.REMARK), int(Reason.NOTICE)


@kernel
def decode(ctx: Any, rows: Frame, data: Frame) -> tuple[int, int]:
    """Decode the feed's messages among `rows` of schema RAW, whose bytes are in `data`.

    Fills the event and reject tables, which must have room for `len(rows)` each, and returns how many rows each
    then holds. A rejected message that could have changed the book of a followed instrument also gives a SYNC 0.
    Stops at a row that points outside of `data`: returns -1 and its number.
    """
    instrument_of = table(ctx, INSTRUMENT_OF, _I4)
    session, layouts, plains = table(ctx, SESSION, _I8), table(ctx, LAYOUTS, LAYOUT), table(ctx, PLAINS, PLAIN)
    scales, events = table(ctx, SCALES, SCALE), table(ctx, EVENT_ROWS, _EVENT)
    rejects = table(ctx, REJECT_ROWS, REJECT)
    feed, midnight = session[0], session[1]
    base = data.ctypes.data
    decoded = rejected = 0
    for i in range(len(rows)):
        raw = rows[i]
        if raw.kind != _MESSAGE or raw.feed != feed:
            continue
        message, size = base + raw.start, raw.size
        if raw.start < 0 or size < 0 or raw.start + size > len(data):
            return -1, i
        code = be8(message) if size > 0 else 0
        instrument = instrument_of[be16(message + LOCATE)] if size > 2 else NEVER_DEFINED
        if plains[code].length == size and instrument >= 0:
            event, cause, ts = events[decoded], raw.cause, raw.ts
            clock = _fill_plain(event, message, plains[code], scales[instrument])
            if clock >= 0:
                event.cause, event.ts, event.instrument, event.flags = cause, ts, instrument, LAST
                event.ts_event = midnight + clock
                decoded += 1
                continue
        layout = layouts[code]
        reason = _check_header(message, size, layout)
        if reason == _FINE:
            if layout.kind <= 0:
                reason = _check_skipped(ctx, message, layout, instrument)
            elif layout.kind == _DIRECTORY:
                reason, instrument = _define(ctx, message, instrument)
            elif instrument == NEVER_DEFINED:
                reason = _UNDEFINED
            if reason == _FINE and instrument == NOT_FOLLOWED:
                continue
        event = events[decoded]
        if reason == _FINE:
            reason = _fill(ctx, event, message, layout, instrument, scales[instrument])
        if reason == _SILENT:
            continue
        if reason != _FINE:
            if reason == _NOTICE:
                instrument = NOT_FOLLOWED
            reject = rejects[rejected]
            reject.row, reject.reason, reject.instrument = i, reason, max(instrument, -1)
            rejected += 1
            if instrument < 0 or not _touches_book(layout):
                continue
            _fill_sync(event, 0)
        event.cause, event.ts, event.instrument, event.flags = raw.cause, raw.ts, instrument, LAST
        event.ts_event = midnight + _clock(message) if reason == _FINE or reason > _CLOCK else 0
        decoded += 1
    return decoded, rejected


@inlined
def _fill_plain(event: Any, message: int, plain: Any, scale: Any) -> int:
    """Read a message of a plain type into `event`; returns its clock, or -1 where anything is wrong with it.

    Types come in no order that a processor could foresee, so there is no branch on what the type has: fields that
    it lacks are read at offset 0 and masked. A quotient is taken by multiplication, and verified. All is read before
    anything is written, since for all that the compiler knows they are the same memory.
    """
    clock, text = _clock(message), be64(message + plain.stock) & plain.stock_mask
    order, order_new = be64(message + plain.order), be64(message + plain.order_new) & plain.order_new_mask
    side, side_mask = be8(message + plain.side), plain.side_mask
    shares = be32(message + plain.shares) & plain.shares_mask
    price = be32(message + plain.price) & plain.price_mask
    shares_scaled, price_scaled = shares * scale.lot_mul, price * scale.price_mul
    lots = np.int64(shares_scaled * scale.lot_share + 0.5)
    ticks = np.int64(price_scaled * scale.price_share + 0.5)
    is_side = (side == _BUY) | (side == _SELL) | (side_mask == 0)
    is_number = ((shares > 0) | (plain.shares_mask == 0)) & ((price > 0) | (plain.price_mask == 0))
    is_whole = (lots * scale.lot_div == shares_scaled) & (ticks * scale.price_div == price_scaled)
    is_text = (unprintable(text) & plain.stock_mask) == 0
    if not (is_side & is_number & is_whole & is_text & (price <= PRICE_MAX) & (clock < DAY_NS)):
        return -1
    event.kind = plain.kind
    event.order, event.order_new = order, order_new
    event.side = (side == _SELL) & side_mask
    event.qty, event.price = lots, ticks
    return clock


@kernel
def _check_header(message: int, size: int, layout: Any) -> int:
    if size == 0:
        return _EMPTY
    if layout.length == 0:
        return _NOTICE if size >= 4 and be32(message) in _NOTICES else _TYPE
    if size != layout.length:
        return _LENGTH
    return _FINE if _clock(message) < DAY_NS else _CLOCK


@kernel
def _clock(message: int) -> int:
    """Nanoseconds since midnight: the last six of the eight bytes that end with the timestamp."""
    return be64(message + TIMESTAMP - 2) & _CLOCK_BITS


@kernel
def _touches_book(layout: Any) -> bool:
    """Whether losing such a message can leave a book wrong. Nobody knows that of an unknown type: assume so."""
    return layout.length == 0 or (layout.kind > 0 and layout.kind != _TRADE)


@kernel
def _check_skipped(ctx: Any, message: int, layout: Any, instrument: int) -> int:
    """Of a message that becomes no event: the reason to reject it or to remark on it, or that it is silent."""
    if not _are_known(ctx, message, layout):
        return _CODE
    if layout.stock and not printable(be64(message + layout.stock)):
        return _STOCK
    if layout.kind != REMARK or instrument == NOT_FOLLOWED:
        return _SILENT
    if instrument == NEVER_DEFINED and be16(message + LOCATE) != 0:
        return _UNDEFINED
    return _REMARK


@kernel
def _are_known(ctx: Any, message: int, layout: Any) -> bool:
    """Whether the coded fields have codes that the specification knows."""
    codes = table(ctx, CODES, CODE)
    for i in range(layout.coded, layout.coded + layout.codes):
        code = np.uint64(be8(message + codes[i].offset))
        if code >= 128:
            return False
        bits = codes[i].low if code < 64 else codes[i].high
        if (bits >> (code & np.uint64(63))) & np.uint64(1) == 0:
            return False
    return True


@kernel
def _define(ctx: Any, message: int, known: int) -> tuple[int, int]:
    """Learn what a locate stands for; returns a reason and the instrument concerned.

    A locate keeps its stock and a stock its locate for the whole session, so a repetition concerns nobody
    and a contradiction is rejected.
    """
    instrument_of, locate_of = table(ctx, INSTRUMENT_OF, _I4), table(ctx, LOCATE_OF, _I4)
    symbols, followed = table(ctx, SYMBOLS, _I8), table(ctx, FOLLOWED, _I4)
    locate, stock = be16(message + LOCATE), be64(message + 11)
    if not printable(stock):
        return _STOCK, known
    found = NOT_FOLLOWED
    for i in range(len(symbols)):
        if symbols[i] == stock:
            found = followed[i]
    if known == found:
        return _FINE, NOT_FOLLOWED
    if known != NEVER_DEFINED:
        return _REDEFINED, known if known >= 0 else found
    if found >= 0:
        if locate_of[found] >= 0:
            return _REDEFINED, found
        locate_of[found] = locate
    instrument_of[locate] = found
    return _FINE, found


@kernel
def _fill_sync(event: Any, whole: int) -> None:
    event.kind, event.qty = _SYNC, whole
    event.order = event.order_new = event.price = event.side = 0


@kernel
def _fill(ctx: Any, event: Any, message: int, layout: Any, instrument: int, scale: Any) -> int:
    """Read the body of a message into `event`; returns the reason not to, or 0."""
    if layout.kind == _DIRECTORY:
        _fill_sync(event, 1)
        return _FINE
    event.kind = layout.kind
    event.order = be64(message + layout.order) if layout.order else 0
    event.order_new = be64(message + layout.order_new) if layout.order_new else 0
    event.side = event.qty = event.price = 0
    if layout.side:
        side = be8(message + layout.side)
        if side not in (_BUY, _SELL):
            return _SIDE
        event.side = 1 if side == _SELL else 0
    if layout.codes and not _are_known(ctx, message, layout):
        return _CODE
    if layout.shares:
        shares = be64(message + layout.shares) if layout.wide else be32(message + layout.shares)
        if shares <= 0 or shares > SHARES_MAX:
            return _SILENT if shares == 0 and layout.wide else _SHARES
        event.qty = shares * scale.lot_mul
        if scale.lot_div != 1:
            if event.qty % scale.lot_div:
                return _LOT
            event.qty //= scale.lot_div
    if layout.stock and not printable(be64(message + layout.stock)):
        return _STOCK
    if layout.price:
        price = be32(message + layout.price)
        if price == 0 or price > PRICE_MAX:
            return _PRICE
        event.price = price * scale.price_mul
        if scale.price_div != 1:
            if event.price % scale.price_div:
                return _TICK
            event.price //= scale.price_div
    if layout.kind == _STATUS:
        return _fill_status(ctx, event, message, layout, instrument)
    return _FINE


@kernel
def _fill_status(ctx: Any, event: Any, message: int, layout: Any, instrument: int) -> int:
    """An instrument trades here while neither its listing market nor our venue halts it."""
    if layout.market and be8(message + layout.market) != _NASDAQ:
        return _SILENT
    halts = table(ctx, HALTS, _I4)
    reason = _OPERATIONAL if layout.market else _REGULATORY
    state = be8(message + (layout.action if layout.market else layout.state))
    if state == _TRADING:
        halts[instrument] &= ~reason
    else:
        halts[instrument] |= reason
    event.qty = 1 if halts[instrument] == 0 else 0
    return _FINE
