"""The kernel that applies market events to books.

An event that contradicts the book changes nothing in it: it is reported, and the book is marked until
its feed clears it or says that it is whole. A book is told either by order or by level, whichever came
first after it was last empty; the other kind then contradicts it. Hence no total is ever negative, and
the totals of a book told by order are the sums of its orders.
"""

from typing import Any

from operators.book.ladder import LADDER, LEVEL, NEEDS_ROOM, add_to_level, best, clear, reserve, set_level
from operators.book.orders import ORDER, find, most_orders, remove
from operators.book.state import (
    BOOK,
    BOOKS,
    COUNTS,
    FEED_EVENT_ROWS,
    I8,
    LADDER_LEVELS,
    LADDERS,
    LEVEL_ROWS,
    ORDERS,
    QUOTE_ROWS,
    TAKEN,
    Sync,
    write_feed_event,
    write_level,
    write_quote,
)
from operators.kernel import kernel, table
from schemas.market import LAST, BookState, EventKind, FeedEventKind, TradingStatus

# Why the kernel stopped.
DONE, NEEDS_ORDERS, NEEDS_LEVELS, NO_INSTRUMENT = range(4)

_ADD, _EXECUTE, _CANCEL, _DELETE = (
    int(EventKind.ADD),
    int(EventKind.EXECUTE),
    int(EventKind.CANCEL),
    int(EventKind.DELETE),
)
_REPLACE, _LEVEL, _CLEAR = int(EventKind.REPLACE), int(EventKind.LEVEL), int(EventKind.CLEAR)
_TRADE, _QUOTE, _STATUS, _SYNC = (
    int(EventKind.TRADE),
    int(EventKind.QUOTE),
    int(EventKind.STATUS),
    int(EventKind.SYNC),
)
_TRADING = int(TradingStatus.TRADING)
_RESET, _RESYNC = int(FeedEventKind.RESET), int(FeedEventKind.RESYNC)
_HALT, _RESUME = int(FeedEventKind.HALT), int(FeedEventKind.RESUME)
_CROSSING, _UNCROSSING = int(FeedEventKind.CROSSED), int(FeedEventKind.UNCROSSED)
_INCONSISTENT = int(FeedEventKind.INCONSISTENT)
_UNSYNCED, _HALTED = int(BookState.UNSYNCED), int(BookState.HALTED)
_CROSSED, _EMPTY = int(BookState.CROSSED), int(BookState.EMPTY)
_NEVER, _WHOLE, _LOST, _CONTRADICTED = int(Sync.NEVER), int(Sync.WHOLE), int(Sync.LOST), int(Sync.CONTRADICTED)


@kernel
def apply(ctx: Any, out: Any, events: Any, first: int) -> tuple[int, int, int, int, int]:
    """Apply `events[first:]`; rows go to the scratch `out`, behind those there unless `first` is 0.

    Returns (why it stopped, at which event, rows of quotes, levels, feed events). The event it stopped
    at has changed nothing: call again with it as `first` once there is room.
    """
    books = table(ctx, BOOKS, BOOK)
    counts = table(out, COUNTS, I8)
    if first == 0:
        counts[:] = 0
    why, i = DONE, first
    while i < len(events):
        event = events[i]
        if event.instrument < 0 or event.instrument >= len(books):
            why = NO_INSTRUMENT
            break
        book = books[event.instrument]
        why = _apply_one(ctx, out, event, book)
        if why != DONE:
            break
        if event.flags & LAST:
            _quote(ctx, out, event, book)
        i += 1
    return why, i, counts[QUOTE_ROWS], counts[LEVEL_ROWS], counts[FEED_EVENT_ROWS]


@kernel
def _apply_one(ctx: Any, out: Any, event: Any, book: Any) -> int:
    kind = event.kind
    if kind == _ADD:
        return _add(ctx, out, event, book)
    if kind in (_EXECUTE, _CANCEL, _DELETE):
        return _reduce(ctx, out, event, book)
    if kind == _REPLACE:
        return _replace(ctx, out, event, book)
    if kind == _LEVEL:
        return _level(ctx, out, event, book)
    if kind == _CLEAR:
        _clear(ctx, out, event, book)
    elif kind == _SYNC:
        _sync(out, event, book)
    elif kind == _STATUS:
        _status(out, event, book)
    elif kind not in (_TRADE, _QUOTE):
        _contradict(out, event, book)
    return DONE


@kernel
def _add(ctx: Any, out: Any, event: Any, book: Any) -> int:
    orders, ladders, taken = table(ctx, ORDERS, ORDER), table(ctx, LADDERS, LADDER), table(ctx, TAKEN, I8)
    bids, asks = 2 * event.instrument, 2 * event.instrument + 1
    told_by_level = book.orders == 0 and ladders[bids].count + ladders[asks].count > 0
    slot = find(orders, event.instrument, event.order)
    if event.qty <= 0 or event.side & ~1 != 0 or _is_live(orders[slot], book) or told_by_level:
        return _contradict(out, event, book)
    if orders[slot].qty == 0 and taken[0] >= most_orders(orders):
        return NEEDS_ORDERS
    total = add_to_level(table(ctx, LADDER_LEVELS, LEVEL), ladders, bids + event.side, event.price, event.qty)
    if total == NEEDS_ROOM:
        return NEEDS_LEVELS
    _put(ctx, book, slot, event.order, event.side, event)
    write_level(out, event, event.side, event.price, total)
    return DONE


