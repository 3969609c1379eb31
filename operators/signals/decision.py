"""The kernel of the bands operator: one small state machine per pair."""

from typing import Any

import numpy as np

from operators.kernel import inlined, kernel, table
from schemas.learn import PredictionState
from schemas.record import Frame
from schemas.signal import SIGNALS, SPREADS, Action, Gate

_SPREAD = SPREADS.dtype
_ROW = SIGNALS.dtype
_ENTER, _EXIT, _STOP = int(Action.ENTER), int(Action.EXIT), int(Action.STOP)
_NOTHING = 0
_CLOSED = int(Gate.CLOSED)
_RULE, _PAUSED = int(PredictionState.RULE), int(PredictionState.PAUSED)
GATED, DOUBTED, UNTRADED = 1, 2, 4
"""Why a pair may not be entered: its gate is closed; a model expects too little of it, or nothing; it is retired."""

POSITION = np.dtype(
    [
        ("since", "i8"),  # clock of the entry, ns
        ("armed_from", "i8"),  # clock from which an entry is allowed again, ns
        ("side", "i2"),  # +1 long the spread, -1 short, 0 flat
        ("vetoed", "i2"),  # GATED, DOUBTED and UNTRADED bits
        ("restless", "i4"),  # 1: |z| must first be seen below `entry`
        ("share", "f8"),  # of the notional an entry is made with
    ],
    align=True,
)
"""What is wanted of a pair. Zeros, and a share of 1: flat and ready, and nothing vetoes it."""

SIZE = np.dtype([("value", "f8"), ("share", "f8")], align=True)
"""A point of the sizing rule: from this probability or expected gain on, this share of the notional."""

FLAT_SIZE, LINEAR_SIZE, STEP_SIZE, KELLY_SIZE = range(4)

BAND_TERMS = np.dtype(
    [
        ("entry", "f8"),
        ("exit", "f8"),
        ("stop", "f8"),
        ("min_deviation", "f8"),
        ("min_hedge", "f8"),
        ("max_hedge", "f8"),
        ("min_probability", "f8"),
        ("min_expected_bps", "f8"),  # -inf: none
        ("kelly", "f8"),  # share of the notional for a gain of 1 bps at a risk of 1 bps
        ("most", "f8"),  # largest share of the notional
        ("sizing", "i8"),  # FLAT_SIZE, LINEAR_SIZE, STEP_SIZE or KELLY_SIZE
        ("by_expected", "i8"),  # 1: sizes go by the expected gain, not the probability
        ("unpredicted", "i8"),  # veto of a pair without a prediction: 0 or DOUBTED
        ("cooldown", "i8"),
        ("min_hold", "i8"),
        ("max_hold", "i8"),
        ("notional", "i8"),
    ],
    align=True,
)
"""The operator's parameters, as its kernel sees them: ns and money quanta."""


@kernel
def band_signals(desk: Frame, state: Frame, spreads: Frame) -> int:
    """Write the signals of `spreads` to the scratch table and return how many.

    Returns `-1 - i` where row `i` is of no pair of the desk. `desk` is the ctx of the tables that stay
    (terms, rows, sizes), `state` of those that change (positions).
    """
    return _decide(desk, state, spreads, 0, len(spreads), 0)


@kernel
def gated_signals(desk: Frame, state: Frame, spreads: Frame, gates: Frame, predictions: Frame) -> int:
    """The same with gates and predictions: those of a cause hold from its own spreads on.

    All of them are of pairs of the desk.
    """
    terms = table(desk, 0, BAND_TERMS)[0]
    positions = table(state, 0, POSITION)
    n = i = g = p = 0
    while g < len(gates) or p < len(predictions):
        is_gate = p == len(predictions) or (g < len(gates) and gates[g].cause <= predictions[p].cause)
        cause = gates[g].cause if is_gate else predictions[p].cause
        end = i
        while end < len(spreads) and spreads[end].cause < cause:
            end += 1
        n = _decide(desk, state, spreads, i, end, n)
        if n < 0:
            return n
        i = end
        if is_gate:
            position = positions[gates[g].pair]
            position.vetoed = (position.vetoed & ~GATED) | (GATED if gates[g].state == _CLOSED else 0)
            g += 1
        else:
            position = positions[predictions[p].pair]
            position.share = _share(desk, predictions[p])
            doubt = _doubt(terms, predictions[p]) if position.share > 0.0 else DOUBTED
            position.vetoed = (position.vetoed & ~DOUBTED) | doubt
            p += 1
    return _decide(desk, state, spreads, i, len(spreads), n)


