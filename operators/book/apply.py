"""The kernel that applies market events to books.

An event that contradicts the book changes nothing in it: it is reported, and the book is marked until
its feed clears it or says that it is whole. A book is told either by order or by level, whichever came
first after it was last empty; the other kind then contradicts it. Hence no total is ever negative, and
the totals of a book told by order are the sums of its orders.
"""

from typing import Any

from operators.book.by_order import add, reduce, replace
from operators.book.ladder import LADDER, LEVEL, NEEDS_ROOM, best, clear, set_level
from operators.book.rows import (
    COUNTS,
    FEED_EVENT_ROWS,
    LEVEL_ROWS,
    QUOTE_ROWS,
    write_feed_event,
    write_level,
    write_quote,
)
from operators.book.state import BOOK, BOOKS, DONE, I8, LADDER_LEVELS, LADDERS, MOST_LOTS, NEEDS_LEVELS, NO_INSTRUMENT
from operators.book.trust import WHOLE, contradict, reset, silence, status, sync
from operators.kernel import inlined, kernel, table
from schemas.market import LAST, BookState, EventKind, FeedEventKind

_ADD, _EXECUTE, _CANCEL = int(EventKind.ADD), int(EventKind.EXECUTE), int(EventKind.CANCEL)
_DELETE, _REPLACE, _LEVEL = int(EventKind.DELETE), int(EventKind.REPLACE), int(EventKind.LEVEL)
_CLEAR, _TRADE, _QUOTE = int(EventKind.CLEAR), int(EventKind.TRADE), int(EventKind.QUOTE)
_STATUS, _SYNC, _SILENCE = int(EventKind.STATUS), int(EventKind.SYNC), int(EventKind.SILENCE)
_VALUE = int(EventKind.VALUE)
_CROSSING, _UNCROSSING = int(FeedEventKind.CROSSED), int(FeedEventKind.UNCROSSED)
_UNSYNCED, _CROSSED, _EMPTY = int(BookState.UNSYNCED), int(BookState.CROSSED), int(BookState.EMPTY)


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


@inlined
def _apply_one(ctx: Any, out: Any, event: Any, book: Any) -> int:
    kind = event.kind
    if kind == _ADD:
        return add(ctx, out, event, book)
    if kind in (_EXECUTE, _CANCEL, _DELETE):
        return reduce(ctx, out, event, book)
    if kind == _REPLACE:
        return replace(ctx, out, event, book)
    if kind == _LEVEL:
        return _level(ctx, out, event, book)
    if kind == _CLEAR:
        _clear(ctx, out, event, book)
    elif kind == _SYNC:
        sync(out, event, book)
    elif kind == _STATUS:
        status(out, event, book)
    elif kind == _SILENCE:
        silence(event, book)
    elif kind not in (_TRADE, _QUOTE, _VALUE):
        contradict(out, event, book)
    return DONE


@inlined
def _level(ctx: Any, out: Any, event: Any, book: Any) -> int:
    possible = 0 <= event.qty <= MOST_LOTS and event.side & ~1 == 0
    if not possible or book.orders > 0:
        return contradict(out, event, book)
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
    reset(out, event, book)


@inlined
def _quote(ctx: Any, out: Any, event: Any, book: Any) -> None:
    ladders, levels = table(ctx, LADDERS, LADDER), table(ctx, LADDER_LEVELS, LEVEL)
    bid, bid_qty = best(levels, ladders, 2 * event.instrument)
    ask, ask_qty = best(levels, ladders, 2 * event.instrument + 1)
    state = (0 if book.sync == WHOLE else _UNSYNCED) | book.barred
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
