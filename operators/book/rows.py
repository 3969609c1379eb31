"""What one call of the books' kernel writes: a scratch table per output port, and how many rows are in each."""

from typing import Any

import numpy as np

from operators.kernel import State, inlined, kernel, table
from schemas.market import FEED_EVENTS, LEVELS, QUOTES

# Tables behind the scratch's ctx, in order.
COUNTS, QUOTE_ROWS, LEVEL_ROWS, FEED_EVENT_ROWS = range(4)

_I8 = np.dtype(np.int64)
_QUOTE, _LEVEL, _FEED_EVENT = QUOTES.dtype, LEVELS.dtype, FEED_EVENTS.dtype


def new_scratch(events: int) -> State:
    """Room for whatever `events` events can lead to: each at most a quote, two levels and three feed events."""
    return State(
        counts=np.zeros(4, np.int64),
        quotes=np.zeros(events, _QUOTE),
        levels=np.zeros(2 * events, _LEVEL),
        feed_events=np.zeros(3 * events, _FEED_EVENT),
    )


@inlined
def _next(out: Any, rows: int) -> int:
    counts = table(out, COUNTS, _I8)
    counts[rows] += 1
    return counts[rows] - 1


@inlined
def write_quote(out: Any, event: Any, book: Any) -> None:
    """The quote that `book` remembers."""
    row = table(out, QUOTE_ROWS, _QUOTE)[_next(out, QUOTE_ROWS)]
    row.cause, row.ts, row.ts_event, row.instrument = event.cause, event.ts, event.ts_event, event.instrument
    row.bid, row.ask, row.bid_qty, row.ask_qty, row.state = book.bid, book.ask, book.bid_qty, book.ask_qty, book.state


@inlined
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