@inlined
def _doubt(terms: Any, prediction: Any) -> int:
    """The veto of a prediction: by what it expects, or where it holds no opinion, as pairs without one."""
    if prediction.state & _PAUSED:
        return DOUBTED
    if prediction.state & _RULE:
        return 0
    if prediction.state != 0:
        return terms.unpredicted
    enough = prediction.probability >= terms.min_probability and prediction.expected_bps >= terms.min_expected_bps
    return 0 if enough else DOUBTED


@kernel
def _share(desk: Frame, prediction: Any) -> float:
    """The share of the notional for an entry on this prediction: what its size orders, times the sizing rule."""
    terms = table(desk, 0, BAND_TERMS)[0]
    if prediction.state != 0 or terms.sizing == FLAT_SIZE:
        return prediction.size
    if terms.sizing == KELLY_SIZE:
        risk = max(prediction.risk_bps, 1e-9)
        share = terms.kelly * max(prediction.expected_bps, 0.0) / (risk * risk)
    else:
        share = _at(table(desk, 2, SIZE), terms, prediction)
    return prediction.size * min(share, terms.most)


@kernel
def _at(sizes: Frame, terms: Any, prediction: Any) -> float:
    """The sizing rule's share at a prediction: that of the last point passed, or on the line to the next."""
    value = prediction.expected_bps if terms.by_expected else prediction.probability
    share = 0.0
    for i in range(len(sizes)):
        if value < sizes[i].value:
            if terms.sizing == LINEAR_SIZE and i > 0:
                part = (value - sizes[i - 1].value) / (sizes[i].value - sizes[i - 1].value)
                share += part * (sizes[i].share - share)
            break
        share = sizes[i].share
    return share


@kernel
def _decide(desk: Frame, state: Frame, spreads: Frame, start: int, end: int, n: int) -> int:
    """Decide on `spreads[start:end]`, with `n` rows in the scratch table already."""
    terms = table(desk, 0, BAND_TERMS)[0]
    rows = table(desk, 1, _ROW)
    positions = table(state, 0, POSITION)
    for i in range(start, end):
        spread = spreads[i]
        p = spread.pair
        if not 0 <= p < len(positions):
            return -1 - i
        if spread.state != 0:
            continue
        position = positions[p]
        side = position.side
        action = _leave(terms, position, spread) if side != 0 else _enter(terms, position, spread)
        if action == _NOTHING:
            continue
        row = rows[n]
        row.cause = spread.cause
        row.ts = spread.ts
        row.spread = spread.spread
        row.z = spread.z
        row.hedge = spread.hedge
        row.notional = 0
        if action == _ENTER:
            row.notional = terms.notional if position.share == 1.0 else int(position.share * terms.notional)
        row.pair = p
        row.action = action
        row.side = position.side if action == _ENTER else side
        n += 1
    return n


@inlined
def _enter(terms: Any, position: Any, spread: Any) -> int:
    """Flat: whether to enter."""
    distance = abs(spread.z)
    if distance < terms.entry:
        position.restless = 0
        return _NOTHING
    if position.restless or position.vetoed or spread.ts < position.armed_from or distance >= terms.stop:
        return _NOTHING
    if spread.deviation < terms.min_deviation or not terms.min_hedge <= abs(spread.hedge) <= terms.max_hedge:
        return _NOTHING
    position.side = -1 if spread.z > 0.0 else 1
    position.since = spread.ts
    return _ENTER


@inlined
def _leave(terms: Any, position: Any, spread: Any) -> int:
    """In a position: whether to leave it, and how it is re-armed."""
    adverse = -spread.z * position.side
    held = spread.ts - position.since
    action = _NOTHING
    if adverse >= terms.stop:
        action = _STOP
        position.armed_from = spread.ts + terms.cooldown
        position.restless = 1
    elif held >= terms.max_hold:
        action = _EXIT
        position.restless = adverse >= terms.entry
    elif adverse <= terms.exit and held >= terms.min_hold:
        action = _EXIT
    if action != _NOTHING:
        position.side = 0
    return action
