"""The kernel of the model operator: when examples are made, when their outcomes are known, in which order.

An example is open from the row of features it was made of until its spread has decided it or its horizon has
passed. Of a pair and a side (z above or below 0) all open examples are decided together, for they wait for the
same levels: so a pair's open examples are two queues, and all of the desk's together a third, by deadline.

What the trade against the deviation would gain is known with the outcome: it crosses both legs at their best prices,
as last quoted tradably, at the example's row and at that of its outcome.
"""

from typing import Any

import numpy as np

from operators.kernel import inlined, kernel, table
from schemas.learn import FEATURES
from schemas.market import QUOTES
from schemas.record import Frame
from schemas.signal import SPREADS

_QUOTE, _SPREAD, _FEATURES = QUOTES.dtype, SPREADS.dtype, FEATURES.dtype

PREDICT, LEARN = 0, 1
NO_EXAMPLE = -1

TARGET_TERMS = np.dtype(
    [
        ("exit", "f8"),
        ("stop", "f8"),
        ("min_gain_bps", "f8"),
        ("taker_bps", "f8"),
        ("horizon", "i8"),
        ("notional", "i8"),
    ],
    align=True,
)
"""The target: z levels (-inf, inf: none), least gain (-inf: any), fee of a fill, ns, 1 where hedges count value."""

TOP = np.dtype([("bid", "f8"), ("ask", "f8")], align=True)
"""An instrument's last tradable quote, in currency. Zeros: not quoted yet."""

QUEUE_ENDS = np.dtype([("base", "i8"), ("head", "i8"), ("tail", "i8")], align=True)
"""Numbers of examples: that of slot 0, of the oldest that may be open, and of the next one to be made."""

OPEN = np.dtype(
    [
        ("deadline", "i8"),  # last clock at which it may come true, ns
        ("next", "i8"),  # number of the next open example of its queue; NO_EXAMPLE: none
        ("queue", "i8"),  # 2 * pair + (1 where z is below 0); NO_EXAMPLE: decided
        ("ratio", "f8"),  # units of x per unit of y in the trade against the deviation
        ("cash", "f8"),  # what entering it brings, of one unit of y, in currency
        ("gross", "f8"),  # what it trades, both legs; 0: a leg was not quoted
    ],
    align=True,
)

QUEUE = np.dtype([("first", "i8"), ("last", "i8")], align=True)
"""Numbers of the oldest and newest open example; `first` is NO_EXAMPLE in an empty queue."""

STEP = np.dtype(
    [
        ("kind", "i8"),  # PREDICT or LEARN
        ("row", "i8"),  # PREDICT: the row of features
        ("number", "i8"),  # of the example; NO_EXAMPLE where the row makes none
        ("outcome", "i8"),  # LEARN: 1 it came true, 0 it did not
        ("cause", "i8"),
        ("ts", "i8"),
        ("pair", "i8"),
        ("gain_bps", "f8"),  # LEARN: of the trade, after costs; 0 where a leg was not quoted
    ],
    align=True,
)
"""What is to be done with a model, in this order."""


