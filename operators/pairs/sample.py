"""What is known of a pair, and how a sample changes it."""

from typing import Any

import numpy as np

from operators.kernel import inlined, table
from operators.pairs.deviation import SPREAD_SLOT, decay_deviation, roll_deviation
from operators.pairs.regression import LINE_SLOT, roll_line
from schemas.signal import SpreadState

Y_UNTRADABLE, X_UNTRADABLE, Y_UNSEEN, X_UNSEEN = 1, 2, 4, 8
"""Bits of `legs`. Those of x are those of y shifted by one."""

NO_HEDGE = 8
"""Bit of a pair's `state` beside those of SpreadState, never shown: no regression has succeeded yet."""

_COLD = int(SpreadState.COLD)
_DEGENERATE = int(SpreadState.DEGENERATE)

NOISE = 1e-13
"""A deviation below this share of |y| + |hedge * x| is rounding, not movement."""

PAIR = np.dtype(
    [
        ("y", "f8"),  # last tradable price of each leg, currency or log
        ("x", "f8"),
        ("hedge", "f8"),  # in force until the next sample
        ("intercept", "f8"),
        ("mean", "f8"),
        ("deviation", "f8"),
        ("bar", "i8"),  # of the last touch
        ("legs", "i4"),
        ("state", "i4"),
    ],
    align=True,
)
"""What every touch of a pair needs: one cache line."""

STATISTICS = np.dtype(
    [
        ("residuals", "i8"),  # samples of the spread so far, counted up to `warm`
        ("next", "i8"),
        ("mean", "f8"),
        ("squares", "f8"),
        ("samples", "i8"),  # samples of the regression so far, counted up to its window
        ("line_next", "i8"),
        ("line_x", "f8"),
        ("line_y", "f8"),
        ("line_xx", "f8"),
        ("line_xy", "f8"),
    ],
    align=True,
)
"""What only a sample needs; see `deviation` and `regression`."""

LINES, SPREADS = 2, 3
"""Numbers of the windows among the operator's state tables."""

TERMS = np.dtype(
    [
        ("every", "i8"),  # ns; 0: every touch is a sample
        ("hedge_window", "i8"),  # samples; 0: static hedge
        ("spread_window", "i8"),  # samples; 0: exponentially weighted
        ("warm", "i8"),  # samples of the spread until it is no longer cold
        ("alpha", "f8"),
        ("fit_intercept", "i4"),
        ("log", "i4"),
    ],
    align=True,
)
"""An operator's parameters, as its kernel sees them."""


@inlined
def take_sample(p: int, pair: Any, stats: Any, terms: Any, ctx: int) -> None:
    """Pair number `p` as it stands is a sample: refresh its hedge, then mean and deviation of its spread.

    `ctx` is that of the operator's state; the windows are its tables LINES and SPREADS.

    While the regression is singular the last hedge stays in force and the spread is not sampled.
    """
    state = 0
    if terms.hedge_window > 0:
        window = terms.hedge_window
        lines = table(ctx, LINES, LINE_SLOT)
        slope, level, determined = roll_line(stats, lines, p * window, window, terms.fit_intercept, pair.x, pair.y)
        stats.samples += stats.samples < window
        if stats.samples < window:
            return
        if not determined:
            pair.state |= _DEGENERATE
            return
        pair.hedge = slope
        pair.intercept = level
    residual = pair.y - pair.hedge * pair.x - pair.intercept
    if not np.isfinite(residual):
        pair.state = (pair.state | _DEGENERATE) & ~NO_HEDGE
        return
    if terms.spread_window > 0:
        spreads = table(ctx, SPREADS, SPREAD_SLOT)
        mean, variance = roll_deviation(stats, spreads, p * terms.spread_window, terms.spread_window, residual)
    else:
        mean, variance = decay_deviation(stats, terms.alpha, residual)
    stats.residuals += stats.residuals < terms.warm
    if stats.residuals < terms.warm:
        pair.state = _COLD
        return
    deviation = np.sqrt(variance)
    if not (np.isfinite(deviation) and deviation > NOISE * (abs(pair.y) + abs(pair.hedge * pair.x))):
        deviation = 0.0
        state = _DEGENERATE
    pair.mean = mean
    pair.deviation = deviation
    pair.state = state
