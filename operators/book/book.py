"""The order books of a desk: market events in; quotes, level changes and what was wrong out."""

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from pydantic import Field

from operators import operator
from operators.book.apply import apply
from operators.book.ladder import packed_levels, unpacked_levels
from operators.book.orders import live_orders, most_orders, new_orders, rehash
from operators.book.rows import new_scratch
from operators.book.state import DONE, NEEDS_LEVELS, NEEDS_ORDERS, new_state
from operators.book.stream import event_stream
from operators.kernel import State
from operators.operator import Desk, Example, Frames, Operator
from operators.registry import register
from schemas.errors import InvariantError
from schemas.market import EVENTS, FEED_EVENTS, LEVELS, QUOTES
from schemas.record import Schema


class BookParameters(operator.Parameters):
    """Sizes to start from. Everything grows as needed; starting large avoids the pauses."""

    orders: int = Field(default=10_000, ge=1, le=10**8, description="live orders there is room for at first")
    levels: int = Field(default=10_000, ge=1, le=10**8, description="price levels there is room for at first")


@register("book")
class Book(Operator):
    """Keeps every instrument's book, by order (L3) or by level (L2), and quotes its top.

    A quote follows an event that ends a message (flag LAST) when price, size or state of the top differ
    from the quote before. `levels` tells every change of a level's total. `feed_events` tells of books
    reset, crossed, halted and resynchronised, and of events that contradict the book: those change
    nothing else, and the instrument stays UNSYNCED until its feed clears it or declares it whole.

    Raises InvariantError for an event whose instrument the desk does not have.
    """

    inputs: ClassVar[Mapping[str, Schema]] = {"events": EVENTS}
    outputs: ClassVar[Mapping[str, Schema]] = {"quotes": QUOTES, "levels": LEVELS, "feed_events": FEED_EVENTS}
    version = 2
    Parameters = BookParameters

    def __init__(self, parameters: BookParameters, desk: Desk) -> None:
        super().__init__(parameters, desk)
        self._state = new_state(len(desk.instruments), parameters.orders, parameters.levels)
        self._state["books"]["feed"] = [_feed_of(desk, instrument.id) for instrument in desk.instruments]
        self._make_scratch(64)

    def process(self, frames: Frames) -> Frames:
        """Apply the frame's events in order."""
        events: Any = frames.get("events")
        if events is None or len(events) == 0:
            return {}
        self.reserve(len(events))
        why, i, *counts = apply(self._state.ctx, self._out, events, 0)
        while why != DONE:
            self.make_room(why, events[i])
            why, i, *counts = apply(self._state.ctx, self._out, events, i)
        return {port: self._scratch[port][:count] for port, count in zip(self.outputs, counts, strict=True) if count}

    @property
    def contexts(self) -> tuple[int, int]:
        """What the kernel `apply` gets: state and scratch."""
        return self._state.ctx, self._out

    def reserve(self, events: int) -> None:
        """Have scratch for what so many events can lead to."""
        if events > self._room:
            self._make_scratch(events)

    @property
    def tables(self) -> State:
        """All that is known of the books, as the kernels have it."""
        return self._state

    def snapshot(self) -> Any:
        """Copies of the tables, of `orders` and `levels` without the free ones, and for how many there is room."""
        state = self._state
        orders = live_orders(state["orders"], np.ascontiguousarray(state["books"]["generation"]))
        levels = packed_levels(state["levels"], state["ladders"])
        room = np.array([len(state["orders"]), len(state["levels"])])
        return {**state.snapshot(orders=orders, levels=levels), "room": room}

    def restore(self, state: Any) -> None:
        """Take over the tables of a snapshot."""
        tables = dict(state)
        slots, size = (int(room) for room in tables.pop("room"))
        orders = new_orders(slots)
        taken = rehash(tables["orders"], orders, np.ascontiguousarray(tables["books"]["generation"]))
        levels = unpacked_levels(tables["levels"], tables["ladders"], size)
        self._state.restore(tables | {"orders": orders, "taken": np.array([taken]), "levels": levels})

    @classmethod
    def example(cls, seed: int) -> Example:
        """Books by order and by level, with snapshots, halts, gaps and contradictions, growing from tiny tables."""
        desk, events = event_stream(seed, 3000)
        return Example(desk, {"orders": 4, "levels": 4}, {"events": events})

    def _make_scratch(self, events: int) -> None:
        self._room = 1 << (events - 1).bit_length()
        scratch = new_scratch(self._room)
        self._scratch, self._out = scratch, scratch.ctx  # the tables live as long as `_scratch` holds them

    def make_room(self, why: int, event: Any) -> None:
        """Make room for `event`, at which `apply` stopped. Raises InvariantError where the desk does not know it."""
        state = self._state
        if why == NEEDS_LEVELS:
            state.grow("levels", 2 * len(state["levels"]))
        elif why == NEEDS_ORDERS:
            old = state["orders"]
            crowded = int(state["books"]["orders"].sum()) > most_orders(old) // 2
            new = new_orders(2 * len(old) if crowded else len(old))
            state["taken"][0] = rehash(old, new, np.ascontiguousarray(state["books"]["generation"]))
            state.replace("orders", new)
        else:
            raise InvariantError(
                f"desk {self.desk.id!r}, operator 'book', input {event['cause']}: "
                f"an event of instrument {event['instrument']}, but the desk has {len(state['books'])} instruments"
            )


def _feed_of(desk: Desk, instrument: str) -> int:
    feeds = [i for i, feed in enumerate(desk.feeds) if instrument in feed.instruments]
    return feeds[0] if len(feeds) == 1 else -1
