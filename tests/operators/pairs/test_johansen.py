"""Johansen's test against statsmodels, on random and adversarial series."""

import numpy as np
import pytest
from statsmodels.tsa.vector_ar.vecm import coint_johansen

from operators.pairs.johansen import johansen


def series(count: int, shape: str, samples: int = 300) -> np.ndarray:
    rng = np.random.default_rng(count)
    x = np.cumsum(rng.standard_normal((count, samples)), axis=1)
    if shape == "cointegrated":
        x[0] = x[1:].sum(axis=0) + rng.standard_normal(samples)
    elif shape == "near-singular":
        x[-1] = x[0] + 1e-3 * rng.standard_normal(samples)
    elif shape == "jump":
        x[0, samples // 2 :] += 1e3
    elif shape == "stationary":
        x = rng.standard_normal((count, samples))
    return x


@pytest.mark.parametrize("scale", [1e-12, 1.0, 1e12])
@pytest.mark.parametrize("shape", ["walks", "cointegrated", "near-singular", "jump", "stationary"])
@pytest.mark.parametrize("count", [2, 3, 4, 5])
def test_statsmodels_says_the_same(count, shape, scale):
    levels = series(count, shape)
    better = np.eye(count)
    if shape == "near-singular":  # statsmodels inverts moments; the test is the same of any combinations
        better[-1, 0] = -1.0
    for lags in (1, 2, 5):
        statistics, weights, is_sound = johansen((levels + 100) * scale, lags)
        wanted = coint_johansen((better @ levels).T, 0, lags)
        assert is_sound
        np.testing.assert_allclose(statistics, wanted.trace_stat, rtol=1e-8)
        first = better.T @ wanted.evec[:, 0]
        first *= np.sign(first[0]) / np.abs(first).sum()
        np.testing.assert_allclose(weights, first, rtol=1e-5, atol=1e-8)


def test_legs_of_different_scales():
    levels = series(3, "cointegrated")
    units = np.array([[1e-12], [1.0], [1e12]])
    statistics, weights, _ = johansen(levels * units, 1)
    alone, plain, _ = johansen(levels, 1)
    np.testing.assert_allclose(statistics, alone, rtol=1e-9)
    rescaled = weights * units[:, 0]
    np.testing.assert_allclose(rescaled / np.abs(rescaled).sum(), plain, rtol=1e-6)


@pytest.mark.parametrize("count", [2, 5])
def test_what_has_no_test(count):
    levels = series(count, "walks")
    for last in (np.full(300, 0.1), 2 * levels[0] + 1, levels[: count - 1].sum(axis=0) * 3, levels[0] * np.inf):
        with np.errstate(invalid="ignore"):
            statistics, weights, is_sound = johansen(np.vstack([levels[:-1], last]), 1)
        assert not is_sound
        assert not statistics.any()
        assert not weights.any()


def test_series_are_left_alone():
    levels = series(3, "walks")
    before = levels.copy()
    johansen(levels, 2)
    assert levels.tobytes() == before.tobytes()
