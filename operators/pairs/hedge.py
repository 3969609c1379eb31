"""Hedges other than the static and the rolling one: how a sample changes them."""

from typing import Any

from operators.kernel import kernel, table
from operators.pairs.ewls import DECAYED_LINE, decay_line
from operators.pairs.kalman import FILTER, filter_line
from operators.pairs.lines import least_squares, total_least_squares
from operators.pairs.moments import MOMENTS, QUEUE, roll_moments

STATIC, ROLLING, TIMED, TOTAL, KALMAN, EWLS = 0, 1, 2, 3, 4, 5
"""Kinds of hedge: ROLLING is over a number of samples, TIMED over a time, TOTAL over either."""

FILTERS, DECAYED, LINE_QUEUES, LINE_MOMENTS, SPREAD_QUEUES, SPREAD_MOMENTS, TOPS = 4, 5, 6, 7, 8, 9, 10
"""Numbers of the tables of the spread operator's state that only some parameters need."""

REFRESHED, TOO_FEW, SINGULAR = 0, 1, 2
"""What became of a hedge: in force, waiting for more samples, or kept as it was."""


@kernel
def refresh_hedge(p: int, pair: Any, stats: Any, terms: Any, has_hedge: bool, state: int) -> tuple[int, float]:
    """Take pair `p` as it stands for a sample; return what became of its hedge, and the sample's residual.

    Hedges over a window leave the residual at the new hedge, as the rolling one does. Recursive ones leave
    their prediction error, at the hedge before the sample: what is left after the update has been fitted
    away in part, and would make every later deviation look too large.
    """
    if terms.hedge_kind == KALMAN:
        return _filter(p, pair, stats, terms, state)
    if terms.hedge_kind == EWLS:
        return _decay(p, pair, stats, terms, has_hedge, state)
    return _roll(p, pair, stats, terms, state)


@kernel
def _filter(p: int, pair: Any, stats: Any, terms: Any, state: int) -> tuple[int, float]:
    knows = table(state, FILTERS, FILTER)[p]
    adapt = terms.adapt if stats.samples >= terms.hedge_least else 0.0
    slope, level, error, is_finite = filter_line(knows, terms.walk, adapt, pair.hedge, pair.intercept, pair.x, pair.y)
    if not is_finite:
        return SINGULAR, error
    pair.hedge = slope
    pair.intercept = level
    stats.samples += stats.samples < terms.hedge_least
    return (TOO_FEW if stats.samples < terms.hedge_least else REFRESHED), error


@kernel
def _decay(p: int, pair: Any, stats: Any, terms: Any, has_hedge: bool, state: int) -> tuple[int, float]:
    moments = table(state, DECAYED, DECAYED_LINE)[p]
    slope, level, determined = decay_line(moments, terms.keep, terms.fit_intercept, pair.x, pair.y)
    stats.samples += stats.samples < terms.hedge_least
    if stats.samples < terms.hedge_least:
        return TOO_FEW, 0.0
    if not determined:
        return SINGULAR, 0.0
    error = pair.y - (pair.hedge * pair.x + pair.intercept if has_hedge else slope * pair.x + level)
    pair.hedge = slope
    pair.intercept = level
    return REFRESHED, error


@kernel
def _roll(p: int, pair: Any, stats: Any, terms: Any, state: int) -> tuple[int, float]:
    queue = table(state, LINE_QUEUES, QUEUE)[p]
    ring = table(state, LINE_MOMENTS, MOMENTS)
    span = terms.hedge_window
    stats.samples += 1
    key = pair.bar if terms.hedge_in_bars else stats.samples
    n, x, y, xx, xy, yy = roll_moments(queue, ring, p * span, span, key, terms.fit_intercept, pair.x, pair.y)
    if n < terms.hedge_least:
        return TOO_FEW, 0.0
    if terms.hedge_kind == TOTAL:
        slope, level, determined = total_least_squares(x, y, xx, xy, yy)
    else:
        slope, level, determined = least_squares(x, y, xx, xy)
    if not determined:
        return SINGULAR, 0.0
    pair.hedge = slope
    pair.intercept = level
    return REFRESHED, pair.y - slope * pair.x - level
