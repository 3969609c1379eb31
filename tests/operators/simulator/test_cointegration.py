"""What a day's quotes say about the pairs, against the truth."""

import math
from typing import NamedTuple

import numpy as np
import pytest

from operators.simulator.parameters import OPEN_NS, SECOND_NS, SessionParameters
from operators.simulator.session import simulate
from tests.operators.simulator.replay import Replay, messages

DAY = SessionParameters(symbols=20, groups=4, pairs=40, controls=20, messages=300_000, seed=3)
GRID_S = 30


class Day(NamedTuple):
    """Quotes of shape (samples, symbols) in USD, every GRID_S seconds; the truth and the legs of every pair."""

    bids: np.ndarray
    asks: np.ndarray
    mids: np.ndarray
    truth: list
    legs: tuple


@pytest.fixture(scope="module")
def day():
    """DAY as read back from its bytes."""
    session = simulate(DAY)
    replay, quotes, due = Replay(), [], OPEN_NS + GRID_S * SECOND_NS
    for chunk in session:
        for message in messages(chunk.tobytes()):
            ts = int.from_bytes(message[5:11], "big")
            while due <= min(ts, DAY.close_ns - 1):
                quotes.append([replay.best(locate) for locate in range(1, DAY.symbols + 1)])
                due += GRID_S * SECOND_NS
            replay.apply(message)
    bids, asks = np.moveaxis(np.array(quotes) / 10_000, 2, 0)
    return Day(bids, asks, (bids + asks) / 2, session.truth()["pairs"], session.market.legs)


def cointegrated(day):
    legs = zip(day.truth, day.legs, strict=True)
    return [(day.mids[:, y], day.mids[:, x], truth) for truth, (y, x) in legs if truth["cointegrated"]]


def independent(truth):
    """How many independent values a day of an Ornstein-Uhlenbeck process is worth to its mean: rate T / 2."""
    return math.log(2) / truth["half_life_s"] * DAY.hours * 3600 / 2


def spread(y, x, truth):
    return y - truth["hedge"] * x - truth["intercept"]


def test_prices_are_realistic(day):
    assert day.bids.min() > 20
    assert day.asks.max() < 500


def test_regression_finds_the_hedges(day):
    """OLS of a finite sample leans towards 0 by var(own x) / var(x) and errs with the few independent residuals."""
    errors = []
    for y, x, truth in cointegrated(day):
        error = np.polyfit(x, y, 1)[0] / truth["hedge"] - 1
        noise = truth["deviation"] / truth["hedge"] / x.std()
        assert (
            -(noise**2) - 4 * noise / math.sqrt(independent(truth)) < error < 4 * noise / math.sqrt(independent(truth))
        )
        errors.append(error)
    assert len(errors) == 40
    assert np.median(np.abs(errors)) < 0.06


def test_spreads_have_their_deviation_and_mean(day):
    for y, x, truth in cointegrated(day):
        e = spread(y, x, truth)
        assert e.std() == pytest.approx(truth["deviation"], rel=4 / math.sqrt(2 * independent(truth)))
        assert abs(e.mean()) < 4 * truth["deviation"] / math.sqrt(independent(truth))


def test_spreads_revert_with_their_half_life(day):
    """AR(1) by least squares: relative standard error sqrt(2 / (rate T)). Quotes that lag look like noise: faster."""
    ratios = []
    for y, x, truth in cointegrated(day):
        e = spread(y, x, truth)
        phi = (e[1:] @ e[:-1]) / (e[:-1] @ e[:-1])
        ratio = -math.log(phi) / GRID_S * truth["half_life_s"] / math.log(2)
        error = 1 / math.sqrt(independent(truth))
        assert 1 - 4 * error < ratio < 1.2 + 4 * error
        ratios.append(ratio)
    assert 0.9 < np.median(ratios) < 1.25


def test_bands_pay_for_crossing_the_quotes(day):
    """Enter beyond two deviations, leave at the mean, one unit of y, always at the far side of the quotes."""
    gains, trades = [], 0
    for truth, (y, x) in zip(day.truth[: DAY.pairs], day.legs, strict=False):
        hedge = truth["hedge"]
        z = spread(day.mids[:, y], day.mids[:, x], truth) / truth["deviation"]
        bought = day.asks[:, y] - hedge * day.bids[:, x]
        sold = day.bids[:, y] - hedge * day.asks[:, x]
        position, gain = 0, 0.0
        for i in range(len(z)):
            wanted = -int(np.sign(z[i])) if abs(z[i]) > 2 else 0 if position * z[i] >= 0 else position
            gain -= (wanted - position) * (bought[i] if wanted > position else sold[i])
            trades += wanted != position
            position = wanted
        gain += position * (sold[-1] if position > 0 else bought[-1])
        gains.append(gain / truth["deviation"])
    assert trades > 10 * len(gains)
    assert min(gains) > 0
    assert np.mean(gains) > 5


def test_only_controls_wander(day):
    """Variance of changes over an hour against six minutes: towards 10 for a random walk, little over 1 without one."""
    beta = simulate(DAY).market.members["beta"]

    def ratio(y, x):
        e = day.mids[:, y] - beta[y] / beta[x] * day.mids[:, x]
        return np.var(e[120:] - e[:-120]) / np.var(e[12:] - e[:-12])

    pairs, controls = ([ratio(*leg) for leg in part] for part in (day.legs[: DAY.pairs], day.legs[DAY.pairs :]))
    assert max(pairs) < 3
    assert np.median(pairs) < 1.6
    assert min(controls) > 2
    assert np.median(controls) > 5
