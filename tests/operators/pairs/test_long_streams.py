"""Statistics after very many updates equal those computed anew: nothing drifts beyond 1e-9.

Two million updates in every run of the tests, a hundred million in the soak.
"""

import numpy as np
import pytest
from numba import njit

from operators.pairs.deviation import SPREAD_SLOT, decay_deviation, roll_deviation
from operators.pairs.ewls import DECAYED_LINE, decay_line
from operators.pairs.kalman import FILTER, filter_line, prediction_variance
from operators.pairs.lines import total_least_squares
from operators.pairs.moments import MOMENTS, QUEUE, roll_moments
from operators.pairs.regression import LINE_SLOT, roll_line
from operators.pairs.sample import STATISTICS
from tests.operators.pairs.test_ewls import weighted
from tests.operators.pairs.test_kalman import textbook, textbook_start

CHUNK, SPAN = 1_000_000, 500
LENGTHS = [2, pytest.param(100, marks=pytest.mark.soak)]
"""Chunks of a million."""


def chunks(count, seed=8):
    """Chunks of x and y that follow each other: a walk around 100 with jumps that come and go."""
    rng = np.random.default_rng(seed)
    level = 100.0
    for _ in range(count):
        steps = 0.01 * rng.standard_normal(CHUNK)
        xs = np.empty(CHUNK)
        reverting_walk(xs, steps, level)
        level = xs[-1]
        ys = 7 + 0.8 * xs + 0.05 * rng.standard_normal(CHUNK)
        ys[rng.integers(0, CHUNK - 2 * SPAN, 30)] += 1e4
        yield xs, ys


@njit
def reverting_walk(xs, steps, level):
    for i in range(len(xs)):
        level += steps[i] - 1e-5 * (level - 100)
        xs[i] = level


@njit
def roll_everything(stats, spreads, lines, queue, moments, taken, xs, ys):
    for i in range(len(xs)):
        mean, variance = roll_deviation(stats[0], spreads, 0, SPAN, ys[i])
        slope, level, _ = roll_line(stats[1], lines, 0, SPAN, True, xs[i], ys[i])
        _, x, y, xx, xy, yy = roll_moments(queue[0], moments, 0, SPAN, taken + i, True, xs[i], ys[i])
    total = total_least_squares(x, y, xx, xy, yy)
    return mean, np.sqrt(variance), slope, level, xy / np.sqrt(xx * yy), total[0]


@pytest.mark.parametrize("count", LENGTHS)
def test_windows(count):
    """Mean, deviation, regression, correlation and total least squares of the last 500 samples."""
    stats, queue = np.zeros(2, STATISTICS), np.zeros(1, QUEUE)
    rings = np.zeros(SPAN, SPREAD_SLOT), np.zeros(SPAN, LINE_SLOT)
    moments = np.zeros(SPAN, MOMENTS)
    for number, (xs, ys) in enumerate(chunks(count)):
        found = roll_everything(stats, *rings, queue, moments, number * CHUNK, xs, ys)
        x, y = (v[-SPAN:].astype(np.longdouble) for v in (xs, ys))
        gap_x, gap_y = x - x.mean(), y - y.mean()
        slope = gap_x @ gap_y / (gap_x @ gap_x)
        correlation = gap_x @ gap_y / np.sqrt((gap_x @ gap_x) * (gap_y @ gap_y))
        d, c = gap_y @ gap_y - gap_x @ gap_x, 2 * gap_x @ gap_y
        total = (d + np.sqrt(d * d + c * c)) / c
        wanted = (y.mean(), y.std(ddof=1), slope, y.mean() - slope * x.mean(), correlation, total)
        np.testing.assert_allclose(found, [float(v) for v in wanted], rtol=1e-9)


@njit
def decay_everything(stats, moments, alpha, keep, xs, ys):
    for i in range(len(xs)):
        mean, variance = decay_deviation(stats[0], alpha, ys[i])
        stats[0].residuals = 1
        slope, level, _ = decay_line(moments[0], keep, True, xs[i], ys[i])
    return mean, variance, slope, level


@pytest.mark.parametrize("count", LENGTHS)
def test_decaying_weights(count):
    """Mean, deviation and regression with weights that halve every 100 samples; older ones than 10,000 are 0."""
    stats, moments, half_life = np.zeros(1, STATISTICS), np.zeros(1, DECAYED_LINE), 100
    keep = 2 ** (-1 / half_life)
    for xs, ys in chunks(count):
        found = decay_everything(stats, moments, 1 - keep, keep, xs, ys)
        y = ys[-10_000:].astype(np.longdouble)
        weights = np.longdouble(keep) ** np.arange(len(y) - 1, -1, -1)
        weights /= weights.sum()
        mean = (weights * y).sum()
        wanted = float(mean), float((weights * (y - mean) ** 2).sum()), *weighted(xs[-10_000:], ys[-10_000:], 100, True)
        np.testing.assert_allclose(found, wanted, rtol=1e-9)


@njit
def filter_everything(knows, line, walk, xs, ys):
    for i in range(len(xs)):
        slope, level, _, is_finite = filter_line(knows[0], walk, 0.0, line[0], line[1], xs[i], ys[i])
        line[0] = slope
        line[1] = level
        if not is_finite:
            return False
    return True


@pytest.mark.parametrize("count", LENGTHS)
def test_the_filter(count):
    """Hedge, intercept and prediction variance against the textbook's filter in twice the precision."""
    walk, noise = 1e-4 / (1 - 1e-4), 1e-3
    knows, line, known = np.zeros(1, FILTER), np.zeros(2), textbook_start(noise, 0.0)
    knows["noise"] = noise
    out = np.zeros((CHUNK, 4))
    for xs, ys in chunks(count):
        assert filter_everything(knows, line, walk, xs, ys)
        textbook(walk, 0.0, known, xs, ys, out)
        slope, level, p11, p12, p22 = known[1:].sum(axis=1)
        x = xs[-1]
        size = abs(slope * x) + abs(level)
        np.testing.assert_allclose(line, [slope, level], rtol=1e-9, atol=1e-9 * size)
        np.testing.assert_allclose(line[0] * x + line[1], slope * x + level, rtol=1e-9)
        variance = x * x * p11 + 2 * x * p12 + p22 + noise
        np.testing.assert_allclose(prediction_variance(knows[0], x), variance, rtol=1e-9)
