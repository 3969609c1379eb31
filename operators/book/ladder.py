"""Price ladders: the totals of every price level of many books, for use inside any kernel.

Ladder number `2 * instrument + side` holds one side of one instrument. All ladders share one pool of
`LEVEL` rows; a `LADDER` row says which block of the pool is a ladder's. Levels lie sorted with the best
price last, so that what happens near the top moves few rows and the search, which starts there, is short.

A ladder that is full moves to a block of twice the size at the end of the pool, inside the kernel. Only
when the pool itself is full does a function return `NEEDS_ROOM`, having changed nothing: the kernel
returns to Python, which lengthens the pool (`state.grow("levels", 2 * len(state["levels"]))`) and calls
again for the same row. Blocks left behind are never more than the blocks in use, and a pool costs a few
dozen bytes per level, however unevenly deep the books are.
"""

from typing import Any

import numpy as np

from operators.kernel import inlined, kernel
from schemas.record import Frame

LEVEL = np.dtype([("price", "i8"), ("qty", "i8")], align=True)
"""One price level: ticks, and the lots there (always above 0)."""

LADDER = np.dtype([("start", "i8"), ("count", "i4"), ("room", "i4")], align=True)
"""One ladder: first row of its block in the pool, levels in use, levels the block has room for."""

NEEDS_ROOM = -1
"""The pool of levels is full; nothing was changed."""

_FIRST_ROOM = 8


def new_ladders(instruments: int) -> Frame:
    """Empty ladders of `instruments` books. The row behind the last ladder marks where the pool's free part starts."""
    return np.zeros(2 * instruments + 1, LADDER)


def new_levels(size: int) -> Frame:
    """A pool with room for `size` levels."""
    return np.zeros(size, LEVEL)


@inlined
def set_level(levels: Any, ladders: Any, ladder: int, price: int, qty: int) -> int:
    """Make `qty` lots the total at `price`; 0 removes the level.

    Returns the total before (0: there was no such level), or NEEDS_ROOM.
    """
    end = _end_of(levels, ladders, ladder, price)
    if _is_at(levels, ladders, ladder, end, price):
        before = levels[end - 1].qty
        if qty > 0:
            levels[end - 1].qty = qty
        else:
            _remove(levels, ladders, ladder, end - 1)
        return before
    if qty <= 0:
        return 0
    return 0 if _insert(levels, ladders, ladder, end, (price, qty)) else NEEDS_ROOM


@inlined
def set_only_level(levels: Any, ladders: Any, ladder: int, price: int, qty: int) -> None:
    """Make `qty` lots at `price` the ladder's one level; 0 leaves it empty. The ladder has room for a level."""
    here = ladders[ladder]
    here.count = 1 if qty > 0 else 0
    levels[here.start].price = price
    levels[here.start].qty = qty


@inlined
def add_to_level(levels: Any, ladders: Any, ladder: int, price: int, change: int) -> int:
    """Add `change` lots, possibly negative, to the total at `price`; a total of 0 or less removes the level.

    Returns the total after, never below 0, or NEEDS_ROOM.
    """
    end = _end_of(levels, ladders, ladder, price)
    if _is_at(levels, ladders, ladder, end, price):
        after = levels[end - 1].qty + change
        if after > 0:
            levels[end - 1].qty = after
            return after
        _remove(levels, ladders, ladder, end - 1)
        return 0
    if change <= 0:
        return 0
    return change if _insert(levels, ladders, ladder, end, (price, change)) else NEEDS_ROOM


@inlined
def best(levels: Any, ladders: Any, ladder: int) -> tuple[int, int]:
    """Price and total of the best level, (0, 0) when the ladder is empty."""
    if ladders[ladder].count == 0:
        return 0, 0
    top = levels[row_of(ladders, ladder, 0)]
    return top.price, top.qty


@inlined
def row_of(ladders: Any, ladder: int, depth: int) -> int:
    """The pool row of the level `depth` steps behind the best one; `depth` must be below the ladder's `count`.

    To walk from the best: `for depth in range(ladders[ladder].count): level = levels[row_of(ladders, ladder, depth)]`.
    """
    return ladders[ladder].start + ladders[ladder].count - 1 - depth


@inlined
def better(levels: Any, ladders: Any, ladder: int, price: int) -> int:
    """How many levels are better than `price`."""
    end = _end_of(levels, ladders, ladder, price)
    return ladders[ladder].start + ladders[ladder].count - end


@inlined
def clear(ladders: Any, ladder: int) -> None:
    """Remove all levels of a ladder."""
    ladders[ladder].count = 0


def packed_levels(levels: Frame, ladders: Frame) -> Frame:
    """The levels in use, ladder by ladder: with `ladders`, all that there is to know of a pool."""
    packed = new_levels(int(ladders["count"].sum()))
    _move(levels, ladders, packed, True)
    return packed


def unpacked_levels(packed: Frame, ladders: Frame, size: int) -> Frame:
    """The pool with room for `size` levels that `packed` was made of, every level in its row."""
    levels = new_levels(size)
    _move(levels, ladders, np.ascontiguousarray(packed), False)
    return levels


@kernel
def _move(levels: Any, ladders: Any, packed: Any, is_packing: bool) -> None:
    """From the pool to what is packed, or back."""
    n = 0
    for ladder in range(len(ladders)):
        start = ladders[ladder].start
        for row in range(start, start + ladders[ladder].count):
            if is_packing:
                packed[n] = levels[row]
            else:
                levels[row] = packed[n]
            n += 1


@kernel
def reserve(levels: Any, ladders: Any, ladder: int) -> bool:
    """Make sure that the ladder can take one more level; False means NEEDS_ROOM."""
    here = ladders[ladder]
    if here.count < here.room:
        return True
    free = ladders[len(ladders) - 1]
    room = max(2 * here.room, _FIRST_ROOM)
    is_last = here.room > 0 and here.start + here.room == free.start
    start = here.start if is_last else free.start  # the last block of the pool grows where it is
    if start + room > len(levels):
        return False
    if start != here.start:
        for k in range(here.count):
            levels[start + k] = levels[here.start + k]
    here.start = start
    here.room = room
    free.start = start + room
    return True


@inlined
def _end_of(levels: Any, ladders: Any, ladder: int, price: int) -> int:
    """The row behind `price` and everything worse: where `price` is inserted if it is not in the row before."""
    start = ladders[ladder].start
    row = start + ladders[ladder].count
    if ladder & 1 == 0:
        while row > start and levels[row - 1].price > price:
            row -= 1
    else:
        while row > start and levels[row - 1].price < price:
            row -= 1
    return row


@inlined
def _is_at(levels: Any, ladders: Any, ladder: int, end: int, price: int) -> bool:
    return end > ladders[ladder].start and levels[end - 1].price == price


@inlined
def _insert(levels: Any, ladders: Any, ladder: int, end: int, level: tuple[int, int]) -> bool:
    here = ladders[ladder]
    place = end - here.start
    if here.count == here.room and not reserve(levels, ladders, ladder):
        return False
    row = here.start + here.count
    while row > here.start + place:
        levels[row] = levels[row - 1]
        row -= 1
    levels[row].price, levels[row].qty = level
    here.count += 1
    return True


@inlined
def _remove(levels: Any, ladders: Any, ladder: int, row: int) -> None:
    here = ladders[ladder]
    for k in range(row, here.start + here.count - 1):
        levels[k] = levels[k + 1]
    here.count -= 1
