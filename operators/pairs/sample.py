"""What is known of a pair, and how a sample changes it."""

from typing import Any

import numpy as np

from operators.kernel import inlined, table
from operators.pairs.deviation import SPREAD_SLOT, decay_deviation, roll_deviation
from operators.pairs.hedge import ROLLING
from operators.pairs.regression import LINE_SLOT, roll_line
from schemas.signal import SpreadState

Y_UNTRADABLE, X_UNTRADABLE, OLD_LEG, Y_UNSEEN, X_UNSEEN = 1, 2, 4, 8, 16
"""Bits of `legs`. Those of x are those of y shifted by one; OLD_LEG is of either."""

NO_HEDGE = 1 << 30
"""Bit of a pair's `state` beside those of SpreadState, never shown: no regression has succeeded yet."""

WINDOW, DECAY, TIME, INNOVATION = 0, 1, 2, 3
"""What a spread is compared with: its last samples, all with decaying weights, those of a time, its own variance."""

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
        ("residuals", "i8"),  # samples of the spread so far, counted up to `warm`; those in a window of time
        ("next", "i8"),
        ("mean", "f8"),
        ("squares", "f8"),
        ("samples", "i8"),  # samples of the hedge so far; where nothing asks for more, up to those it needs
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
        ("every", "i8"),  # ns, BY_EVENT or BY_CHANGE
        ("hedge_window", "i8"),  # samples, or bars
        ("hedge_least", "i8"),  # samples that make a hedge
        ("spread_window", "i8"),  # samples, or bars
        ("warm", "i8"),  # samples of the spread until it is no longer cold; those a window of time must hold
        ("max_age", "i8"),  # ns; 0: none
        ("alpha", "f8"),  # weight of a sample of the spread
        ("keep", "f8"),  # ewls: what weights are multiplied by
        ("walk", "f8"),  # kalman: see `operators.pairs.kalman`
        ("adapt", "f8"),
        ("hedge_kind", "i4"),
        ("hedge_in_bars", "i4"),
        ("zscore_kind", "i4"),
        ("fit_intercept", "i4"),
        ("log", "i4"),
        ("executable", "i4"),
        ("is_usual", "i4"),  # 1: of the kinds that `take_sample` is for
    ],
    align=True,
)
"""An operator's parameters, as its kernel sees them."""


@inlined
def take_sample(p: int, pair: Any, stats: Any, terms: Any, ctx: int) -> None:
    """Pair number `p` as it stands is a sample: refresh its hedge, then mean and deviation of its spread.

    For hedges STATIC and ROLLING and z-scores WINDOW and DECAY; `operators.pairs.any_sample` is for all kinds.
    `ctx` is that of the operator's state; the windows are its tables LINES and SPREADS.

    While the regression is singular the last hedge stays in force and the spread is not sampled.
    """
    if terms.hedge_kind == ROLLING:
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
    if terms.zscore_kind == WINDOW:
        spreads = table(ctx, SPREADS, SPREAD_SLOT)
        mean, variance = roll_deviation(stats, spreads, p * terms.spread_window, terms.spread_window, residual)
    else:
        mean, variance = decay_deviation(stats, terms.alpha, residual)
    stats.residuals += stats.residuals < terms.warm
    set_deviation(pair, stats.residuals >= terms.warm, mean, variance)


@inlined
def set_deviation(pair: Any, is_warm: bool, mean: float, variance: float) -> None:
    """Later rows are measured by this mean and variance, once `is_warm`."""
    if not is_warm:
        pair.mean = pair.deviation = 0.0  # a window of time can fall cold again
        pair.state = _COLD
        return
    state = 0
    deviation = np.sqrt(variance)
    if not (np.isfinite(deviation) and deviation > NOISE * (abs(pair.y) + abs(pair.hedge * pair.x))):
        deviation = 0.0
        state = _DEGENERATE
    pair.mean = mean
    pair.deviation = deviation
    pair.state = state
