"""How a sample changes a pair, whatever its hedge and z-score: `operators.pairs.sample` in full."""

from typing import Any

import numpy as np

from operators.kernel import kernel, table
from operators.pairs.deviation import SPREAD_SLOT, decay_deviation, roll_deviation
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
from operators.pairs.regression import LINE_SLOT, roll_line
from operators.pairs.sample import DECAY, INNOVATION, LINES, NO_HEDGE, SPREADS, WINDOW, set_deviation
from schemas.signal import SpreadState

_COLD = int(SpreadState.COLD)
_DEGENERATE = int(SpreadState.DEGENERATE)


@kernel
def take_any_sample(p: int, pair: Any, stats: Any, terms: Any, state: int) -> None:
    """Pair number `p` as it stands is a sample: refresh its hedge, then what later spreads are compared with.

    While the regression is singular the last hedge stays in force and the spread is not sampled. `state` is
    the ctx of the operator's state.
    """
    if terms.hedge_kind > ROLLING:
        fate, residual = refresh_hedge(p, pair, stats, terms, pair.state & NO_HEDGE == 0, state)
    else:
        fate = REFRESHED if terms.hedge_kind == STATIC else _roll_hedge(p, pair, stats, terms, state)
        residual = pair.y - pair.hedge * pair.x - pair.intercept
    if fate == TOO_FEW:
        pair.state = (pair.state & NO_HEDGE) | _COLD
    elif fate == SINGULAR:
        pair.state |= _DEGENERATE
    elif not np.isfinite(residual):
        pair.state = (pair.state | _DEGENERATE) & ~NO_HEDGE
    elif terms.zscore_kind == INNOVATION:
        pair.state = 0
    else:
        _compare(p, pair, stats, terms, residual, state)


@kernel
def _roll_hedge(p: int, pair: Any, stats: Any, terms: Any, state: int) -> int:
    """The rolling hedge over a number of samples."""
    window = terms.hedge_window
    lines = table(state, LINES, LINE_SLOT)
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
def _compare(p: int, pair: Any, stats: Any, terms: Any, residual: float, state: int) -> None:
    """A residual enters mean and deviation."""
    window = terms.spread_window
    if terms.zscore_kind == WINDOW:
        spreads = table(state, SPREADS, SPREAD_SLOT)
        mean, variance = roll_deviation(stats, spreads, p * window, window, residual)
        stats.residuals += stats.residuals < terms.warm
    elif terms.zscore_kind == DECAY:
        mean, variance = decay_deviation(stats, terms.alpha, residual)
        stats.residuals += stats.residuals < terms.warm
    else:
        queue, ring = table(state, SPREAD_QUEUES, QUEUE)[p], table(state, SPREAD_MOMENTS, MOMENTS)
        n, _, mean, _, _, squares = roll_moments(queue, ring, p * window, window, pair.bar, True, 0.0, residual)
        variance = squares / (n - 1)
        stats.residuals = n
    set_deviation(pair, stats.residuals >= terms.warm, mean, variance)
