"""The kernel of the model operator: when examples are made, when their outcomes are known, in which order.

An example is open from the row of features it was made of until its spread has decided it or its horizon has
passed. Of a pair and a side (z above or below 0) all open examples are decided together, for they wait for the
same levels: so a pair's open examples are two queues, and all of the desk's together a third, by deadline.

What the trade against the deviation gains is known with the outcome; see `operators.learn.priced`.
"""

from typing import Any

from operators.kernel import inlined, kernel, table
from operators.learn.priced import enter_trade, leave_trade, note_quotes
from operators.learn.waiting import LEARN, NO_EXAMPLE, OPEN, PREDICT, QUEUE, QUEUE_ENDS, STEP, TARGET_TERMS
from schemas.record import Frame


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
            q = note_quotes(desk, state, quotes, q, spreads[s].cause)
            n = _see(desk, state, spreads[s], n)
            s += 1
        q = note_quotes(desk, state, quotes, q, row.cause)
        n = _expire(desk, state, row.cause, row.ts, n)
        number = NO_EXAMPLE
        if terms.exit < abs(row.z) < terms.stop:
            number = ends.tail
            _make(state, number, 2 * row.pair + (row.z < 0.0), row.ts + terms.horizon)
            enter_trade(desk, state, number, row)
            ends.tail += 1
        step = table(desk, 1, STEP)[n]
        step.kind, step.row, step.number, step.outcome, step.gain_bps = PREDICT, f, number, 0, 0.0
        step.cause, step.ts, step.pair = row.cause, row.ts, row.pair
        n += 1
    for i in range(s, len(spreads)):
        q = note_quotes(desk, state, quotes, q, spreads[i].cause)
        n = _see(desk, state, spreads[i], n)
    while q < len(quotes):
        q = note_quotes(desk, state, quotes, q, quotes[q].cause)
    return n


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
    step.gain_bps = leave_trade(desk, state, example)
    pays = step.gain_bps > table(desk, 0, TARGET_TERMS)[0].min_gain_bps
    step.kind, step.row, step.number, step.outcome = LEARN, 0, number, outcome if pays else 0
    step.cause, step.ts, step.pair = cause, ts, example.queue >> 1
    table(state, 2, QUEUE)[example.queue].first = example.next
    example.queue = NO_EXAMPLE
