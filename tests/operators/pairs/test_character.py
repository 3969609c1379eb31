import math

import numpy as np
import pandas as pd
import pytest

from operators.pairs.character import correlation, half_life, hurst, reversion


def ar1(phi, count=20_000, seed=3):
    shocks = np.random.default_rng(seed).standard_normal(count)
    values = np.zeros(count)
    for t in range(1, count):
        values[t] = phi * values[t - 1] + shocks[t]
    return values


@pytest.mark.parametrize("scale", [1e-12, 1.0, 1e12])
def test_correlation_is_that_of_the_changes(scale):
    rng = np.random.default_rng(1)
    y = np.cumsum(rng.standard_normal(300)) * scale
    x = 5 * scale + 0.5 * y + np.cumsum(rng.standard_normal(300)) * scale
    changes = pd.DataFrame({"y": y, "x": x}).diff().dropna()
    assert correlation(y, x) == pytest.approx(changes["y"].corr(changes["x"]), rel=1e-12)
    assert correlation(y, 3 * y) == pytest.approx(1.0)
    assert correlation(y, -y) == pytest.approx(-1.0)
    assert math.isnan(correlation(y, np.full(300, 0.1)))


@pytest.mark.parametrize("phi", [-0.5, 0.0, 0.5, 0.9, 0.99])
def test_reversion_is_the_regression_on_the_value_before(phi):
    values = 1e6 + ar1(phi)
    slope = np.polyfit(values[:-1] - 1e6, values[1:] - 1e6, 1)[0]
    assert reversion(values) == pytest.approx(slope, rel=1e-9)
    assert reversion(values) == pytest.approx(phi, abs=0.03)


def test_half_lives():
    assert half_life(0.5) == pytest.approx(1.0)
    assert half_life(2 ** (-1 / 40)) == pytest.approx(40.0)
    assert [half_life(phi) for phi in (-0.5, 0.0, 1.0, 1.5)] == [0.0, 0.0, np.inf, np.inf]
    assert math.isnan(reversion(np.full(50, 0.1)))


def expected_hurst(values):
    lags = [2**k for k in range(30) if 2**k <= len(values) // 4]
    squares = [np.mean((values[lag:] - values[:-lag]) ** 2) for lag in lags]
    return np.polyfit(np.log(lags), np.log(squares), 1)[0] / 2


@pytest.mark.parametrize("count", [32, 33, 600, 4_096])
@pytest.mark.parametrize("scale", [1e-12, 1.0, 1e12])
def test_hurst_is_half_the_slope(count, scale):
    values = scale * np.cumsum(np.random.default_rng(4).standard_normal(count))
    assert hurst(values) == pytest.approx(expected_hurst(values), rel=1e-9, abs=1e-9)


def test_what_the_hurst_exponent_tells():
    walk = np.cumsum(np.random.default_rng(5).standard_normal(20_000))
    assert hurst(walk) == pytest.approx(0.5, abs=0.08)
    assert hurst(np.random.default_rng(5).standard_normal(20_000)) == pytest.approx(0.0, abs=0.02)
    assert hurst(np.arange(1_000.0)) == pytest.approx(1.0)
    assert not np.isfinite(hurst(np.full(100, 0.1)))