@kernel
def _reduce(ctx: Any, out: Any, event: Any, book: Any) -> int:
    orders = table(ctx, ORDERS, ORDER)
    slot = find(orders, event.instrument, event.order)
    order = orders[slot]
    qty = order.qty if event.kind == _DELETE else event.qty
    if not _is_live(order, book) or qty <= 0 or qty > order.qty:
        return _contradict(out, event, book)
    side, price = order.life & 1, order.price
    ladder = 2 * event.instrument + side
    total = add_to_level(table(ctx, LADDER_LEVELS, LEVEL), table(ctx, LADDERS, LADDER), ladder, price, -qty)
    if qty == order.qty:
        _drop(ctx, book, slot)
    else:
        order.qty -= qty
    write_level(out, event, side, price, total)
    return DONE


@kernel
def _replace(ctx: Any, out: Any, event: Any, book: Any) -> int:
    orders, ladders, levels = table(ctx, ORDERS, ORDER), table(ctx, LADDERS, LADDER), table(ctx, LADDER_LEVELS, LEVEL)
    slot = find(orders, event.instrument, event.order)
    taken = event.order_new != event.order and _is_live(orders[find(orders, event.instrument, event.order_new)], book)
    if not _is_live(orders[slot], book) or taken or event.qty <= 0:
        return _contradict(out, event, book)
    side, price, qty = orders[slot].life & 1, orders[slot].price, orders[slot].qty
    ladder = 2 * event.instrument + side
    if not reserve(levels, ladders, ladder):
        return NEEDS_LEVELS
    _drop(ctx, book, slot)
    _put(ctx, book, find(orders, event.instrument, event.order_new), event.order_new, side, event)
    if price != event.price:
        write_level(out, event, side, price, add_to_level(levels, ladders, ladder, price, -qty))
        qty = 0
    if event.qty != qty:
        total = add_to_level(levels, ladders, ladder, event.price, event.qty - qty)
        write_level(out, event, side, event.price, total)
    return DONE


@kernel
def _level(ctx: Any, out: Any, event: Any, book: Any) -> int:
    if event.qty < 0 or event.side & ~1 != 0 or book.orders > 0:
        return _contradict(out, event, book)
    ladder = 2 * event.instrument + event.side
    before = set_level(table(ctx, LADDER_LEVELS, LEVEL), table(ctx, LADDERS, LADDER), ladder, event.price, event.qty)
    if before == NEEDS_ROOM:
        return NEEDS_LEVELS
    if before != event.qty:
        write_level(out, event, event.side, event.price, event.qty)
    return DONE


@kernel
def _clear(ctx: Any, out: Any, event: Any, book: Any) -> None:
    ladders = table(ctx, LADDERS, LADDER)
    clear(ladders, 2 * event.instrument)
    clear(ladders, 2 * event.instrument + 1)
    book.orders = 0
    book.generation += 1
    write_level(out, event, 0, 0, -1)
    write_feed_event(out, event, book, _RESET, (0, 0))
    if book.sync == _CONTRADICTED:
        book.sync = _WHOLE
        write_feed_event(out, event, book, _RESYNC, (0, 0))


@kernel
def _sync(out: Any, event: Any, book: Any) -> None:
    if event.qty == 1:
        if book.sync in (_LOST, _CONTRADICTED):
            write_feed_event(out, event, book, _RESYNC, (0, 0))
        book.sync = _WHOLE
    elif book.sync != _NEVER:
        book.sync = _LOST


@kernel
def _status(out: Any, event: Any, book: Any) -> None:
    halted = 0 if event.qty == _TRADING else 1
    if halted != book.halted:
        book.halted = halted
        write_feed_event(out, event, book, _HALT if halted else _RESUME, (0, 0))


@kernel
def _contradict(out: Any, event: Any, book: Any) -> int:
    offending = event.order_new if event.kind == _REPLACE else event.qty
    write_feed_event(out, event, book, _INCONSISTENT, (event.order, offending))
    if book.sync == _WHOLE:
        book.sync = _CONTRADICTED
    return DONE


@kernel
def _quote(ctx: Any, out: Any, event: Any, book: Any) -> None:
    ladders, levels = table(ctx, LADDERS, LADDER), table(ctx, LADDER_LEVELS, LEVEL)
    bid, bid_qty = best(levels, ladders, 2 * event.instrument)
    ask, ask_qty = best(levels, ladders, 2 * event.instrument + 1)
    state = (0 if book.sync == _WHOLE else _UNSYNCED) | (_HALTED if book.halted else 0)
    if bid_qty == 0 or ask_qty == 0:
        state |= _EMPTY
    elif bid >= ask:
        state |= _CROSSED
    was_crossed = book.state & _CROSSED if book.state >= 0 else 0
    if state & _CROSSED != was_crossed:
        write_feed_event(out, event, book, _UNCROSSING if was_crossed else _CROSSING, (0, 0))
    same_prices = bid == book.bid and ask == book.ask
    same_sizes = bid_qty == book.bid_qty and ask_qty == book.ask_qty
    if same_prices and same_sizes and state == book.state:
        return
    book.bid, book.ask, book.bid_qty, book.ask_qty, book.state = bid, ask, bid_qty, ask_qty, state
    write_quote(out, event, book)


@kernel
def _is_live(order: Any, book: Any) -> bool:
    return order.qty != 0 and order.life >> 1 == book.generation


@kernel
def _put(ctx: Any, book: Any, slot: int, ref: int, side: int, event: Any) -> None:
    """Fill a slot that is free, or that a dead order holds."""
    order = table(ctx, ORDERS, ORDER)[slot]
    if order.qty == 0:
        table(ctx, TAKEN, I8)[0] += 1
    order.ref, order.price, order.qty = ref, event.price, event.qty
    order.instrument = event.instrument
    order.life = 2 * book.generation + side
    book.orders += 1


@kernel
def _drop(ctx: Any, book: Any, slot: int) -> None:
    remove(table(ctx, ORDERS, ORDER), slot)
    table(ctx, TAKEN, I8)[0] -= 1
    book.orders -= 1
