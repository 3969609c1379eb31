"""The order flow: who acts next, and what they do.

One message at a time: a member is drawn, its fair price advanced, and whoever is away from fair acts first:
takers and makers empty the levels that have become too good, makers improve a best quote that has been
left behind. A member whose book needed this is likely to be next again, so repairs come in bursts.
Where the book stands right, ordinary flow adds, cancels, replaces and trades.
"""

import math

import numpy as np

from operators.kernel import kernel, table
from operators.simulator.fair import fair_price
from operators.simulator.generator import GENERATOR, below, exp, log, uniform
from operators.simulator.itch import LONGEST
from operators.simulator.market import MEMBER
from operators.simulator.state import SESSION, Table
from operators.simulator.venue import (
    add,
    best_key,
    cancel,
    delete,
    depth,
    execute,
    execute_better,
    remaining,
    replace,
    trade_hidden,
)
from schemas.record import Frame

_LEAST = 3  # orders a side never falls below
_DRAWN = 3  # members of whom the one left alone the longest acts
_SLACK = 1  # ticks a best quote may stand off its goal before somebody acts


@kernel
def write_messages(ctx: int, out: Frame) -> np.int64:
    """Fill `out` with whole messages until it is full or the phase is over; the bytes written."""
    session = table(ctx, Table.SESSION, SESSION)[0]
    at = np.int64(0)  # the literal 0 is a type of its own: everything would be compiled twice
    while session.left > 0 and at + LONGEST <= len(out):
        _advance_clock(ctx)
        session.left -= 1
        at = _open_book(ctx, out, at) if session.opening > 0 else _continuous(ctx, out, at)
    return at


@kernel
def _roll(ctx: int, n: int) -> int:
    return below(table(ctx, Table.GENERATOR, GENERATOR), n)


@kernel
def _advance_clock(ctx: int) -> None:
    """Poisson arrivals, given how many come before the end: the first of n uniform times is at 1 - u**(1/n)."""
    session = table(ctx, Table.SESSION, SESSION)[0]
    u = uniform(table(ctx, Table.GENERATOR, GENERATOR))
    session.now += int((session.end - session.now - 1) * (1.0 - exp(log(u) / session.left)))


@kernel
def _continuous(ctx: int, out: Frame, at: int) -> int:
    session = table(ctx, Table.SESSION, SESSION)[0]
    i = session.symbol if session.symbol >= 0 else _next_member(ctx)
    middle = int(math.floor(fair_price(ctx, i, session.now) + 0.5))
    bid_excess, ask_excess = _excess(ctx, i, 0, middle), _excess(ctx, i, 1, middle)
    if max(bid_excess, ask_excess) > _SLACK:
        at = _withdraw(ctx, out, at, i, 0 if bid_excess > ask_excess else 1, middle)
    elif min(bid_excess, ask_excess) < -_SLACK:
        at = _improve(ctx, out, at, i, 0 if bid_excess < ask_excess else 1, middle)
    else:
        at = _ordinary(ctx, out, at, i, middle)
    right = abs(_excess(ctx, i, 0, middle)) <= _SLACK and abs(_excess(ctx, i, 1, middle)) <= _SLACK
    session.symbol = -1 if right else i
    return at


@kernel
def _next_member(ctx: int) -> int:
    """Of a few members drawn, the one that has been left alone the longest."""
    members = table(ctx, Table.MEMBERS, MEMBER)
    chosen = _roll(ctx, len(members))
    for _ in range(_DRAWN - 1):
        other = _roll(ctx, len(members))
        if members[other].ts < members[chosen].ts:
            chosen = other
    return chosen


@kernel
def _excess(ctx: int, i: int, side: int, middle: int) -> int:
    """Ticks by which the best order of a side is better than its goal."""
    return best_key(ctx, i, side) - _goal(ctx, i, side, middle)


@kernel
def _goal(ctx: int, i: int, side: int, middle: int) -> int:
    """Key at which a side of member `i` should be best."""
    half_spread = table(ctx, Table.MEMBERS, MEMBER)[i].half_spread
    return (middle if side == 0 else -middle) - half_spread


@kernel
def _behind(ctx: int, goal: int) -> int:
    """A key at or behind `goal`."""
    return goal - _roll(ctx, table(ctx, Table.SESSION, SESSION)[0].depth)


