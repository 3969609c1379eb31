"""Discovery over universes in which it is known which pairs go together, and against libraries alone."""

import math
import pickle

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests
from statsmodels.tsa.adfvalues import mackinnonp

from operators.operator import Desk
from operators.pairs.discovery import Discovery
from operators.pairs.discovery_example import universe_desk, universe_quotes
from schemas.errors import ConfigError
from schemas.market import QUOTES
from schemas.record import Frame
from schemas.signal import SCREENINGS, TRADED_PAIRS, Membership
from tests.operators.pairs.tape import DESK, SECOND, START
from tests.operators.pairs.test_screen import by_statsmodels

PROMOTED, RETIRED = int(Membership.PROMOTED), int(Membership.RETIRED)


def discovery(desk: Desk, **parameters) -> Discovery:
    usual = {"every": "1s", "window": 60, "step": 10, "confirm": 1, "patience": 2, "lags": 2}
    return Discovery(Discovery.Parameters(**usual | parameters), desk)


def run(operator: Discovery, quotes: Frame) -> tuple[Frame, Frame]:
    found = operator.process({"quotes": quotes})
    return tuple(found.get(s, e.empty).copy() for s, e in (("screenings", SCREENINGS), ("traded", TRADED_PAIRS)))  # type: ignore[return-value]


def tape_of(walks: Frame) -> Frame:
    """A quote of every instrument each second at the price exp(walk), in ticks of about a millionth of it."""
    bars, count = walks.shape
    quotes = np.zeros(bars * count, QUOTES.dtype)
    quotes["instrument"] = np.tile(np.arange(count), bars)
    quotes["bid"] = quotes["ask"] = np.rint(1e8 * np.exp(walks)).astype(np.int64).ravel()
    quotes["ts"] = START + np.repeat(np.arange(bars) * SECOND, count)
    quotes["cause"] = np.arange(1, len(quotes) + 1)
    return quotes


def planted(count: int, together: int, bars: int, seed: int = 1) -> Frame:
    """Walks of which those numbered 2 k + 1, for k up to `together`, follow the one before them."""
    rng = np.random.default_rng(seed)
    walks = np.cumsum(rng.normal(0, 1e-3, (bars, count)), axis=0)
    for k in range(together):
        walks[:, 2 * k + 1] = walks[:, 2 * k] + rng.normal(0, 5e-4, bars)
    return walks


def by_libraries(walks: Frame, lags: int, method: str) -> tuple[Frame, Frame, Frame]:
    """Statistic, p-value and adjusted p-value of every pair by statsmodels and its tables."""
    count = walks.shape[1]
    pairs = [(y, x) for y in range(count) for x in range(y + 1, count)]
    statistics = np.array([by_statsmodels(walks[:, y], walks[:, x], lags)[0] for y, x in pairs])
    p_values = np.array([mackinnonp(statistic, "c", N=2) for statistic in statistics])
    return statistics, p_values, multipletests(p_values, method=method)[1]


@pytest.mark.parametrize(("dependence", "method"), [("any", "fdr_by"), ("positive", "fdr_bh")])
def test_a_screening_is_what_libraries_make_of_the_window(dependence, method):
    walks = planted(9, 2, 101)
    quotes = tape_of(walks)
    parameters = {"window": 100, "dependence": dependence, "false_discovery": 0.2, "retire": 0.5, "lags": 2}
    screenings, traded = run(discovery(universe_desk(9), **parameters), quotes)
    statistics, p_values, in_view = by_libraries(np.log(quotes["bid"].reshape(101, 9)[:100]), 2, method)
    wanted = np.flatnonzero(in_view <= 0.2)
    wanted = wanted[np.argsort(p_values[wanted])]
    assert len(wanted) >= 2
    assert traded["pair"].tolist() == wanted.tolist()
    np.testing.assert_allclose(traded["statistic"], statistics[wanted], rtol=1e-7)
    np.testing.assert_allclose(traded["p_value"], p_values[wanted], rtol=1e-6)
    np.testing.assert_allclose(traded["adjusted"], in_view[wanted], rtol=1e-6)
    (row,) = screenings
    assert row[["instruments", "tested", "found"]].tolist() == (9, 36, len(wanted))
    assert row["threshold"] == pytest.approx(p_values[wanted].max(), rel=1e-6)
    assert row["cause"] == 901, "the first quote of the bar after the window"


def test_correlation_and_distance_are_of_the_window():
    walks = planted(4, 1, 81)
    quotes = tape_of(walks)
    levels = np.log(quotes["bid"].reshape(81, 4)[:80])
    _, traded = run(discovery(universe_desk(4), window=80), quotes)
    (row,) = traded
    assert row["pair"] == 0
    changes = pd.DataFrame(levels).diff()
    assert row["correlation"] == pytest.approx(changes[0].corr(changes[1]), rel=1e-9)
    from_start = levels - levels[0]
    distance = math.sqrt(((from_start[:, 0] - from_start[:, 1]) ** 2).mean())
    assert row["distance"] == pytest.approx(distance, rel=1e-9)
    for close in ({"min_correlation": row["correlation"] + 0.01}, {"max_distance": distance * 0.99}):
        screenings, none = run(discovery(universe_desk(4), window=80, **close), quotes)
        assert len(none) == 0
        assert screenings["tested"].tolist() == [6], "the pair still counts"
    for far in ({"min_correlation": row["correlation"] - 0.01}, {"max_distance": distance * 1.01}):
        assert len(run(discovery(universe_desk(4), window=80, **far), quotes)[1]) == 1


