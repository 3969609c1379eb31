import numpy as np
import pytest
from numba import njit

from operators.pairs.ewls import DECAYED_LINE, decay_line

MILLION = 1_000_000


@njit
def decay_all(moments, keep, intercept, xs, ys, out):
    for i in range(len(xs)):
        out[i, 0], out[i, 1], out[i, 2] = decay_line(moments[0], keep, intercept, xs[i], ys[i])


def decayed(xs, ys, half_life, intercept):
    """Slope, intercept and whether they are determined, after every sample, by the kernel."""
    out = np.zeros((len(xs), 3))
    decay_all(np.zeros(1, DECAYED_LINE), 2 ** (-1 / half_life), intercept, xs, ys, out)
    return out


def weighted(xs, ys, half_life, intercept):
    """Least squares of all samples with their weights, two passes in extended precision."""
    x, y = xs.astype(np.longdouble), ys.astype(np.longdouble)
    weights = np.exp2(-np.arange(len(xs) - 1, -1, -1) / np.longdouble(half_life))
    mean_x, mean_y = ((weights * v).sum() / weights.sum() if intercept else np.longdouble(0) for v in (x, y))
    slope = (weights * (x - mean_x) * (y - mean_y)).sum() / (weights * (x - mean_x) ** 2).sum()
    return float(slope), float(mean_y - slope * mean_x)


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize(("scale_x", "scale_y"), [(1e-12, 1e-12), (1.0, 1.0), (1e12, 1e-12)])
@pytest.mark.parametrize("half_life", [0.7, 40, 5_000])
def test_a_million_samples_do_not_drift(scale_x, scale_y, half_life, intercept):
    rng = np.random.default_rng(2)
    xs = 100 + 0.01 * np.cumsum(rng.standard_normal(MILLION))
    ys = scale_y * (7 + 0.8 * xs + 0.05 * rng.standard_normal(MILLION))
    xs *= scale_x
    got = decayed(xs, ys, half_life, intercept)
    assert got[3:, 2].all()
    memory = int(half_life * 70) + 10
    for end in (5, 100, 777_777, MILLION):
        slope, level = weighted(xs[max(end - memory, 0) : end], ys[max(end - memory, 0) : end], half_life, intercept)
        np.testing.assert_allclose(got[end - 1, 0], slope, rtol=1e-9, atol=1e-9 * scale_y / scale_x)
        np.testing.assert_allclose(got[end - 1, 1], level, rtol=1e-9, atol=1e-7 * scale_y)


def test_a_jump_is_forgotten():
    rng = np.random.default_rng(7)
    xs = 1 + 0.01 * rng.standard_normal(2_000)
    ys = 2 * xs + 0.001 * rng.standard_normal(2_000)
    jumped = ys.copy()
    jumped[100] = 1e9
    np.testing.assert_allclose(decayed(xs, jumped, 10, True)[-1], decayed(xs, ys, 10, True)[-1], rtol=1e-9)


def test_x_that_stands_still_keeps_the_line_until_rounding_hides_it():
    rng = np.random.default_rng(7)
    xs = np.concatenate([100 + 0.01 * rng.standard_normal(50), np.full(2_000, 100.01)])
    ys = 3 * xs - 200
    got = decayed(xs, ys, 20, True)
    assert got[2:1_000, 2].all()
    np.testing.assert_allclose(got[2:1_000, 0], 3, rtol=1e-6)
    assert not got[-1, 2]
    assert not decayed(np.zeros(9), np.arange(9.0), 2, False)[:, 2].any()
