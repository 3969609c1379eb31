"""The closed loop's kernel: decision, risk, venue and portfolio around one event-time queue, event by event.

For every entry of the input log, in order: what is pending and due by its time happens; then its market
data moves the books, the marks and the instruments' states, and resting orders are matched; then its
signals are acted on. At the end of the input whatever is still pending falls due and the account is
written once more. A row carries as `cause` the entry whose time released it, so it depends on nothing later.
"""

from enum import IntEnum
from typing import Any

from operators.book.ladder import (
    LADDER,
    LEVEL,
    NEEDS_ROOM,
    clear,
    set_level,
    set_only_level,
)
from operators.execution.pending import drop_first
from operators.execution.rows import has_room, write_equity, write_fill, write_order_event
from operators.execution.state import DESK, I8, INSTRUMENT, ORDER, PENDING, Due, Table
from operators.execution.trader import on_done, on_fill, on_retry, on_signal
from operators.execution.venue import arrive, cancel_arrives, fee, match_resting
from operators.kernel import bare, inlined, kernel, table
from operators.portfolio.portfolio import book_fill, mark, on_clock, write_account
from operators.risk.limits import settle
from schemas.market import LEVELS, QUOTES, RAW, RawKind
from schemas.signal import SIGNALS
from schemas.trade import OrderEventKind


class Stopped(IntEnum):
    """Why the kernel came back."""

    DONE = 0
    ROWS = 1  # a stream's scratch is full: drain it
    PENDING = 2  # the heap is full: grow it
    ORDERS = 3  # no free order slots: grow them
    LEVELS = 4  # the pool of levels is full: grow it


_DONE, _ROWS, _PENDING_FULL, _ORDERS_FULL, _LEVELS_FULL = (int(s) for s in Stopped)
_DESK, _INSTRUMENTS, _PENDING, _ORDERS = int(Table.DESK), int(Table.INSTRUMENTS), int(Table.PENDING), int(Table.ORDERS)
_LEVELS, _LADDERS = int(Table.LEVELS), int(Table.LADDERS)
_ARRIVAL, _CANCEL_ARRIVAL, _ACCEPTED = int(Due.ARRIVAL), int(Due.CANCEL_ARRIVAL), int(Due.ACCEPTED)
_FILLED, _CANCELLED, _REJECTED, _RETRY = int(Due.FILLED), int(Due.CANCELLED), int(Due.REJECTED), int(Due.RETRY)
_EVENT_ACCEPTED, _EVENT_PARTIAL = int(OrderEventKind.ACCEPTED), int(OrderEventKind.PARTIALLY_FILLED)
_EVENT_FILLED, _EVENT_CANCELLED = int(OrderEventKind.FILLED), int(OrderEventKind.CANCELLED)
_EVENT_REJECTED = int(OrderEventKind.REJECTED)
_END = int(RawKind.END)
_FOREVER = 2**63 - 1
_RAW, _QUOTE, _LEVEL, _SIGNAL = RAW.dtype, QUOTES.dtype, LEVELS.dtype, SIGNALS.dtype


@kernel
def _room(ctx: Any, out: Any) -> int:
    """DONE when one more step certainly fits everywhere, or what has to be made room for."""
    desk = table(ctx, _DESK, DESK)[0]
    if not has_room(out):
        return _ROWS
    if desk.free_orders < 2:
        return _ORDERS_FULL
    slots = len(table(ctx, _ORDERS, ORDER))
    most_fills = 2 * desk.deepest + slots  # each uses up a level of one of the two sides, or an order
    if len(table(ctx, _PENDING, PENDING)) - desk.pending < most_fills + 8:
        return _PENDING_FULL
    return _DONE


@kernel
def _report(ctx: Any, out: Any, item: Any, cause: int) -> None:
    """The desk learns what became of an order."""
    slot, ts, qty = item.slot, item.ts, item.qty
    o = table(ctx, _ORDERS, ORDER)[slot]
    if item.due == _ACCEPTED:
        write_order_event(out, cause, ts, o.id, o.instrument, _EVENT_ACCEPTED, qty, o.open)
        return
    settle(ctx, slot, qty, item.due == _FILLED)
    if item.due == _FILLED:
        on_fill(ctx, slot, qty)
        kind = _EVENT_FILLED if o.open == 0 else _EVENT_PARTIAL
        write_order_event(out, cause, ts, o.id, o.instrument, kind, qty, o.open)
        paid = fee(ctx, o.instrument, item.price, qty, item.liquidity)
        write_fill(ctx, out, slot, cause, ts, item.ts_venue, item.price, qty, paid, item.liquidity)
        book_fill(ctx, o.instrument, o.side, item.price, qty, paid)
        write_account(ctx, out, o.instrument, cause, ts)
    else:
        o.open -= qty
        kind = _EVENT_REJECTED if item.due == _REJECTED else _EVENT_CANCELLED
        write_order_event(out, cause, ts, o.id, o.instrument, kind, qty, o.open)
    if o.open == 0:
        on_done(ctx, out, slot, cause, ts)


@kernel
def _release(ctx: Any, out: Any, item: Any, cause: int, may_retry: bool) -> None:
    """A pending item falls due."""
    if item.due == _ARRIVAL:
        arrive(ctx, item.slot, item.ts)
    elif item.due == _CANCEL_ARRIVAL:
        cancel_arrives(ctx, item.slot, item.order, item.ts)
    elif item.due == _RETRY:
        if may_retry:
            on_retry(ctx, out, item.slot, cause, item.ts)
    else:
        _report(ctx, out, item, cause)


