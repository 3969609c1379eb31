"""The test of Engle and Granger against statsmodels, and against textbook regressions by NumPy."""

import math

import numpy as np
import pytest
from statsmodels.tsa.adfvalues import mackinnonp
from statsmodels.tsa.stattools import coint

from operators.pairs.unit_root import (
    choose_lags,
    critical_value,
    dickey_fuller,
    engle_granger,
    p_value,
    p_values,
    schwert_lags,
)


def pair_of(seed, count, phi):
    """y and x of which y - 0.7 x - 3 is an AR(1) with coefficient phi, from half its way on with two lags."""
    rng = np.random.default_rng(seed)
    shocks = rng.standard_normal((2, count))
    x = 100 + np.cumsum(shocks[0])
    spread = np.zeros(count)
    for t in range(2, count):
        spread[t] = (
            phi * spread[t - 1] + (0.3 * (spread[t - 1] - spread[t - 2]) if t > count // 2 else 0) + shocks[1, t]
        )
    return 3 + 0.7 * x + spread, x


CASES = [(1, 60, 0.2), (2, 200, 0.9), (3, 400, 1.0), (4, 400, 0.95), (5, 800, 0.5), (6, 100, 1.0)]
"""(seed, samples, phi)"""


@pytest.mark.parametrize(
    ("case", "shape"),
    [
        *((case, "as it is") for case in CASES),
        *((CASES[k], shape) for k, shape in enumerate(("jump", "gap", "near-singular"))),
    ],
)
def test_statsmodels_says_the_same(case, shape):
    y, x = pair_of(*case)
    half = len(x) // 2
    if shape == "jump":
        y[half:] += 1e3
    elif shape == "gap":  # nothing moves for a quarter
        y[half : half + half // 2], x[half : half + half // 2] = y[half], x[half]
    elif shape == "near-singular":
        y = x + 5e-2 * (y - 3 - 0.7 * x)
    wanted, p, (_, critical, _) = coint(y, x)
    wanted_of_four = coint(y, x, maxlag=4, autolag=None)[0]
    for scale in (1e-12, 1.0, 1e12):
        found = engle_granger(y * scale, x * scale, schwert_lags(len(y)), True)
        four = engle_granger(y * scale, x * scale, 4, False)
        assert found[3]
        assert four[2] == 4
        assert found[0] == pytest.approx(wanted, rel=1e-7)
        assert p_value(found[0]) == pytest.approx(p, rel=1e-5, abs=1e-300)
        assert four[0] == pytest.approx(wanted_of_four, rel=1e-7)
        assert critical_value(len(y)) == pytest.approx(critical, rel=1e-12)
        assert found[1] == pytest.approx(np.polyfit(x, y, 1)[0], rel=1e-7)


@pytest.mark.parametrize(
    "statistic", [-25.0, -18.86, -8.0, -4.0, -3.34, -2.63, -2.62, -2.61, -1.0, 0.5, 0.92, 0.93, math.nan]
)
def test_p_values_are_those_of_statsmodels(statistic):
    wanted = 1.0 if math.isnan(statistic) else mackinnonp(statistic, "c", N=2)
    if not math.isnan(statistic):
        assert p_value(statistic) == pytest.approx(wanted, rel=1e-12, abs=1e-300)
    assert p_values(np.array([statistic, -3.0])).tolist() == [pytest.approx(wanted, rel=1e-12), p_value(-3.0)]


def test_p_values_rise_with_the_statistic():
    values = [p_value(s) for s in np.linspace(-20, 2, 500)]
    assert values == sorted(values)
    assert p_value(critical_value(10_000)) == pytest.approx(0.05, abs=0.002)


def regressed(r, lags, skip):
    """t-value of rho and residual sum of squares, on the samples from `skip` changes on."""
    change = np.diff(r)
    columns = [r[skip:-1], *(change[skip - lag : len(change) - lag] for lag in range(1, lags + 1))]
    a, b = np.stack(columns, axis=1), change[skip:]
    scale = np.abs(a).max(axis=0)
    solution, *_ = np.linalg.lstsq(a / scale, b, rcond=None)
    left = b - a / scale @ solution
    variance = left @ left / (len(b) - a.shape[1])
    deviation = math.sqrt(variance * np.linalg.inv((a / scale).T @ (a / scale))[0, 0])
    return solution[0] / deviation, left @ left


@pytest.mark.parametrize("scale", [1e-12, 1.0, 1e12])
@pytest.mark.parametrize("shape", ["walk", "reverting", "jump", "alternating", "level shift"])
def test_regressions_are_numpys(shape, scale):
    rng = np.random.default_rng(6)
    shocks = rng.standard_normal(200)
    r = np.cumsum(shocks) if shape == "walk" else shocks
    if shape == "jump":
        r[100] += 1e3
    elif shape == "alternating":
        r = r + 5 * (-1.0) ** np.arange(200)
    elif shape == "level shift":
        r[120:] += 30
    r = r * scale
    for lags in (0, 1, 7):
        assert dickey_fuller(r, lags) == pytest.approx(regressed(r, lags, lags)[0], rel=1e-8)
    criteria = [(200 - 1 - 12) * math.log(regressed(r, lags, 12)[1]) + 2 * (lags + 1) for lags in range(13)]
    assert choose_lags(r, 12) == int(np.argmin(criteria))


def test_what_has_no_statistic():
    rng = np.random.default_rng(6)
    x = np.cumsum(rng.standard_normal(100))
    still = np.full(100, 0.1)
    for y, z in ((x, still), (still, x), (still, still), (2 * x + 1, x), (x * 1e-9, x), (x * np.inf, x)):
        assert engle_granger(y, z, 3, True) == (0.0, 0.0, 0, False)
        assert engle_granger(y, z, 0, False) == (0.0, 0.0, 0, False)


def test_schwert():
    assert [schwert_lags(n) for n in (50, 100, 600, 20_000)] == [11, 12, 19, 46]
