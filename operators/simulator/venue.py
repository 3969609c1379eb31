"""What the exchange does to its books, each act told in one ITCH message.

A book never holds a bid at or above an ask: `passive` is the limit a new order must keep.
Acts return the offset after their message.
"""

import numpy as np

from operators.kernel import kernel, table
from operators.simulator.itch import (
    put_add,
    put_cancel,
    put_delete,
    put_executed,
    put_executed_with_price,
    put_replace,
    put_trade,
)
from operators.simulator.market import MEMBER
from operators.simulator.state import ORDER, SESSION, Table
from schemas.record import Frame

NO_KEY = -(2**30)
"""The best key of an empty side: worse than any price."""


@kernel
def depth(ctx: int, i: int, side: int) -> int:
    """Live orders on a side (0 bid, 1 ask) of member `i`."""
    return table(ctx, Table.DEPTHS, np.int64)[2 * i + side]


@kernel
def _slot(ctx: int, i: int, side: int, rank: int) -> int:
    """Where the order of `rank` is: 0 is the farthest from the market, depth - 1 the next to trade."""
    return (2 * i + side) * table(ctx, Table.SESSION, SESSION)[0].orders_max + rank


@kernel
def remaining(ctx: int, i: int, side: int, rank: int) -> int:
    """Shares left of the order of `rank`."""
    return table(ctx, Table.ORDERS, ORDER)[_slot(ctx, i, side, rank)].qty


@kernel
def best_key(ctx: int, i: int, side: int) -> int:
    """Key of the best order on a side, NO_KEY where there is none."""
    n = depth(ctx, i, side)
    return table(ctx, Table.ORDERS, ORDER)[_slot(ctx, i, side, n - 1)].key if n > 0 else NO_KEY


@kernel
def passive(ctx: int, i: int, side: int, key: int) -> int:
    """`key`, or the most aggressive key below it that does not reach the other side's best order."""
    return min(key, -best_key(ctx, i, 1 - side) - 1)


@kernel
def _price(side: int, key: int) -> int:
    return key if side == 0 else -key


@kernel
def _insert(ctx: int, i: int, side: int, ref: int, key: int, qty: int) -> None:
    """Behind every live order that is as good or better."""
    orders = table(ctx, Table.ORDERS, ORDER)
    depths = table(ctx, Table.DEPTHS, np.int64)
    first = _slot(ctx, i, side, 0)
    at = first + depths[2 * i + side]
    depths[2 * i + side] += 1
    while at > first and orders[at - 1].key >= key:
        orders[at] = orders[at - 1]
        at -= 1
    orders[at].ref = ref
    orders[at].key = key
    orders[at].qty = qty


@kernel
def _remove(ctx: int, i: int, side: int, rank: int) -> None:
    orders = table(ctx, Table.ORDERS, ORDER)
    depths = table(ctx, Table.DEPTHS, np.int64)
    depths[2 * i + side] -= 1
    for at in range(_slot(ctx, i, side, rank), _slot(ctx, i, side, depths[2 * i + side])):
        orders[at] = orders[at + 1]


@kernel
def _reduce(ctx: int, i: int, side: int, rank: int, qty: int) -> None:
    order = table(ctx, Table.ORDERS, ORDER)[_slot(ctx, i, side, rank)]
    order.qty -= qty
    if order.qty == 0:
        _remove(ctx, i, side, rank)


@kernel
def _count(ctx: int, kind: int) -> None:
    table(ctx, Table.COUNTS, np.int64)[kind] += 1


@kernel
def _next_ref(ctx: int) -> int:
    session = table(ctx, Table.SESSION, SESSION)[0]
    session.next_ref += 1
    return session.next_ref - 1


@kernel
def _next_match(ctx: int) -> int:
    session = table(ctx, Table.SESSION, SESSION)[0]
    session.next_match += 1
    return session.next_match - 1


@kernel
def _now(ctx: int) -> int:
    return table(ctx, Table.SESSION, SESSION)[0].now


@kernel
def add(ctx: int, out: Frame, at: int, i: int, side: int, key: int, qty: int, mpid: int) -> int:
    """A new order; `key` is brought down to `passive`. The side must have room."""
    key = passive(ctx, i, side, key)
    ref = _next_ref(ctx)
    _insert(ctx, i, side, ref, key, qty)
    _count(ctx, ord("A") if mpid < 0 else ord("F"))
    stock = np.int64(table(ctx, Table.MEMBERS, MEMBER)[i].stock)
    return put_add(out, at, i + 1, _now(ctx), ref, side, qty, stock, _price(side, key), mpid)


@kernel
def execute(ctx: int, out: Frame, at: int, i: int, side: int, qty: int) -> int:
    """The next order to trade on a side loses up to `qty` at its price."""
    rank = depth(ctx, i, side) - 1
    order = table(ctx, Table.ORDERS, ORDER)[_slot(ctx, i, side, rank)]
    qty = min(qty, order.qty)
    at = put_executed(out, at, i + 1, _now(ctx), order.ref, qty, _next_match(ctx))
    _count(ctx, ord("E"))
    _reduce(ctx, i, side, rank, qty)
    return at


@kernel
def execute_better(ctx: int, out: Frame, at: int, i: int, side: int, qty: int) -> int:
    """As `execute`, one tick better for whoever takes."""
    rank = depth(ctx, i, side) - 1
    order = table(ctx, Table.ORDERS, ORDER)[_slot(ctx, i, side, rank)]
    qty = min(qty, order.qty)
    price = _price(side, order.key + 1)
    at = put_executed_with_price(out, at, i + 1, _now(ctx), order.ref, qty, _next_match(ctx), price)
    _count(ctx, ord("C"))
    _reduce(ctx, i, side, rank, qty)
    return at


@kernel
def cancel(ctx: int, out: Frame, at: int, i: int, side: int, rank: int, qty: int) -> int:
    """The order of `rank` loses `qty`, which is less than it has."""
    order = table(ctx, Table.ORDERS, ORDER)[_slot(ctx, i, side, rank)]
    _count(ctx, ord("X"))
    order.qty -= qty
    return put_cancel(out, at, i + 1, _now(ctx), order.ref, qty)


@kernel
def delete(ctx: int, out: Frame, at: int, i: int, side: int, rank: int) -> int:
    """The order of `rank` leaves."""
    ref = table(ctx, Table.ORDERS, ORDER)[_slot(ctx, i, side, rank)].ref
    _count(ctx, ord("D"))
    _remove(ctx, i, side, rank)
    return put_delete(out, at, i + 1, _now(ctx), ref)


@kernel
def replace(ctx: int, out: Frame, at: int, i: int, side: int, rank: int, key: int, qty: int) -> int:
    """The order of `rank` leaves and another comes for it; `key` is brought down to `passive`."""
    ref = table(ctx, Table.ORDERS, ORDER)[_slot(ctx, i, side, rank)].ref
    key = passive(ctx, i, side, key)
    ref_new = _next_ref(ctx)
    _remove(ctx, i, side, rank)
    _insert(ctx, i, side, ref_new, key, qty)
    _count(ctx, ord("U"))
    return put_replace(out, at, i + 1, _now(ctx), ref, ref_new, qty, _price(side, key))


@kernel
def trade_hidden(ctx: int, out: Frame, at: int, i: int, price: int, qty: int) -> int:
    """A trade at `price` against an order that was never shown."""
    _count(ctx, ord("P"))
    stock = np.int64(table(ctx, Table.MEMBERS, MEMBER)[i].stock)
    return put_trade(out, at, i + 1, _now(ctx), qty, stock, price, _next_match(ctx))
