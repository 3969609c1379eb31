"""The test of Engle and Granger against statsmodels, and against textbook regressions by NumPy."""

import math

import numpy as np
import pytest

from operators.pairs.unit_root import (
    choose_lags,
    critical_value,
    dickey_fuller,
    engle_granger,
    p_value,
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


STATSMODELS = [
    ((1, 60, 0.2), (-7.192593047732913, 2.9646704571039706e-09, -3.4416510858948577, -3.1534257654653)),
    ((2, 200, 0.9), (-4.160254257244009, 0.004187126946544719, -3.3670063137294513, -3.87797855136812)),
    ((3, 600, 1.0), (-2.108884739542368, 0.47172370166940014, -3.3463495169467197, -2.088313838928)),
    ((4, 600, 0.95), (-5.535868527394759, 1.5172348414010394e-05, -3.3463495169467197, -5.133637606604736)),
    ((5, 1500, 0.5), (-20.975838335941376, 0.0, -3.3402091539033583, -14.996950477042917)),
    ((6, 100, 1.0), (-0.30268669614218435, 0.9757579748364724, -3.398544335271911, -0.6942471948216841)),
]
"""(seed, samples, phi) -> statistic, p-value and 5 % critical value of `statsmodels.tsa.stattools.coint(y, x)`,
and the statistic of `coint(y, x, maxlag=4, autolag=None)`; statsmodels 0.15.0, NumPy 2."""


@pytest.mark.parametrize(("case", "expected"), STATSMODELS)
def test_statsmodels_says_the_same(case, expected):
    y, x = pair_of(*case)
    statistic, _, _, is_valid = engle_granger(y, x, schwert_lags(len(y)), True)
    four = engle_granger(y, x, 4, False)
    assert is_valid
    found = (statistic, p_value(statistic), critical_value(len(y)), four[0])
    np.testing.assert_allclose(found, expected, rtol=1e-9)
    assert four[2] == 4


@pytest.mark.parametrize(
    ("statistic", "expected"),
    # statsmodels.tsa.adfvalues.mackinnonp(statistic, "c", N=2), version 0.15.0
    [
        (-25.0, 0.0),
        (-18.86, 1.3385378959522625e-29),
        (-8.0, 3.021786954823925e-11),
        (-4.0, 0.00718130705505248),
        (-3.34, 0.04946535878273698),
        (-2.63, 0.2257576941129909),
        (-2.62, 0.2296596033101832),
        (-2.61, 0.23282006550147893),
        (-1.0, 0.902847226038779),
        (0.5, 0.9926499199201502),
        (0.92, 0.9939559788585376),
        (0.93, 1.0),
    ],
)
def test_p_values(statistic, expected):
    assert p_value(statistic) == pytest.approx(expected, rel=1e-12, abs=1e-300)


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
