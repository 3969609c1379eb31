"""The state of all books of a desk: which tables there are, and what they hold."""

import numpy as np

from operators.book.ladder import new_ladders, new_levels
from operators.book.orders import new_orders, slots_for
from operators.kernel import State

BOOK = np.dtype(
    [
        ("bid", "i8"),  # the quote emitted last
        ("ask", "i8"),
        ("bid_qty", "i8"),
        ("ask_qty", "i8"),
        ("state", "i4"),  # its BookState bits; -1 before the first quote
        ("sync", "i4"),  # operators.book.trust.Sync
        ("barred", "i4"),  # BookState bits that its feed has set: HALTED, STALE
        ("orders", "i4"),  # live orders
        ("generation", "i4"),  # raised when the book is cleared
        ("feed", "i4"),  # the one feed that speaks of the instrument, -1 when there are several or none
    ],
    align=True,
)
"""What is known of one instrument besides its orders and levels."""

# Tables behind the state's ctx, in order.
BOOKS, ORDERS, TAKEN, LADDERS, LADDER_LEVELS = range(5)

# Why the kernel stopped.
DONE, NEEDS_ORDERS, NEEDS_LEVELS, NO_INSTRUMENT = range(4)

MOST_LOTS = 1 << 52
"""No order or level is larger (all bitcoin are 2.1e15 satoshi), so that totals cannot overflow."""

I8 = np.dtype(np.int64)


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
