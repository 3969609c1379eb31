import numpy as np
import pytest
from numba import njit

from operators.pairs.regression import LINE_SLOT, roll_line
from operators.pairs.sample import STATISTICS

MILLION = 1_000_000


@njit
def roll_all(stats, ring, first, window, intercept, xs, ys, out):
    for i in range(len(xs)):
        out[i, 0], out[i, 1], out[i, 2] = roll_line(stats[0], ring, first, window, intercept, xs[i], ys[i])


def rolled(xs, ys, window, intercept):
    """Slope, intercept and whether they are determined, of every window, by the kernel."""
    stats, ring, out = np.zeros(1, STATISTICS), np.zeros(window + 7, LINE_SLOT), np.zeros((len(xs), 3))
    roll_all(stats, ring, 5, window, intercept, xs, ys, out)
    assert not ring[:5].tobytes().strip(b"\0")
    assert not ring[-2:].tobytes().strip(b"\0")
    return out[window - 1 :]


def expected(xs, ys, window, intercept, at):
    """Least squares of the windows beginning `at`, two passes in extended precision."""
    x, y = (np.lib.stride_tricks.sliding_window_view(v, window)[at].astype(np.longdouble) for v in (xs, ys))
    mean_x, mean_y = (v.mean(axis=1, keepdims=True) if intercept else np.zeros((len(at), 1)) for v in (x, y))
    slope = ((x - mean_x) * (y - mean_y)).sum(axis=1) / ((x - mean_x) ** 2).sum(axis=1)
    return slope.astype(float), (mean_y[:, 0] - slope * mean_x[:, 0]).astype(float)


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize(("scale_x", "scale_y"), [(1e-3, 1e-3), (1e6, 1e6), (1e-3, 1e6)])
@pytest.mark.parametrize("window", [3, 120])
def test_a_million_samples_do_not_drift(scale_x, scale_y, window, intercept):
    rng = np.random.default_rng(2)
    xs = 100 + 0.01 * np.cumsum(rng.standard_normal(MILLION))
    ys = scale_y * (7 + 0.8 * xs + 0.05 * rng.standard_normal(MILLION))
    xs *= scale_x
    got = rolled(xs, ys, window, intercept)
    at = np.concatenate([np.arange(0, MILLION - window, 4999), np.arange(MILLION - 3 * window, MILLION - window + 1)])
    slope, level = expected(xs, ys, window, intercept, at)
    assert got[:, 2].all()
    # A slope near 0 or a steep line far from the origin is measured against what the data can tell.
    np.testing.assert_allclose(got[at, 0], slope, rtol=1e-9, atol=1e-9 * scale_y / scale_x)
    np.testing.assert_allclose(got[at, 1], level, rtol=1e-9, atol=1e-7 * scale_y)


def test_x_that_stands_still_determines_nothing_until_it_moves():
    xs = np.array([0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.4, 0.1, 0.1, 0.1, 0.1, 0.1])
    ys = np.arange(12.0)
    assert rolled(xs, ys, 3, True)[:, 2].tolist() == [0, 0, 0, 0, 1, 1, 1, 0, 0, 0]
    assert rolled(xs, ys, 3, False)[:, 2].all()
    assert not rolled(np.zeros(12), ys, 3, False)[:, 2].any()