def test_pairs_that_go_together_are_found_among_very_many():
    """100 symbols, 4,950 pairs, 20 of which go together."""
    screenings, traded = run(discovery(universe_desk(100), window=300, traded=60), tape_of(planted(100, 20, 301)))
    pairs = universe_desk(100).pairs
    found = {pairs[row["pair"]].id for row in traded}
    planted_pairs = {f"U{2 * k}/U{2 * k + 1}" for k in range(20)}
    assert planted_pairs <= found
    assert len(found - planted_pairs) <= 1
    assert screenings["tested"].tolist() == [4950]


@pytest.mark.parametrize("dependence", ["any", "positive"])
def test_of_walks_nothing_is_found_more_often_than_the_rate(dependence):
    """Where no pair goes together every discovery is false: at 10 %, at most one screening in ten may find any."""
    false = []
    for seed in range(40):
        walks = planted(40, 0, 301, seed)
        (row,) = run(
            discovery(universe_desk(40), window=300, false_discovery=0.1, dependence=dependence), tape_of(walks)
        )[0]
        assert row["tested"] == 780
        false.append(row["found"] > 0)
    print("screenings of 40 with a false discovery:", sum(false))
    assert sum(false) <= 8  # of 40 at one in ten, more than 8 come up once in 40 times


def test_pairs_come_and_go():
    desk, quotes = universe_desk(8), universe_quotes(3, 8, 500, 250)
    screenings, traded = run(discovery(desk, window=100, patience=3, retire=0.2), quotes)
    first, turned = {"U0/U1", "U4/U5"}, {"U2/U3", "U6/U7"}
    half = quotes["cause"][250 * 8]
    at_turn = traded[traded["cause"] < half]
    assert {desk.pairs[p].id for p in at_turn["pair"][at_turn["state"] == PROMOTED]} >= first
    members: set[str] = set()
    for row in traded:
        pair = desk.pairs[row["pair"]].id
        assert (pair in members) == (row["state"] == RETIRED), "promoted before retired, and once"
        members ^= {pair}
    assert turned <= members
    assert not first & members
    sizes = np.cumsum(screenings["promoted"] - screenings["retired"])
    assert screenings["traded"].tolist() == sizes.tolist()


def test_a_leg_that_is_missing_for_an_hour_is_retired_and_comes_back():
    quotes = tape_of(planted(4, 2, 4_800))
    second = (quotes["ts"] - START) // SECOND
    silent = (quotes["instrument"] == 0) & (second >= 600) & (second < 4_200)
    operator = discovery(universe_desk(4), window=120, step=20, max_age="30s", patience=3)
    screenings, traded = run(operator, quotes[~silent])
    own = traded[traded["pair"] == 0]
    ends = (own["ts"] - START) // SECOND
    assert own["state"].tolist() == [PROMOTED, RETIRED, PROMOTED]
    assert own[["statistic", "p_value", "adjusted", "hedge"]][1].tolist() == (0.0, 1.0, 1.0, 0.0)
    assert ends[0] == 120
    assert 642 < ends[1] <= 720, "half a minute of age, a tenth of the window missing, three screenings"
    assert 4_300 <= ends[2] <= 4_340, "whole again once no more than a tenth is missing"
    assert set(screenings["instruments"]) == {3, 4}


def test_a_leg_that_stands_still_and_legs_in_other_units_are_no_discoveries():
    walks = planted(5, 1, 101)
    walks[:, 2] = 0.3
    walks[:, 3] = walks[:, 0] + math.log(2)
    quotes = tape_of(walks)
    doubled = quotes["bid"][quotes["instrument"] == 0] * 2
    quotes["bid"][quotes["instrument"] == 3] = quotes["ask"][quotes["instrument"] == 3] = doubled
    desk = universe_desk(5)
    _, traded = run(discovery(desk, window=100, false_discovery=0.9, retire=0.9), quotes)
    found = {desk.pairs[p].id for p in traded["pair"]}
    assert "U0/U1" in found
    assert not any("U2" in pair for pair in found)
    assert "U0/U3" not in found


@settings(max_examples=20)
@given(st.lists(st.integers(0, 2_000), max_size=5), st.booleans())
def test_neither_the_cut_nor_a_restart_matters(causes, reborn):
    desk, quotes = universe_desk(8), universe_quotes(1, 8, 240, 120)
    parameters = {"window": 50, "step": 5, "traded": 5, "false_discovery": 0.1, "retire": 0.2, "dependence": "positive"}
    operator, parts = discovery(desk, **parameters), []
    for piece in np.split(quotes, np.unique(np.searchsorted(quotes["cause"], causes, side="right"))):
        parts.append(run(operator, piece))
        if reborn:
            state = pickle.dumps(operator.snapshot())
            run(operator, piece)
            operator = discovery(desk, **parameters)
            operator.restore(pickle.loads(state))
    whole = run(discovery(desk, **parameters), quotes)
    assert len(whole[1]) > 8
    for k in range(2):
        assert np.concatenate([part[k] for part in parts]).tolist() == whole[k].tolist()


def test_silence_in_silence_out():
    assert discovery(DESK).process({}) == {}


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"window": 49}, "greater than or equal to 50"),
        ({"every": "0s"}, "greater than 0"),
        ({"retire": 0.01}, "retire 0.01 must not be below false_discovery 0.05, or pairs"),
        ({"lags": 13}, "less than or equal to 12"),
        ({"traded": 0}, "greater than or equal to 1"),
        ({"max_distance": 0}, "greater than 0"),
    ],
)
def test_parameters_that_cannot_be(parameters, message):
    with pytest.raises(ValueError, match=message):
        discovery(DESK, **parameters)


def test_a_desk_without_pairs():
    with pytest.raises(
        ConfigError, match="desk 'bare' has no pairs to screen; declare some, or set `every_pair: true`"
    ):
        discovery(Desk(id="bare", instruments=DESK.instruments))
