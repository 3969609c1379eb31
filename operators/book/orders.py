"""Live orders by (instrument, reference): an open-addressing hash table for use inside kernels.

Linear probing with backward-shift deletion: no tombstones, so that a table in use for days is as fast
as a fresh one. The instrument is part of the key because venues number their orders independently.

A venue clears a whole book at once. Looking for its orders would stall everything else, so each order
carries the generation its book had when it came, and a book that is cleared starts the next generation:
its old orders are dead where they lie, and `rehash` leaves them behind.
"""

from typing import Any

import numpy as np

from operators.kernel import inlined, kernel
from schemas.record import Frame

ORDER = np.dtype([("ref", "i8"), ("price", "i8"), ("qty", "i8"), ("instrument", "i4"), ("life", "i4")], align=True)
"""One slot: the venue's reference, ticks, open lots (0: the slot is free), and `life` = 2 * generation + side."""

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_SPREAD = np.uint64(0xD6E8FEB86659FD93)
_HALF = np.uint64(32)


def slots_for(orders: int) -> int:
    """The table size (a power of two) that holds `orders` orders at a load of at most 0.6."""
    return max(2, 1 << (orders * 5 // 3).bit_length())


def new_orders(slots: int) -> Frame:
    """An empty table; `slots` is a power of two."""
    return np.zeros(slots, ORDER)


@inlined
def most_orders(orders: Any) -> int:
    """How many slots of the table may be taken."""
    return len(orders) * 3 // 5


@inlined
def find(orders: Any, instrument: int, ref: int) -> int:
    """The slot of an order, or the free slot (`qty` 0) where it belongs."""
    mask = len(orders) - 1
    slot = _home(instrument, ref, mask)
    while orders[slot].qty != 0 and (orders[slot].ref != ref or orders[slot].instrument != instrument):
        slot = (slot + 1) & mask
    return slot


@inlined
def remove(orders: Any, slot: int) -> None:
    """Free a slot and close the gap, so that every order can still be reached from its home."""
    mask = len(orders) - 1
    gap = slot
    probe = (slot + 1) & mask
    while orders[probe].qty != 0:
        home = _home(orders[probe].instrument, orders[probe].ref, mask)
        if (probe - home) & mask >= (probe - gap) & mask:
            orders[gap] = orders[probe]
            gap = probe
        probe = (probe + 1) & mask
    orders[gap].qty = 0


@kernel
def rehash(old: Any, new: Any, generations: Any) -> int:
    """Copy the orders whose book is still in the same generation into the empty table `new`; returns how many."""
    copied = 0
    for k in range(len(old)):
        if old[k].qty != 0 and old[k].life >> 1 == generations[old[k].instrument]:
            new[find(new, old[k].instrument, old[k].ref)] = old[k]
            copied += 1
    return copied


def live_orders(orders: Frame, generations: Frame) -> Frame:
    """The orders alone, without free slots and those whose book was cleared; `rehash` takes them as it does a table."""
    live = np.empty(np.count_nonzero(orders["qty"]), ORDER)
    return live[: _collect(orders, live, generations)]


@kernel
def _collect(orders: Any, live: Any, generations: Any) -> int:
    found = 0
    for k in range(len(orders)):
        if orders[k].qty != 0 and orders[k].life >> 1 == generations[orders[k].instrument]:
            live[found] = orders[k]
            found += 1
    return found


@inlined
def _home(instrument: int, ref: int, mask: int) -> int:
    mixed = (np.uint64(ref) + np.uint64(instrument) * _SPREAD) * _GOLDEN
    return int(np.int64(mixed ^ (mixed >> _HALF))) & mask
