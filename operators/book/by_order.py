"""Books told by order: orders join, shrink, leave and are replaced, and the totals of their levels follow."""

from typing import Any

from operators.book.ladder import LADDER, LEVEL, NEEDS_ROOM, add_to_level, reserve
from operators.book.orders import ORDER, find, most_orders, remove
from operators.book.rows import write_level
from operators.book.state import (
    DONE,
    I8,
    LADDER_LEVELS,
    LADDERS,
    MOST_LOTS,
    NEEDS_LEVELS,
    NEEDS_ORDERS,
    ORDERS,
    TAKEN,
)
from operators.book.trust import contradict
from operators.kernel import inlined, table
from schemas.market import EventKind

_DELETE = int(EventKind.DELETE)


@inlined
def add(ctx: Any, out: Any, event: Any, book: Any) -> int:
    """ADD: a new order joins its level."""
    orders, ladders, taken = table(ctx, ORDERS, ORDER), table(ctx, LADDERS, LADDER), table(ctx, TAKEN, I8)
    bids, asks = 2 * event.instrument, 2 * event.instrument + 1
    told_by_level = book.orders == 0 and ladders[bids].count + ladders[asks].count > 0
    slot = find(orders, event.instrument, event.order)
    possible = 0 < event.qty <= MOST_LOTS and event.side & ~1 == 0
    if not possible or told_by_level or _is_live(orders[slot], book):
        return contradict(out, event, book)
    if orders[slot].qty == 0 and taken[0] >= most_orders(orders):
        return NEEDS_ORDERS
    total = add_to_level(table(ctx, LADDER_LEVELS, LEVEL), ladders, bids + event.side, event.price, event.qty)
    if total == NEEDS_ROOM:
        return NEEDS_LEVELS
    _put(ctx, book, slot, event.order, event.side, event)
    write_level(out, event, event.side, event.price, total)
    return DONE


@inlined
def reduce(ctx: Any, out: Any, event: Any, book: Any) -> int:
    """EXECUTE, CANCEL, DELETE: an order loses some or all of its lots."""
    orders = table(ctx, ORDERS, ORDER)
    slot = find(orders, event.instrument, event.order)
    order = orders[slot]
    qty = order.qty if event.kind == _DELETE else event.qty
    if not _is_live(order, book) or qty <= 0 or qty > order.qty:
        return contradict(out, event, book)
    side, price = order.life & 1, order.price
    ladder = 2 * event.instrument + side
    total = add_to_level(table(ctx, LADDER_LEVELS, LEVEL), table(ctx, LADDERS, LADDER), ladder, price, -qty)
    if qty == order.qty:
        _drop(ctx, book, slot)
    else:
        order.qty -= qty
    write_level(out, event, side, price, total)
    return DONE


@inlined
def replace(ctx: Any, out: Any, event: Any, book: Any) -> int:
    """REPLACE: an order leaves and another joins the same side, in one step."""
    orders, ladders, levels = table(ctx, ORDERS, ORDER), table(ctx, LADDERS, LADDER), table(ctx, LADDER_LEVELS, LEVEL)
    slot = find(orders, event.instrument, event.order)
    taken = event.order_new != event.order and _is_live(orders[find(orders, event.instrument, event.order_new)], book)
    if not _is_live(orders[slot], book) or taken or not 0 < event.qty <= MOST_LOTS:
        return contradict(out, event, book)
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


@inlined
def _is_live(order: Any, book: Any) -> bool:
    return order.qty != 0 and order.life >> 1 == book.generation


@inlined
def _put(ctx: Any, book: Any, slot: int, ref: int, side: int, event: Any) -> None:
    """Fill a slot that is free, or that a dead order holds."""
    order = table(ctx, ORDERS, ORDER)[slot]
    if order.qty == 0:
        table(ctx, TAKEN, I8)[0] += 1
    order.ref, order.price, order.qty = ref, event.price, event.qty
    order.instrument = event.instrument
    order.life = 2 * book.generation + side
    book.orders += 1


@inlined
def _drop(ctx: Any, book: Any, slot: int) -> None:
    remove(table(ctx, ORDERS, ORDER), slot)
    table(ctx, TAKEN, I8)[0] -= 1
    book.orders -= 1
