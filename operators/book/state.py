"""The state of all books of a desk, and the scratch that one call of the kernel writes its rows to."""

from enum import IntEnum
from typing import Any

import numpy as np

from operators.book.ladder import new_ladders, new_levels
from operators.book.orders import new_orders, slots_for
from operators.kernel import State, kernel, table
from schemas.market import FEED_EVENTS, LEVELS, QUOTES


class Sync(IntEnum):
    """How far an instrument's book can be trusted."""

    NEVER = 0  # its feed has not yet said that the book is whole
    WHOLE = 1
    LOST = 2  # its feed said that messages were missed
    CONTRADICTED = 3  # a message did not fit; an empty book would be right again


BOOK = np.dtype(
    [
        ("bid", "i8"),  # the quote emitted last
        ("ask", "i8"),
        ("bid_qty", "i8"),
        ("ask_qty", "i8"),
        ("state", "i4"),  # its BookState bits; -1 before the first quote
        ("sync", "i4"),
        ("halted", "i4"),
        ("orders", "i4"),  # live orders
        ("generation", "i4"),  # raised when the book is cleared
        ("feed", "i4"),  # the one feed that speaks of the instrument, -1 when there are several or none
    ],
    align=True,
)
"""What is known of one instrument besides its orders and levels."""

# Tables behind the state's ctx, in order.
BOOKS, ORDERS, TAKEN, LADDERS, LADDER_LEVELS = range(5)

# Tables behind the scratch's ctx, in order.
COUNTS, QUOTE_ROWS, LEVEL_ROWS, FEED_EVENT_ROWS = range(4)

I8 = np.dtype(np.int64)
_QUOTE, _LEVEL, _FEED_EVENT = QUOTES.dtype, LEVELS.dtype, FEED_EVENTS.dtype


def new_state(instruments: int, orders: int, levels: int) -> State:
    """Books that nothing is known of, with room for `orders` orders and `levels` levels before anything must grow."""
    books = np.zeros(instruments, BOOK)
    books["state"] = -1
    return State(
        books=books,
        orders=new_orders(slots_for(orders)),
        taken=np.zeros(1, np.int64),
        ladders=new_ladders(instruments),
        levels=new_levels(levels),
    )


def new_scratch(events: int) -> State:
    """Room for whatever `events` events can lead to: each at most a quote, two levels and three feed events."""
    return State(
        counts=np.zeros(4, np.int64),
        quotes=np.zeros(events, _QUOTE),
        levels=np.zeros(2 * events, _LEVEL),
        feed_events=np.zeros(3 * events, _FEED_EVENT),
    )


@kernel
def _next(out: Any, rows: int) -> int:
    counts = table(out, COUNTS, I8)
    counts[rows] += 1
    return counts[rows] - 1


@kernel
def write_quote(out: Any, event: Any, book: Any) -> None:
    """The quote that `book` remembers."""
    row = table(out, QUOTE_ROWS, _QUOTE)[_next(out, QUOTE_ROWS)]
    row.cause, row.ts, row.ts_event, row.instrument = event.cause, event.ts, event.ts_event, event.instrument
    row.bid, row.ask, row.bid_qty, row.ask_qty, row.state = book.bid, book.ask, book.bid_qty, book.ask_qty, book.state


@kernel
def write_level(out: Any, event: Any, side: int, price: int, qty: int) -> None:
    """The new total of a level of the event's instrument."""
    row = table(out, LEVEL_ROWS, _LEVEL)[_next(out, LEVEL_ROWS)]
    row.cause, row.ts, row.instrument = event.cause, event.ts, event.instrument
    row.side, row.price, row.qty = side, price, qty


@kernel
def write_feed_event(out: Any, event: Any, book: Any, kind: int, concerned: tuple[int, int]) -> None:
    """Something to admit about the event's instrument; `concerned` is (first, last)."""
    row = table(out, FEED_EVENT_ROWS, _FEED_EVENT)[_next(out, FEED_EVENT_ROWS)]
    row.cause, row.ts, row.instrument = event.cause, event.ts, event.instrument
    row.feed, row.kind = book.feed, kind
    row.first, row.last = concerned
