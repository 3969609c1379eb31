"""Correlation, distance and cointegration of many pairs at once, from one window of all instruments.

The figures of a pair are those of `operators.pairs.character` and `operators.pairs.unit_root`, with as many
lags as the screening says. Pairs that share their y are taken in blocks, and every loop over samples has one
over the pairs of the block inside: sums of different pairs do not wait for each other, so the processor adds
several at a time, and a pair's own sum is taken in the order of its samples whatever the block. Nothing
is kept from screening to screening, so nothing drifts.
"""

import math

import numpy as np

from operators.kernel import kernel
from operators.pairs.unit_root import COLLINEAR
from schemas.record import Frame

BLOCK = 64
STATISTIC, HEDGE, CORRELATION, DISTANCE = 0, 1, 2, 3
"""Rows of the figures."""


@kernel
def screen_pairs(levels: Frame, starts: Frame, xs: Frame, lags: int, figures: Frame) -> None:
    """Fill `figures`, a column per pair, with NaN for what there is none of.

    `levels` are the instruments' log mids, a row per sample; the pairs of which instrument `i` is the y have as x
    the instruments `xs[starts[i] : starts[i + 1]]`.
    """
    window, count = levels.shape
    centred = levels - levels[0]  # what stands still is then 0 without rounding
    squares, turns = np.zeros(count), np.zeros(count)
    for i in range(count):
        mean = centred[:, i].mean()
        drift = centred[-1, i] / (window - 1)
        for t in range(1, window):
            turns[i] += (centred[t, i] - centred[t - 1, i] - drift) ** 2
        for t in range(window):
            centred[t, i] -= mean
            squares[i] += centred[t, i] ** 2
    block, residuals = np.empty((window, BLOCK)), np.empty((window, BLOCK))
    for y in range(count):
        own = centred[:, y].copy()
        for first in range(starts[y], starts[y + 1], BLOCK):
            some = xs[first : min(first + BLOCK, starts[y + 1])]
            found = figures[:, first : first + len(some)]
            for t in range(window):
                for k in range(len(some)):
                    block[t, k] = centred[t, some[k]]
            _compare(own, block, residuals, squares[some], turns[some], squares[y], turns[y], found)
            _test(residuals, lags, found[STATISTIC])


@kernel
def _compare(
    y: Frame, xs: Frame, residuals: Frame, xx: Frame, turns: Frame, yy: float, turns_y: float, found: Frame
) -> None:
    """Fill all figures but the statistic, which is NaN where there can be none, and the residuals."""
    window, count = len(y), len(xx)
    xy, together, apart = np.zeros(count), np.zeros(count), np.zeros(count)
    drift = (y[-1] - y[0]) / (window - 1)
    for t in range(window):
        turn = y[t] - y[t - 1] - drift if t > 0 else 0.0
        before = xs[max(t - 1, 0)]
        for k in range(count):
            xy[k] += y[t] * xs[t, k]
            together[k] += turn * (xs[t, k] - before[k])
            gap = (y[t] - y[0]) - (xs[t, k] - xs[0, k])
            apart[k] += gap * gap
    left = np.zeros(count)
    hedge = xy / xx
    for t in range(window):
        for k in range(count):
            residual = y[t] - hedge[k] * xs[t, k]
            residuals[t, k] = residual
            left[k] += residual * residual
    for k in range(count):
        is_sound = xx[k] > 0.0 and left[k] / yy > 1.0 - COLLINEAR
        found[STATISTIC, k] = 0.0 if is_sound else np.nan
        found[HEDGE, k] = hedge[k]
        found[CORRELATION, k] = together[k] / math.sqrt(turns_y * turns[k])
        found[DISTANCE, k] = math.sqrt(apart[k] / window)


@kernel
def _test(r: Frame, lags: int, statistics: Frame) -> None:
    """The Dickey-Fuller statistic of every column of residuals that can have one.

    The sums of products of lagged changes, level and change (`operators.pairs.unit_root` explains which) are
    solved by Cholesky's factors: the last but one row of the last column is the level's part of the change.
    """
    window, count = len(r), len(statistics)
    size = lags + 2
    terms = np.empty((size, count))
    sums = np.zeros((size * size, count))
    for t in range(lags + 1, window):
        for lag in range(1, lags + 1):
            for k in range(count):
                terms[lag - 1, k] = r[t - lag, k] - r[t - lag - 1, k]
        for k in range(count):
            terms[lags, k] = r[t - 1, k]
            terms[lags + 1, k] = r[t, k] - r[t - 1, k]
        for a in range(size):
            for b in range(a + 1):
                for k in range(count):
                    sums[a * size + b, k] += terms[a, k] * terms[b, k]
    factor = np.zeros((size, size))
    for k in range(count):
        for a in range(size):
            for b in range(a + 1):
                rest = sums[a * size + b, k]
                for c in range(b):
                    rest -= factor[a, c] * factor[b, c]
                factor[a, b] = math.sqrt(rest) if a == b else rest / factor[b, b]
        level, unexplained = factor[size - 1, size - 2], factor[size - 1, size - 1]
        statistic = level / (unexplained / math.sqrt(window - 2 - 2 * lags))
        if np.isnan(statistics[k]) or not np.isfinite(statistic):
            statistics[k] = np.nan
        else:
            statistics[k] = statistic