@kernel
def _size(ctx: int, i: int, side: int) -> int:
    """Shares of a new order: mostly round lots of hundreds, now and then an odd lot.

    Where the session tells, the side that the member's own part will move towards is the thinner one: what is above
    its mean is offered in size.
    """
    random = table(ctx, Table.GENERATOR, GENERATOR)
    size = 1 + below(random, 99) if below(random, 8) == 0 else 100 * (1 + min(below(random, 10), below(random, 10)))
    telling = table(ctx, Table.SESSION, SESSION)[0].telling
    if telling == 0.0:
        return size
    member = table(ctx, Table.MEMBERS, MEMBER)[i]
    lean = telling * min(max(member.own / member.deviation, -1.0), 1.0)
    return max(1, int(size * (1.0 + (lean if side == 1 else -lean))))


@kernel
def _new_order(ctx: int, out: Frame, at: int, i: int, side: int, key: int) -> int:
    mpid = _roll(ctx, 4) if _roll(ctx, 12) == 0 else -1
    return add(ctx, out, at, i, side, key, _size(ctx, i, side), mpid)


@kernel
def _open_book(ctx: int, out: Frame, at: int) -> int:
    """The opening orders come member by member, bids and asks in turn, the first of a side at its goal."""
    session = table(ctx, Table.SESSION, SESSION)[0]
    session.opening -= 1
    i = session.opening // (2 * session.levels)
    side = session.opening % 2
    middle = int(math.floor(fair_price(ctx, i, session.now) + 0.5))
    goal = _goal(ctx, i, side, middle)
    return _new_order(ctx, out, at, i, side, goal if depth(ctx, i, side) == 0 else _behind(ctx, goal))


@kernel
def _withdraw(ctx: int, out: Frame, at: int, i: int, side: int, middle: int) -> int:
    """The best order of a side has become too good: it is taken, deleted, or moved back."""
    session = table(ctx, Table.SESSION, SESSION)[0]
    n = depth(ctx, i, side)
    if n <= _LEAST or (n < session.levels and _roll(ctx, 4) == 0):
        key = _behind(ctx, _goal(ctx, i, side, middle))
        return replace(ctx, out, at, i, side, n - 1, key, _size(ctx, i, side))
    wrong = best_key(ctx, i, side) >= (middle if side == 0 else -middle)
    if wrong and _roll(ctx, 8) < 3:
        whole = np.int64(2**31)
        if _roll(ctx, 12) == 0:
            return execute_better(ctx, out, at, i, side, whole)
        return execute(ctx, out, at, i, side, whole)
    return delete(ctx, out, at, i, side, n - 1)


@kernel
def _improve(ctx: int, out: Frame, at: int, i: int, side: int, middle: int) -> int:
    """The best order of a side has been left behind: a new one comes, or the farthest moves up."""
    goal = _goal(ctx, i, side, middle)
    if depth(ctx, i, side) > table(ctx, Table.SESSION, SESSION)[0].levels:
        return replace(ctx, out, at, i, side, 0, goal, _size(ctx, i, side))
    return _new_order(ctx, out, at, i, side, goal)


@kernel
def _ordinary(ctx: int, out: Frame, at: int, i: int, middle: int) -> int:
    """What happens while nothing happens; the number of orders drifts towards `levels`."""
    session = table(ctx, Table.SESSION, SESSION)[0]
    side = _roll(ctx, 2)
    n = depth(ctx, i, side)
    choice = _roll(ctx, 64) if n > _LEAST else 0
    rank = _roll(ctx, max(n, 1))
    if (choice < 14 and n < session.levels) or (14 <= choice < 22 and n < session.orders_max):
        return _new_order(ctx, out, at, i, side, _behind(ctx, _goal(ctx, i, side, middle)))
    if choice < 28:
        return delete(ctx, out, at, i, side, rank)
    if choice < 38:
        qty = remaining(ctx, i, side, rank)
        if qty > 1:
            return cancel(ctx, out, at, i, side, rank, 1 + _roll(ctx, qty - 1))
        return delete(ctx, out, at, i, side, rank)
    if choice < 44:
        return replace(ctx, out, at, i, side, rank, _behind(ctx, _goal(ctx, i, side, middle)), _size(ctx, i, side))
    if choice < 54:
        return execute(ctx, out, at, i, side, 100 * (1 + _roll(ctx, 3)))
    bid, ask = best_key(ctx, i, 0), -best_key(ctx, i, 1)
    return trade_hidden(ctx, out, at, i, bid + _roll(ctx, ask - bid + 1), _size(ctx, i, side))