@kernel
def schedule(desk: Frame, state: Frame, quotes: Frame, spreads: Frame, features: Frame) -> int:
    """Write the steps that the rows lead to, and return how many.

    Returns `-1 - i` where row `i` of spreads and features together is of no pair of the desk. Every row of
    `features` leads to one PREDICT, after the LEARNs of what was decided before it; of one cause quotes come first,
    then spreads. `desk` is the ctx of the tables that stay (terms, steps, legs, ticks), `state` of those that change
    (ends, open examples, queues, tops), which have room.
    """
    terms = table(desk, 0, TARGET_TERMS)[0]
    stranger = _stranger(len(table(state, 2, QUEUE)) // 2, spreads, features)
    if stranger < 0:
        return stranger
    ends = table(state, 0, QUEUE_ENDS)[0]
    n = s = q = 0
    for f in range(len(features)):
        row = features[f]
        while s < len(spreads) and spreads[s].cause <= row.cause:
            q = _quote(desk, state, quotes, q, spreads[s].cause)
            n = _see(desk, state, spreads[s], n)
            s += 1
        q = _quote(desk, state, quotes, q, row.cause)
        n = _expire(desk, state, row.cause, row.ts, n)
        number = NO_EXAMPLE
        if terms.exit < abs(row.z) < terms.stop:
            number = ends.tail
            _make(state, number, 2 * row.pair + (row.z < 0.0), row.ts + terms.horizon)
            _enter(desk, state, number, row)
            ends.tail += 1
        step = table(desk, 1, STEP)[n]
        step.kind, step.row, step.number, step.outcome, step.gain_bps = PREDICT, f, number, 0, 0.0
        step.cause, step.ts, step.pair = row.cause, row.ts, row.pair
        n += 1
    for i in range(s, len(spreads)):
        q = _quote(desk, state, quotes, q, spreads[i].cause)
        n = _see(desk, state, spreads[i], n)
    while q < len(quotes):
        q = _quote(desk, state, quotes, q, quotes[q].cause)
    return n


@inlined
def _quote(desk: Frame, state: Frame, quotes: Frame, q: int, cause: int) -> int:
    """Keep the tradable quotes up to and with those of `cause`; returns the number of the next one."""
    ticks = table(desk, 3, np.float64)
    tops = table(state, 3, TOP)
    while q < len(quotes) and quotes[q].cause <= cause:
        quote = quotes[q]
        if quote.state == 0 and 0 <= quote.instrument < len(tops) and quote.bid > 0:
            top, tick = tops[quote.instrument], ticks[quote.instrument]
            top.bid, top.ask = float(quote.bid) * tick, float(quote.ask) * tick
        q += 1
    return q


@kernel
def _enter(desk: Frame, state: Frame, number: int, row: Any) -> None:
    """Price the trade against the deviation of an example: above 0 the spread is sold, below 0 bought."""
    legs = table(desk, 2, np.int64)
    tops = table(state, 3, TOP)
    example = table(state, 1, OPEN)[number - table(state, 0, QUEUE_ENDS)[0].base]
    y, x = tops[legs[2 * row.pair]], tops[legs[2 * row.pair + 1]]
    example.ratio, example.cash, example.gross = row.hedge, 0.0, 0.0
    if y.bid > 0.0 and x.bid > 0.0:
        if table(desk, 0, TARGET_TERMS)[0].notional:
            example.ratio = row.hedge * (y.bid + y.ask) / (x.bid + x.ask)
        example.cash = _cash(y, x, example.ratio, -1 if row.z >= 0.0 else 1)
        example.gross = _traded(y, x, example.ratio)


@kernel
def _leave(desk: Frame, state: Frame, example: Any) -> float:
    """What the trade of an example gains where it is left now, after costs, bps of its gross value."""
    if example.gross == 0.0:
        return 0.0
    legs = table(desk, 2, np.int64)
    tops = table(state, 3, TOP)
    pair = example.queue >> 1
    y, x = tops[legs[2 * pair]], tops[legs[2 * pair + 1]]
    cash = example.cash + _cash(y, x, example.ratio, -1 if example.queue & 1 else 1)
    fees = table(desk, 0, TARGET_TERMS)[0].taker_bps * (example.gross + _traded(y, x, example.ratio))
    return (cash * 1e4 - fees) / example.gross


@inlined
def _cash(y: Any, x: Any, ratio: float, side: int) -> float:
    """What buying (side 1) or selling (-1) the spread at once brings, of one unit of y."""
    if side > 0:
        return ratio * (x.bid if ratio > 0.0 else x.ask) - y.ask
    return y.bid - ratio * (x.ask if ratio > 0.0 else x.bid)


@inlined
def _traded(y: Any, x: Any, ratio: float) -> float:
    """Gross value of both legs at mid, of one unit of y."""
    return 0.5 * (y.bid + y.ask + abs(ratio) * (x.bid + x.ask))


@kernel
def _stranger(pairs: int, spreads: Frame, features: Frame) -> int:
    for i in range(len(spreads)):
        if not 0 <= spreads[i].pair < pairs:
            return -1 - i
    for i in range(len(features)):
        if not 0 <= features[i].pair < pairs:
            return -1 - len(spreads) - i
    return 0


@kernel
def _make(state: Frame, number: int, queue: int, deadline: int) -> None:
    """Open example `number`, the newest of its queue."""
    ends = table(state, 0, QUEUE_ENDS)[0]
    examples = table(state, 1, OPEN)
    ends_of_queue = table(state, 2, QUEUE)[queue]
    example = examples[number - ends.base]
    example.deadline, example.next, example.queue = deadline, NO_EXAMPLE, queue
    if ends_of_queue.first == NO_EXAMPLE:
        ends_of_queue.first = number
    else:
        examples[ends_of_queue.last - ends.base].next = number
    ends_of_queue.last = number


@kernel
def _see(desk: Frame, state: Frame, spread: Any, n: int) -> int:
    """Take a row of spreads: its clock ends what is overdue, and where it is usable its z decides."""
    n = _expire(desk, state, spread.cause, spread.ts, n)
    if spread.state != 0:
        return n
    terms = table(desk, 0, TARGET_TERMS)[0]
    queues = table(state, 2, QUEUE)
    for side in range(2):
        queue = 2 * spread.pair + side
        distance = -spread.z if side else spread.z
        if queues[queue].first != NO_EXAMPLE and (distance <= terms.exit or distance >= terms.stop):
            outcome = 1 if distance <= terms.exit else 0
            while queues[queue].first != NO_EXAMPLE:
                _decide(desk, state, queues[queue].first, outcome, spread.cause, spread.ts, n)
                n += 1
    return n


@inlined
def _expire(desk: Frame, state: Frame, cause: int, ts: int, n: int) -> int:
    """What has not come true within its horizon does not: the oldest first."""
    ends = table(state, 0, QUEUE_ENDS)[0]
    examples = table(state, 1, OPEN)
    while ends.head < ends.tail:
        example = examples[ends.head - ends.base]
        if example.queue != NO_EXAMPLE:
            if ts <= example.deadline:
                break
            _decide(desk, state, ends.head, 0, cause, ts, n)
            n += 1
        ends.head += 1
    return n


@kernel
def _decide(desk: Frame, state: Frame, number: int, outcome: int, cause: int, ts: int, n: int) -> None:
    """Close example `number`, the oldest of its queue, and write step number `n`: learn it."""
    example = table(state, 1, OPEN)[number - table(state, 0, QUEUE_ENDS)[0].base]
    step = table(desk, 1, STEP)[n]
    step.gain_bps = _leave(desk, state, example)
    pays = step.gain_bps > table(desk, 0, TARGET_TERMS)[0].min_gain_bps
    step.kind, step.row, step.number, step.outcome = LEARN, 0, number, outcome if pays else 0
    step.cause, step.ts, step.pair = cause, ts, example.queue >> 1
    table(state, 2, QUEUE)[example.queue].first = example.next
    example.queue = NO_EXAMPLE
