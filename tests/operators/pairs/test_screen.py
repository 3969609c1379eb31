"""The figures of a screening against NumPy, statsmodels and the test of single pairs."""

import math
import warnings

import numpy as np
import pytest
from statsmodels.regression.linear_model import OLS
from statsmodels.tools import add_constant
from statsmodels.tsa.stattools import adfuller

from operators.pairs.screen import BLOCK, CORRELATION, DISTANCE, HEDGE, LAGS, STATISTIC, screen_pairs
from operators.pairs.unit_root import engle_granger, p_values
from schemas.record import Frame


def screened(levels: Frame, legs: list[tuple[int, int]], lags: int) -> Frame:
    legs = sorted(legs, key=lambda leg: leg[0])
    ys = np.array([y for y, _ in legs])
    starts = np.searchsorted(ys, np.arange(levels.shape[1] + 1))
    figures = np.full((5, len(legs)), 7.0)
    screen_pairs(levels, starts, np.array([x for _, x in legs]), lags, figures)
    return figures


def every_leg(count: int) -> list[tuple[int, int]]:
    return [(y, x) for y in range(count) for x in range(count) if y != x]


def universe(shape: str, window: int = 120, count: int = 8) -> Frame:
    rng = np.random.default_rng(4)
    levels = 4.0 + np.cumsum(rng.standard_normal((window, count)) * 1e-3, axis=0)
    levels[:, 1] = 2 + 0.8 * levels[:, 0] + rng.standard_normal(window) * 5e-4
    if shape == "jump":
        levels[window // 2 :, 2] += 2.0
    elif shape == "near-singular":
        levels[:, 3] = levels[:, 0] + rng.standard_normal(window) * 1e-5
    elif shape == "gaps":  # instruments that stand still for a while
        levels[20:60, 4] = levels[20, 4]
        levels[30:100, 5] = levels[30, 5]
    return levels


def lags_chosen(r: Frame, lags_max: int) -> int:
    """By the modified Akaike criterion, on the samples that all numbers of lags have."""
    change, criteria = np.diff(r), []
    target, level = change[lags_max:], r[lags_max:-1]
    for lags in range(lags_max + 1):
        lagged = [change[lags_max - lag : len(change) - lag] for lag in range(1, lags + 1)]
        fit = OLS(target, np.stack([level, *lagged], axis=1)).fit()
        variance = fit.ssr / len(target)
        penalty = fit.params[0] ** 2 * (level @ level) / variance + lags
        criteria.append(math.log(variance) + 2 * penalty / len(target))
    return int(np.argmin(criteria))


def by_statsmodels(y: Frame, x: Frame, lags_max: int) -> tuple[float, float, int]:
    """Statistic, hedge and lags by statsmodels."""
    scale_y, scale_x = y.std(), x.std()  # it is not made for 1e-12
    fit = OLS((y - y.mean()) / scale_y, add_constant((x - x.mean()) / scale_x)).fit()
    lags = lags_chosen(fit.resid, lags_max)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        statistic = adfuller(fit.resid[lags_max - lags :], maxlag=lags, autolag=None, regression="n")[0]
    return statistic, fit.params[1] * scale_y / scale_x, lags


@pytest.mark.parametrize("scale", [1e-12, 1.0, 1e12])
@pytest.mark.parametrize("shape", ["walks", "jump", "near-singular", "gaps"])
@pytest.mark.parametrize("lags", [0, 1, 5])
def test_figures_are_those_of_statsmodels_and_numpy(shape, scale, lags):
    levels = universe(shape) * scale
    legs = every_leg(levels.shape[1])
    figures = screened(levels, legs, lags)
    for leg, found in zip(legs, figures.T, strict=True):
        y, x = (levels[:, i].copy() for i in leg)
        statistic, hedge, chosen = by_statsmodels(y, x, lags)
        assert np.isnan(found[STATISTIC]) == (not engle_granger(y, x, lags, False)[3])
        if not np.isnan(found[STATISTIC]):
            assert found[STATISTIC] == pytest.approx(statistic, rel=1e-7)
            assert found[LAGS] == chosen
        assert found[HEDGE] == pytest.approx(hedge, rel=1e-8)
        assert found[CORRELATION] == pytest.approx(np.corrcoef(np.diff(y), np.diff(x))[0, 1], rel=1e-8, abs=1e-10)
        gap = (y - y[0]) - (x - x[0])
        assert found[DISTANCE] == pytest.approx(math.sqrt((gap**2).mean()), rel=1e-9)


@pytest.mark.parametrize(("lags", "share"), [(1, (0.4, 0.7)), (8, (0.01, 0.08))])
def test_bouncing_prices_do_not_look_as_if_they_reverted(lags, share):
    """19,900 pairs of unrelated walks with a noise of twice their step: how many pass at 5 %."""
    rng = np.random.default_rng(3)
    levels = np.cumsum(rng.standard_normal((300, 200)), axis=0) + 2 * rng.standard_normal((300, 200))
    figures = screened(levels, [(y, x) for y in range(200) for x in range(y + 1, 200)], lags)
    passed = (p_values(figures[STATISTIC]) < 0.05).mean()
    print(f"up to {lags} lags: {passed:.1%} pass")
    assert share[0] <= passed <= share[1]


def test_what_has_no_statistic():
    levels = universe("walks")
    levels[:, 2] = 0.1  # stands still
    levels[:, 3] = 2 * levels[:, 0] + 1  # is another in other units
    legs = [(0, 2), (2, 0), (0, 3), (3, 0), (0, 1)]
    figures = screened(levels, legs, 1)
    found = dict(zip(sorted(legs, key=lambda leg: leg[0]), figures[STATISTIC], strict=True))
    assert {leg: bool(np.isnan(value)) for leg, value in found.items()} == {leg: leg != (0, 1) for leg in legs}


@pytest.mark.parametrize("count", [2, BLOCK, BLOCK + 1, 2 * BLOCK + 3])
def test_a_pair_does_not_see_the_others_of_its_block(count):
    levels = np.cumsum(np.random.default_rng(1).standard_normal((60, count)), axis=0)
    legs = [(y, x) for y in (0, 1) for x in range(count) if x != y]
    together = screened(levels, legs, 1)
    for k in {0, len(legs) // 2, len(legs) - 1}:
        assert screened(levels, [legs[k]], 1).tobytes() == together[:, [k]].tobytes()


def test_levels_are_left_alone():
    levels = universe("walks")
    before = levels.copy()
    screened(levels, every_leg(8), 1)
    assert levels.tobytes() == before.tobytes()
