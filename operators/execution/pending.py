"""The event-time queue of what is pending: a binary heap ordered by (time, order of insertion)."""

from typing import Any

from operators.execution.state import DESK, PENDING, Due, Table
from operators.kernel import kernel, table

_DESK, _PENDING = int(Table.DESK), int(Table.PENDING)
_RETRY = int(Due.RETRY)


@kernel
def _before(a: Any, b: Any) -> bool:
    return a.ts < b.ts or (a.ts == b.ts and a.tie < b.tie)


@kernel
def push(
    ctx: Any,
    ts: int,
    due: int,
    slot: int,
    order: int,
    price: int = 0,
    qty: int = 0,
    ts_venue: int = 0,
    liquidity: int = 0,
) -> None:
    """Add an item due at `ts`. The caller has made sure that there is room."""
    desk = table(ctx, _DESK, DESK)[0]
    heap = table(ctx, _PENDING, PENDING)
    child = desk.pending
    desk.pending += 1
    tie = desk.next_tie
    desk.next_tie += 1
    while child > 0:
        parent = (child - 1) >> 1
        if heap[parent].ts <= ts:  # an older item of the same time goes first
            break
        heap[child] = heap[parent]
        child = parent
    item = heap[child]
    item.ts, item.tie, item.due, item.slot, item.order = ts, tie, due, slot, order
    item.price, item.qty, item.ts_venue, item.liquidity = price, qty, ts_venue, liquidity


@kernel
def drop_first(ctx: Any) -> None:
    """Remove the first item, which must exist."""
    desk = table(ctx, _DESK, DESK)[0]
    heap = table(ctx, _PENDING, PENDING)
    desk.pending -= 1
    last = desk.pending
    hole = 0
    while True:
        child = 2 * hole + 1
        if child >= last:
            break
        if child + 1 < last and _before(heap[child + 1], heap[child]):
            child += 1
        if not _before(heap[child], heap[last]):
            break
        heap[hole] = heap[child]
        hole = child
    heap[hole] = heap[last]
