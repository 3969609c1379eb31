"""Correlation, distance and cointegration of many pairs at once, from one window of all instruments.

The figures of a pair are those of `operators.pairs.character` and `operators.pairs.unit_root`, but for the choice
of lags. Prices that bounce between bid and ask make a walk look as if it reverted, unless there are lags enough to
account for it: with a noise of twice the walk's step, one lag finds 55 % of unrelated walks cointegrated at 5 %,
Akaike's choice of up to 8 lags 12 %. The modified criterion of S. Ng and P. Perron, "Lag length selection and the
construction of unit root tests with good size and power", Econometrica 69 (2001), finds 5 % of 300 samples: it is

    log(s) + 2 (b^2 sum(r[t-1]^2) / s + lags) / rows,    s = residual sum of squares / rows, b the level's slope.

Pairs that share their y are taken in blocks, and every loop over samples has one
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
STATISTIC, HEDGE, CORRELATION, DISTANCE, LAGS = 0, 1, 2, 3, 4
"""Rows of the figures."""


@kernel
def screen_pairs(levels: Frame, starts: Frame, xs: Frame, lags_max: int, figures: Frame) -> None:
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
            _test(residuals, lags_max, found)


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
def _test(r: Frame, lags_max: int, found: Frame) -> None:
    """The Dickey-Fuller statistic of every column of residuals that can have one, and its lags.

    What is summed are the products of the lagged changes, the level before and the change itself.
    """
    window, count = len(r), found.shape[1]
    size = lags_max + 2
    terms = np.empty((size, count))
    sums = np.zeros((size, size, count))
    for t in range(lags_max + 1, window):
        for lag in range(1, lags_max + 1):
            for k in range(count):
                terms[lag - 1, k] = r[t - lag, k] - r[t - lag - 1, k]
        for k in range(count):
            terms[lags_max, k] = r[t - 1, k]
            terms[lags_max + 1, k] = r[t, k] - r[t - 1, k]
        for a in range(size):
            for b in range(a + 1):
                for k in range(count):
                    sums[a, b, k] += terms[a, k] * terms[b, k]
    factor = np.empty((size, lags_max))
    for k in range(count):
        statistic, lags = _choose(sums[:, :, k], window - 1 - lags_max, factor)
        found[STATISTIC, k] = statistic if found[STATISTIC, k] == 0.0 and np.isfinite(statistic) else np.nan
        found[LAGS, k] = lags


@kernel
def _choose(sums: Frame, rows: int, factor: Frame) -> tuple[float, int]:
    """The t-value of the level with the number of lags that the modified Akaike criterion chooses, and that number.

    All numbers of lags are judged on the same `rows`. The models are nested: with Cholesky's factor of the lags, what
    the first n of them leave of the squares and products of level and change are differences of partial sums.
    """
    lags_max = factor.shape[1]
    level, change = lags_max, lags_max + 1
    levels, product, changes = sums[level, level], sums[change, level], sums[change, change]
    statistic, chosen, least = np.nan, 0, np.inf
    for lags in range(lags_max + 1):
        if lags > 0:  # one more of them
            new = lags - 1
            for a in range(new, lags_max + 2):
                rest = sums[a, new]
                for b in range(new):
                    rest -= factor[a, b] * factor[new, b]
                factor[a, new] = math.sqrt(rest) if a == new else rest / factor[new, new]
            levels -= factor[level, new] ** 2
            product -= factor[level, new] * factor[change, new]
            changes -= factor[change, new] ** 2
        slope = product / levels
        unexplained = changes - slope * product
        criterion = math.log(unexplained / rows) + 2.0 * (
            slope * slope * sums[level, level] / unexplained + lags / rows
        )
        if criterion < least:
            least, chosen = criterion, lags
            statistic = slope / math.sqrt(unexplained / (rows - lags - 1) / levels)
    return statistic, chosen
