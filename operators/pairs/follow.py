"""The kernel of the pair statistics: spreads and their legs' quotes in, a row per pair now and then."""

import math
from typing import Any

import numpy as np

from operators.kernel import kernel, table
from operators.pairs.character import correlation, half_life, hurst, reversion
from operators.pairs.window import BY_EVENT, in_order, is_due
from schemas.market import QUOTES
from schemas.record import Frame
from schemas.signal import PAIR_STATISTICS, SPREADS, StatisticsState

_QUOTE, _SPREAD, _ROW = QUOTES.dtype, SPREADS.dtype, PAIR_STATISTICS.dtype
_STILL, _DRIFTING = int(StatisticsState.STILL), int(StatisticsState.DRIFTING)

FOLLOWED = np.dtype(
    [
        ("y", "f8"),  # log mids and spread as of the last row
        ("x", "f8"),
        ("spread", "f8"),
        ("bar", "i8"),  # of the last row
        ("taken", "i8"),  # samples so far
        ("usable", "i8"),  # 1: the last row may become a sample
    ],
    align=True,
)

FOLLOW_TERMS = np.dtype([("every", "i8"), ("window", "i8"), ("step", "i8")], align=True)
"""The operator's parameters: ns, BY_EVENT or BY_CHANGE; samples; samples."""


@kernel
def follow_pairs(desk: Frame, state: Frame, quotes: Frame, spreads: Frame) -> int:
    """Write the rows of `spreads` to the scratch table and return how many.

    Returns `-1 - i` where spread `i` is of no pair of the desk. Of one cause quotes come before spreads. `desk`
    is the ctx of the tables that stay (terms, legs, rows), `state` of those that change (log mids by
    instrument, pairs, and the windows of y, x and spread).
    """
    terms = table(desk, 0, FOLLOW_TERMS)[0]
    legs = table(desk, 1, np.int64)
    rows = table(desk, 2, _ROW)
    mids = table(state, 0, np.float64)
    pairs = table(state, 1, FOLLOWED)
    every = terms.every
    n = q = 0
    for i in range(len(spreads)):
        spread = spreads[i]
        p = spread.pair
        if not 0 <= p < len(pairs):
            return -1 - i
        while q < len(quotes) and quotes[q].cause <= spread.cause:
            _note(mids, quotes[q])
            q += 1
        pair = pairs[p]
        bar = spread.ts // every if every > 0 else 0
        y, x = mids[legs[2 * p]], mids[legs[2 * p + 1]]
        is_new = every == BY_EVENT or y != pair.y or x != pair.x or spread.spread != pair.spread
        if pair.usable and (bar > pair.bar if every > 0 else is_new):
            _take(p, pair, terms.window, state)
            if is_due(pair.taken, terms.window, terms.step):
                row = rows[n]
                row.cause = spread.cause
                row.ts = spread.ts
                row.pair = p
                _describe(row, p, pair, terms.window, state)
                n += 1
        pair.bar = bar
        pair.y = y
        pair.x = x
        pair.spread = spread.spread
        pair.usable = spread.state == 0 and np.isfinite(pair.y) and np.isfinite(pair.x)
    while q < len(quotes):
        _note(mids, quotes[q])
        q += 1
    return n


@kernel
def _note(mids: Frame, quote: Any) -> None:
    """Keep a tradable quote's mid, as a logarithm up to a constant: only changes count."""
    if quote.state == 0 and 0 <= quote.instrument < len(mids):
        double = float(quote.bid) + float(quote.ask)
        mids[quote.instrument] = math.log(double) if double > 0.0 else np.nan


@kernel
def _take(p: int, pair: Any, window: int, state: Frame) -> None:
    """What the last row left becomes a sample."""
    at = p * window + pair.taken % window
    table(state, 2, np.float64)[at] = pair.y
    table(state, 3, np.float64)[at] = pair.x
    table(state, 4, np.float64)[at] = pair.spread
    pair.taken += 1


@kernel
def _describe(row: Any, p: int, pair: Any, window: int, state: Frame) -> None:
    """Fill a row from the pair's windows. What cannot be computed is 0, and `state` says why."""
    split = pair.taken % window
    y = in_order(table(state, 2, np.float64), p * window, window, split)
    x = in_order(table(state, 3, np.float64), p * window, window, split)
    spread = in_order(table(state, 4, np.float64), p * window, window, split)
    together, phi, exponent = correlation(y, x), reversion(spread), hurst(spread)
    life = half_life(phi)
    row.state = 0
    if not (np.isfinite(together) and np.isfinite(phi) and np.isfinite(exponent)):
        row.state |= _STILL
    if phi >= 1.0:
        row.state |= _DRIFTING
    row.correlation = together if np.isfinite(together) else 0.0
    row.reversion = phi if np.isfinite(phi) else 0.0
    row.hurst = exponent if np.isfinite(exponent) else 0.0
    row.half_life = life if np.isfinite(life) else 0.0
