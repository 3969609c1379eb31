"""The kernel of the cointegration gate: quotes in, a row per pair tested."""

import math
from typing import Any

import numpy as np

from operators.kernel import kernel, table
from operators.pairs.unit_root import critical_value, engle_granger, p_value
from operators.pairs.window import BY_EVENT, in_order, is_due
from schemas.market import QUOTES
from schemas.record import Frame
from schemas.signal import GATES, Gate

_ROW, _QUOTE = GATES.dtype, QUOTES.dtype
_CLOSED, _OPEN = int(Gate.CLOSED), int(Gate.OPEN)

TESTED = np.dtype(
    [
        ("bar", "i8"),  # of the last touch
        ("taken", "i8"),  # samples so far
        ("state", "i4"),  # Gate
        ("known", "i4"),  # 1: its first row is out
    ],
    align=True,
)

GATE_TERMS = np.dtype(
    [
        ("every", "i8"),  # ns, BY_EVENT or BY_CHANGE
        ("window", "i8"),  # samples
        ("step", "i8"),  # samples
        ("lags", "i8"),  # at most, or exactly
        ("open", "f8"),  # p-values
        ("close", "f8"),
        ("chooses", "i4"),
        ("log", "i4"),
    ],
    align=True,
)


@kernel
def gate_pairs(desk: Frame, state: Frame, quotes: Frame) -> int:
    """Write the rows of `quotes` to the scratch table and return how many.

    Returns `-1 - i` where quote `i` is of no instrument of the desk. `desk` is the ctx of the tables that
    stay (terms, ticks, starts, touches, legs, rows), `state` of those that change (prices and whether they
    are tradable, by instrument; pairs; windows of y and of x).
    """
    terms = table(desk, 0, GATE_TERMS)[0]
    ticks = table(desk, 1, np.float64)
    starts, touches = table(desk, 2, np.int64), table(desk, 3, np.int64)
    legs = table(desk, 4, np.int64)
    rows = table(desk, 5, _ROW)
    prices, tradable = table(state, 0, np.float64), table(state, 1, np.int64)
    pairs = table(state, 2, TESTED)
    n = 0
    for i in range(len(quotes)):
        quote = quotes[i]
        instrument = quote.instrument
        if not 0 <= instrument < len(ticks):
            return -1 - i
        bar = quote.ts // terms.every if terms.every > 0 else 0
        mid, is_tradable = _mid(quote, ticks[instrument], terms.log)
        is_new = terms.every == BY_EVENT or (is_tradable and mid != prices[instrument])
        for k in range(starts[instrument], starts[instrument + 1]):
            p = touches[k] >> 1
            pair = pairs[p]
            y, x = legs[2 * p], legs[2 * p + 1]
            is_tested = False
            if tradable[y] and tradable[x] and (bar > pair.bar if terms.every > 0 else is_new):
                _take(p, pair, terms.window, prices[y], prices[x], state)
                is_tested = is_due(pair.taken, terms.window, terms.step)
            pair.bar = bar
            if is_tested or not pair.known:
                row = rows[n]
                row.cause = quote.cause
                row.ts = quote.ts
                row.pair = p
                _judge(row, p, pair, terms, is_tested, state)
                pair.known = 1
                n += 1
        tradable[instrument] = is_tradable
        if is_tradable:
            prices[instrument] = mid
    return n


@kernel
def _mid(quote: Any, tick: float, log: int) -> tuple[float, bool]:
    """The quote's mid, or its logarithm, and whether it gives one to trade on."""
    mid = (float(quote.bid) + float(quote.ask)) * 0.5 * tick
    if quote.state != 0 or (log and mid <= 0.0):
        return 0.0, False
    return math.log(mid) if log else mid, True


@kernel
def _take(p: int, pair: Any, window: int, y: float, x: float, state: Frame) -> None:
    at = p * window + pair.taken % window
    table(state, 3, np.float64)[at] = y
    table(state, 4, np.float64)[at] = x
    pair.taken += 1


@kernel
def _judge(row: Any, p: int, pair: Any, terms: Any, is_tested: bool, state: Frame) -> None:
    """Fill a row: of a test, or the first one of a pair, which is closed until it is tested."""
    statistic, hedge, lags, is_valid = 0.0, 0.0, 0, False
    window = terms.window
    if is_tested:
        split = pair.taken % window
        y = in_order(table(state, 3, np.float64), p * window, window, split)
        x = in_order(table(state, 4, np.float64), p * window, window, split)
        statistic, hedge, lags, is_valid = engle_granger(y, x, terms.lags, terms.chooses != 0)
    probability = p_value(statistic) if is_valid else 1.0
    if probability <= terms.open:
        pair.state = _OPEN
    elif probability > terms.close:
        pair.state = _CLOSED
    row.statistic = statistic if is_valid else 0.0
    row.p_value = probability
    row.critical = critical_value(window)
    row.hedge = hedge if is_valid else 0.0
    row.lags = lags
    row.state = pair.state