@kernel
def _release_due(ctx: Any, out: Any, item: Any, cause: int, until: int) -> int:
    """Everything pending that is due by `until`. `item` is one row to work in.

    With `_FOREVER` nothing stays pending, and nothing is tried again: the book will not change any more.
    """
    desk = table(ctx, _DESK, DESK)[0]
    heap = table(ctx, _PENDING, PENDING)
    while desk.pending > 0 and heap[0].ts <= until:
        room = _room(ctx, out)
        if room != _DONE:
            return room
        item[0] = heap[0]
        drop_first(ctx)
        _release(ctx, out, item[0], cause, until != _FOREVER)
    return _DONE


@inlined
def _apply_levels(ctx: Any, rows: Any, at: Any, cause: int) -> int:
    """The venue's replica follows the levels that `cause` changed."""
    desk = table(ctx, _DESK, DESK)[0]
    levels, ladders = table(ctx, _LEVELS, LEVEL), table(ctx, _LADDERS, LADDER)
    i = at[2]
    while i < len(rows) and rows[i].cause == cause:
        ladder = 2 * rows[i].instrument + rows[i].side
        if rows[i].qty < 0:
            clear(ladders, ladder)
            clear(ladders, ladder ^ 1)
        elif set_level(levels, ladders, ladder, rows[i].price, rows[i].qty) == NEEDS_ROOM:
            at[2] = i
            return _LEVELS_FULL
        desk.deepest = max(desk.deepest, ladders[ladder].count)
        i += 1
    at[2] = i
    return _DONE


@inlined
def _apply_quote(ctx: Any, instruments: Any, quote: Any) -> None:
    """Price and state of an instrument; a quote that must not be traded on is nothing to value it at either."""
    held = instruments[quote.instrument]
    held.bid, held.ask, held.state = quote.bid, quote.ask, quote.state
    if quote.state == 0:
        if held.committed != 0 or held.qty != 0:
            mark(ctx, quote.instrument, quote.bid + quote.ask)
        held.mid2 = quote.bid + quote.ask


@inlined
def _replace_book(ctx: Any, quote: Any) -> None:
    """The quote is all that the venue's replica knows of the instrument."""
    levels, ladders = table(ctx, _LEVELS, LEVEL), table(ctx, _LADDERS, LADDER)
    set_only_level(levels, ladders, 2 * quote.instrument, quote.bid, quote.bid_qty)
    set_only_level(levels, ladders, 2 * quote.instrument + 1, quote.ask, quote.ask_qty)


@kernel
def _match(ctx: Any, out: Any, rows: Any, end: int, cause: int, ts: int) -> int:
    """Resting orders meet the instruments of the rows of `cause` before row `end`; stopped, it may start over."""
    first = end
    while first > 0 and rows[first - 1].cause == cause:
        first -= 1
    for i in range(first, end):
        full = _room(ctx, out)
        if full != _DONE:
            return full
        match_resting(ctx, rows[i].instrument, ts)
    return _DONE


@kernel
def run_loop(ctx: Any, out: Any, work: Any, clock: Any, quotes: Any, levels: Any, signals: Any) -> int:
    """Go on from the cursor in `work` until done, which is 0, or something is full.

    The cursor is (clock row, quote, level, signal, step), all 0 at a frame's beginning. Rows are written
    behind those in `out`, which the caller empties.

    Most entries release nothing and lead to nothing: what they cost is a few comparisons here.
    """
    at, item = table(work, 0, I8), table(work, 1, PENDING)
    clock, quotes, levels, signals = (
        bare(clock, _RAW),
        bare(quotes, _QUOTE),
        bare(levels, _LEVEL),
        bare(signals, _SIGNAL),
    )
    desk, heap = table(ctx, _DESK, DESK)[0], table(ctx, _PENDING, PENDING)
    instruments = table(ctx, _INSTRUMENTS, INSTRUMENT)
    q, s = at[1], at[3]
    for k in range(at[0], len(clock)):
        at[0] = k
        cause, ts = clock[k].cause, clock[k].ts
        if at[4] == 0:
            if desk.pending > 0 and heap[0].ts <= ts:
                full = _release_due(ctx, out, item, cause, ts)
                if full != _DONE:
                    return full
            if ts >= desk.clock_due:
                full = _room(ctx, out)
                if full != _DONE:
                    return full
                on_clock(ctx, out, cause, ts)
            at[4] = 1
        if at[4] == 1:
            if at[2] < len(levels) and levels[at[2]].cause == cause:
                full = _apply_levels(ctx, levels, at, cause)
                if full != _DONE:
                    return full
            while q < len(quotes) and quotes[q].cause == cause:
                _apply_quote(ctx, instruments, quotes[q])
                if desk.by_quotes:
                    _replace_book(ctx, quotes[q])
                q += 1
            at[1], at[4] = q, 2
        if at[4] == 2:
            if desk.resting > 0:
                full = _match(ctx, out, levels, at[2], cause, ts)
                if full == _DONE:
                    full = _match(ctx, out, quotes, q, cause, ts)
                if full != _DONE:
                    return full
            at[4] = 3
        while s < len(signals) and signals[s].cause == cause:
            full = _room(ctx, out)
            if full != _DONE:
                return full
            on_signal(ctx, out, signals[s])
            s += 1
            at[3] = s
        if clock[k].kind == _END:
            full = _release_due(ctx, out, item, cause, _FOREVER)
            if full == _DONE:
                full = _room(ctx, out)
            if full != _DONE:
                return full
            write_equity(ctx, out, cause, max(ts, item[0].ts))
        at[4] = 0
    return _DONE
