"""What is known of a pair, and how a sample changes it."""

from typing import Any

import numpy as np

from operators.kernel import kernel, table
from operators.pairs.deviation import decay_deviation, roll_deviation
from operators.pairs.hedge import (
    REFRESHED,
    ROLLING,
    SINGULAR,
    SPREAD_MOMENTS,
    SPREAD_QUEUES,
    STATIC,
    TOO_FEW,
    refresh_hedge,
)
from operators.pairs.moments import MOMENTS, QUEUE, roll_moments
from operators.pairs.regression import roll_line
from schemas.record import Frame
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

TERMS = np.dtype(
    [
        ("every", "i8"),  # ns; 0: every touch is a sample
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
    ],
    align=True,
)
"""An operator's parameters, as its kernel sees them."""


@kernel
def take_sample(p: int, pair: Any, stats: Any, terms: Any, lines: Frame, spreads: Frame, state: int) -> None:
    """Pair number `p` as it stands is a sample: refresh its hedge, then mean and deviation of its spread.

    While the regression is singular the last hedge stays in force and the spread is not sampled. `state` is
    the ctx behind the other arguments.
    """
    residual = 0.0
    if terms.hedge_kind > ROLLING:
        fate, residual = refresh_hedge(p, pair, stats, terms, pair.state & NO_HEDGE == 0, state)
    else:
        fate = REFRESHED if terms.hedge_kind == STATIC else _roll_hedge(p, pair, stats, terms, lines)
        residual = pair.y - pair.hedge * pair.x - pair.intercept
    if fate == TOO_FEW:
        pair.state = (pair.state & NO_HEDGE) | _COLD
        return
    if fate == SINGULAR:
        pair.state |= _DEGENERATE
        return
    if not np.isfinite(residual):
        pair.state = (pair.state | _DEGENERATE) & ~NO_HEDGE
        return
    _compare(p, pair, stats, terms, spreads, residual, state)


@kernel
def _roll_hedge(p: int, pair: Any, stats: Any, terms: Any, lines: Frame) -> int:
    """The rolling hedge over a number of samples."""
    window = terms.hedge_window
    slope, level, determined = roll_line(stats, lines, p * window, window, terms.fit_intercept, pair.x, pair.y)
    stats.samples += stats.samples < window
    if stats.samples < window:
        return TOO_FEW
    if not determined:
        return SINGULAR
    pair.hedge = slope
    pair.intercept = level
    return REFRESHED


@kernel
def _compare(p: int, pair: Any, stats: Any, terms: Any, spreads: Frame, residual: float, state: int) -> None:
    """A residual enters what later spreads are compared with."""
    kind, window = terms.zscore_kind, terms.spread_window
    if kind == INNOVATION:
        pair.state = 0
        return
    if kind == WINDOW:
        mean, variance = roll_deviation(stats, spreads, p * window, window, residual)
        stats.residuals += stats.residuals < terms.warm
    elif kind == DECAY:
        mean, variance = decay_deviation(stats, terms.alpha, residual)
        stats.residuals += stats.residuals < terms.warm
    else:
        queue, ring = table(state, SPREAD_QUEUES, QUEUE)[p], table(state, SPREAD_MOMENTS, MOMENTS)
        n, _, mean, _, _, squares = roll_moments(queue, ring, p * window, window, pair.bar, True, 0.0, residual)
        variance = squares / (n - 1)
        stats.residuals = n
    if stats.residuals < terms.warm:
        pair.state = _COLD
        return
    deviation = np.sqrt(variance)
    if np.isfinite(deviation) and deviation > NOISE * (abs(pair.y) + abs(pair.hedge * pair.x)):
        pair.state = 0
    else:
        deviation = 0.0
        pair.state = _DEGENERATE
    pair.mean = mean
    pair.deviation = deviation
