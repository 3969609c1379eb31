import numpy as np
import pytest
from numba import njit

from operators.pairs.deviation import SPREAD_SLOT, decay_deviation, roll_deviation
from operators.pairs.sample import STATISTICS

MILLION = 1_000_000


@njit
def roll_all(stats, ring, first, window, values, out):
    for i in range(len(values)):
        out[i] = roll_deviation(stats[0], ring, first, window, values[i])


@njit
def decay_all(stats, alpha, values, out):
    for i in range(len(values)):
        out[i] = decay_deviation(stats[0], alpha, values[i])
        stats[0].residuals += 1


def rolled(values, window):
    """Mean and deviation of every window, by the kernel."""
    stats, ring, out = np.zeros(1, STATISTICS), np.zeros(window + 7, SPREAD_SLOT), np.zeros((len(values), 2))
    roll_all(stats, ring, 5, window, values, out)
    assert not ring[:5].tobytes().strip(b"\0")
    assert not ring[-2:].tobytes().strip(b"\0")
    return out[window - 1 :, 0], np.sqrt(out[window - 1 :, 1])


def walk(scale, seed=1):
    """A random walk around 100, 0.01 a step, with jumps of 50 that come and go; times `scale`."""
    rng = np.random.default_rng(seed)
    values = 100 + 0.01 * np.cumsum(rng.standard_normal(MILLION))
    jumps = np.zeros(MILLION)
    jumps[rng.integers(0, MILLION, 300)] = 50
    return (values + jumps) * scale


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e6])
@pytest.mark.parametrize("window", [2, 60, 1000])
def test_a_million_values_do_not_drift(scale, window):
    values = walk(scale)
    means, deviations = rolled(values, window)
    at = np.concatenate([np.arange(0, MILLION - window, 4999), np.arange(MILLION - 3 * window, MILLION - window + 1)])
    windows = np.lib.stride_tricks.sliding_window_view(values, window)[at].astype(np.longdouble)
    np.testing.assert_allclose(means[at], windows.mean(axis=1).astype(float), rtol=1e-12)
    np.testing.assert_allclose(deviations[at], windows.std(axis=1, ddof=1).astype(float), rtol=1e-9)


@pytest.mark.parametrize("window", [2, 3, 10])
def test_a_jump_that_left_the_window_leaves_no_trace(window):
    quiet = 1.0 + 1e-6 * np.random.default_rng(4).standard_normal(200)
    jumped = quiet.copy()
    jumped[100] = 1e12
    for a, b in zip(rolled(quiet, window), rolled(jumped, window), strict=True):
        np.testing.assert_allclose(a[100 + 1 :], b[100 + 1 :], rtol=1e-9)


def test_equal_values_have_no_deviation_at_all():
    assert not rolled(np.full(100, 0.1), 7)[1].any()


@pytest.mark.parametrize("scale", [1e-3, 1e6])
def test_decay_is_the_weighted_moments(scale):
    values, alpha = walk(scale)[:20_000], 1 - 2 ** (-1 / 40)
    out = np.zeros((len(values), 2))
    decay_all(np.zeros(1, STATISTICS), alpha, values, out)
    for n in (1, 2, 50, 777, 20_000):
        weights = alpha * (1 - np.longdouble(alpha)) ** np.arange(n - 1, -1, -1)
        weights[0] /= alpha
        mean = (weights * values[:n]).sum()
        variance = (weights * (values[:n] - mean) ** 2).sum()
        np.testing.assert_allclose(out[n - 1], [float(mean), float(variance)], rtol=1e-9)
