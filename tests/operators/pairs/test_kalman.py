"""The filter in its form without subtractions against the textbook's, in twice the precision."""

import numpy as np
import pytest
from numba import njit

from operators.pairs.kalman import FILTER, filter_line, prediction_variance
from tests.operators.pairs.double import minus, over, plus, times

MILLION = 1_000_000
ZERO, ONE = (0.0, 0.0), (1.0, 0.0)


@njit
def filter_all(knows, walk, adapt, xs, ys, out):
    slope, level = 0.0, 0.0
    for i in range(len(xs)):
        variance = prediction_variance(knows[0], xs[i])
        slope, level, error, is_finite = filter_line(knows[0], walk, adapt, slope, level, xs[i], ys[i])
        out[i] = slope, level, error, variance
        if not is_finite:
            return False
    return True


@njit
def textbook(walk, adapt, known, xs, ys, out):
    """Chan's listing line by line: R = P + W, Q = x R x' + v, K = R x' / Q, b += K e, P = R - K x R.

    `known` is (v, slope, level, p11, p12, p22) as pairs of floats, with P that of the next sample.
    """
    w, a = (walk, 0.0), (adapt, 0.0)
    v, slope, level = (known[0, 0], known[0, 1]), (known[1, 0], known[1, 1]), (known[2, 0], known[2, 1])
    p11, p12, p22 = (known[3, 0], known[3, 1]), (known[4, 0], known[4, 1]), (known[5, 0], known[5, 1])
    for i in range(len(xs)):
        x = (xs[i], 0.0)
        g, h = plus(times(x, p11), p12), plus(times(x, p12), p22)
        s = plus(times(x, g), h)
        q = plus(s, v)
        e = minus(minus((ys[i], 0.0), times(x, slope)), level)
        k, m = over(g, q), over(h, q)
        slope, level = plus(slope, times(k, e)), plus(level, times(m, e))
        out[i] = slope[0], level[0], e[0], q[0]
        p11, p12, p22 = minus(p11, times(k, g)), minus(p12, times(k, h)), minus(p22, times(m, h))
        if adapt > 0.0:
            r = minus(minus((ys[i], 0.0), times(x, slope)), level)
            after = plus(times(x, plus(times(x, p11), p12)), plus(times(x, p12), p22))
            v = plus(v, times(a, minus(plus(times(r, r), after), v)))
        p11, p22 = plus(p11, w), plus(p22, w)
    for k, value in enumerate((v, slope, level, p11, p12, p22)):
        known[k] = value


def textbook_start(noise, prior):
    known = np.zeros((6, 2))
    known[[0, 3, 5], 0] = noise, prior, prior
    return known


def filtered(xs, ys, delta=1e-4, noise=1e-3, adapt=0.0, prior=0.0):
    """(slope, intercept, error, variance) of every sample, by the kernel and by the textbook."""
    knows = np.zeros(1, FILTER)
    knows["r11"] = knows["r22"] = prior
    knows["det"], knows["noise"] = prior**2, noise
    out, expected = np.zeros((len(xs), 4)), np.zeros((len(xs), 4))
    walk = delta / (1 - delta)
    assert filter_all(knows, walk, adapt, xs, ys, out)
    assert knows["det"][0] >= 0
    assert min(knows["r11"][0], knows["r22"][0]) >= 0
    textbook(walk, adapt, textbook_start(noise, prior), xs, ys, expected)
    return out, expected


def walk_of(count, seed=3):
    rng = np.random.default_rng(seed)
    return 100 + 0.01 * np.cumsum(rng.standard_normal(count)), rng.standard_normal(count)


def assert_same(out, expected, xs, ys, rtol=1e-9):
    """Predictions, errors and variances, each against the size of what it is made of."""
    size = np.maximum.accumulate(np.abs(ys)) + np.abs(expected[:, 0] * xs) + np.abs(expected[:, 1])
    assert np.max(np.abs(out[:, 2] - expected[:, 2]) / size) < rtol
    assert np.max(np.abs(out[:, 3] / expected[:, 3] - 1)) < rtol
    line, line_expected = (o[:, 0] * xs + o[:, 1] for o in (out, expected))
    assert np.max(np.abs(line - line_expected) / size) < rtol


@pytest.mark.parametrize("adapt", [0.0, 0.01])
@pytest.mark.parametrize("scale", [1e-12, 1.0, 1e12])
def test_a_million_samples_do_not_drift(scale, adapt):
    xs, noise = walk_of(MILLION)
    ys = scale * (7 + 0.8 * xs + 0.05 * noise)
    xs = scale * xs
    out, expected = filtered(xs, ys, noise=1e-3 * scale**2, adapt=adapt)
    assert_same(out, expected, xs, ys)


@pytest.mark.parametrize("prior", [0.0, 1.0])
@pytest.mark.parametrize("delta", [1e-12, 1e-4, 0.5])
@pytest.mark.parametrize("shape", ["still", "nearly still", "jumps", "zero", "opposite", "sparse"])
def test_adversarial_legs(shape, delta, prior):
    xs, noise = walk_of(20_000)
    ys = 5 - 2 * xs + 0.1 * noise
    if shape == "still":
        xs[:] = 0.1
    elif shape == "nearly still":
        xs = 100 + 1e-9 * noise
    elif shape == "jumps":
        xs[5_000:5_010] += 1e6
        ys[9_000] = -1e9
    elif shape == "zero":
        xs[:] = 0
    elif shape == "opposite":
        xs[::2] *= -1
    else:
        xs[xs < 100.2] = 0.0
    out, expected = filtered(xs, ys, delta=delta, prior=prior)
    assert (out[:, 3] >= 1e-3).all()
    assert_same(out, expected, xs, ys, rtol=1e-6 if shape == "jumps" else 1e-9)


def test_the_noise_is_found():
    rng = np.random.default_rng(8)
    xs = 100 + np.cumsum(rng.standard_normal(40_000))
    ys = 3 + 0.5 * xs + 0.2 * rng.standard_normal(40_000)
    knows, out = np.zeros(1, FILTER), np.zeros((40_000, 4))
    knows["r11"] = knows["r22"] = knows["det"] = 1.0
    knows["noise"] = 25.0
    assert filter_all(knows, 1e-12, 0.001, xs, ys, out)
    assert knows["noise"][0] == pytest.approx(0.04, rel=0.1)
    z = out[-10_000:, 2] / np.sqrt(out[-10_000:, 3])
    assert z.std() == pytest.approx(1.0, rel=0.1)


def test_a_sample_that_overflows_leaves_the_filter_alone():
    knows = np.zeros(1, FILTER)
    knows["r11"] = knows["r22"] = knows["det"] = knows["noise"] = 1.0
    before = knows.copy()
    assert not filter_all(knows, 1e-4, 0.1, np.array([1e200]), np.array([1e300]), np.zeros((1, 4)))
    assert knows == before
