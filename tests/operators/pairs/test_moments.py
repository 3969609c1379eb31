"""Windows whose number of samples changes, and the lines through them."""

import numpy as np
import pytest
from numba import njit

from operators.pairs.lines import least_squares, total_least_squares
from operators.pairs.moments import MOMENTS, QUEUE, roll_moments

MILLION = 1_000_000


@njit
def roll_all(queue, ring, first, span, centred, keys, xs, ys, out):
    for i in range(len(xs)):
        n, x, y, xx, xy, yy = roll_moments(queue[0], ring, first, span, keys[i], centred, xs[i], ys[i])
        total = total_least_squares(x, y, xx, xy, yy)
        out[i] = float(n), x, y, xx, xy, yy, total[0], total[1], 1.0 if total[2] else 0.0


def rolled(keys, xs, ys, span, centred=True):
    """(n, x, y, xx, xy, yy, total slope, its intercept, whether determined) after every sample."""
    queue, ring, out = np.zeros(1, QUEUE), np.zeros(span + 7, MOMENTS), np.zeros((len(xs), 9))
    roll_all(queue, ring, 5, span, centred, keys, xs, ys, out)
    assert not ring[:5].tobytes().strip(b"\0")
    assert not ring[-2:].tobytes().strip(b"\0")
    return out


def moments_of(xs, ys, centred):
    x, y = xs.astype(np.longdouble), ys.astype(np.longdouble)
    mean_x, mean_y = (v.mean() if centred else np.longdouble(0) for v in (x, y))
    x, y = x - mean_x, y - mean_y
    return np.array([len(xs), mean_x, mean_y, x @ x, x @ y, y @ y])


def series(count, scale_x, scale_y, seed=2):
    rng = np.random.default_rng(seed)
    xs = 100 + 0.01 * np.cumsum(rng.standard_normal(count))
    ys = scale_y * (7 + 0.8 * xs + 0.05 * rng.standard_normal(count))
    gaps = np.where(rng.random(count) < 0.0001, rng.integers(1, 2_000, count), rng.random(count) < 0.3)
    return np.arange(count) + np.cumsum(gaps), xs * scale_x, ys


@pytest.mark.parametrize("centred", [True, False])
@pytest.mark.parametrize(("scale_x", "scale_y"), [(1e-12, 1e-12), (1.0, 1.0), (1e12, 1e-12)])
@pytest.mark.parametrize("span", [3, 1000])
def test_a_million_samples_do_not_drift(scale_x, scale_y, span, centred):
    keys, xs, ys = series(MILLION, scale_x, scale_y)
    got = rolled(keys, xs, ys, span, centred)
    ends = np.concatenate([np.arange(0, MILLION, 9_973), np.arange(MILLION - 300, MILLION)])
    starts = np.searchsorted(keys, keys[ends] - span, side="right")
    unit = np.array([1, scale_x, scale_y, scale_x**2, scale_x * scale_y, scale_y**2])
    for start, end in zip(starts, ends, strict=True):
        expected = moments_of(xs[start : end + 1], ys[start : end + 1], centred).astype(float)
        np.testing.assert_allclose(got[end, :6] / unit, expected / unit, rtol=1e-9, atol=1e-12)


def test_the_total_line_is_the_first_principal_component():
    """By the singular value decomposition; both legs' roles can be exchanged."""
    keys, xs, ys = series(3_000, 1.0, 1.0)
    got, turned = rolled(keys, xs, ys, 50), rolled(keys, ys, xs, 50)
    for end in range(100, 3_000, 37):
        start = np.searchsorted(keys, keys[end] - 50, side="right")
        points = np.stack([xs[start : end + 1], ys[start : end + 1]], axis=1)
        if len(points) > 2:
            right = np.linalg.svd(points - points.mean(axis=0))[2]
            slope = right[0, 1] / right[0, 0]
            assert got[end, 6] == pytest.approx(slope, rel=1e-9)
            assert turned[end, 6] == pytest.approx(1 / slope, rel=1e-9)
            assert got[end, 7] == pytest.approx(points[:, 1].mean() - slope * points[:, 0].mean(), rel=1e-9)


@pytest.mark.parametrize(
    ("points", "slope"),
    [
        pytest.param([(0, 1), (1, 1), (2, 1)], 0.0, id="level"),
        pytest.param([(1, 0), (1, 1), (1, 2)], None, id="upright"),
        pytest.param([(1, 0), (-1, 0), (0, 1), (0, -1)], None, id="round"),
        pytest.param([(1, 1), (1, 1)], None, id="one point"),
        pytest.param([(0, 0), (1, -3), (2, -6)], -3.0, id="exact"),
        pytest.param([(0, 0), (1e-12, 1e12)], None, id="as good as upright"),
    ],
)
def test_directions(points, slope):
    xs, ys = np.array(points, float).T
    got = rolled(np.arange(len(xs)), xs, ys, 9)[-1]
    assert bool(got[8]) == (slope is not None)
    if slope is not None:
        assert got[6] == pytest.approx(slope)


def test_values_that_stand_still_have_no_moments_at_all():
    got = rolled(np.arange(500), np.full(500, 0.1), np.full(500, 0.3), 7)
    assert not got[:, 3:6].any()
    assert not got[:, 8].any()


def test_a_pause_empties_the_window():
    keys = np.array([1, 2, 3, 50, 51, 52, 200])
    got = rolled(keys, np.arange(7.0), np.arange(7.0), 10)
    assert got[:, 0].tolist() == [1, 2, 3, 1, 2, 3, 1]
    assert got[-1, 1:6].tolist() == [6, 6, 0, 0, 0]


def test_a_line_needs_an_x_that_moves():
    assert not least_squares(1.0, 2.0, 0.0, 0.0)[2]
    assert least_squares(1.0, 2.0, 4.0, 8.0) == (2.0, 0.0, True)
