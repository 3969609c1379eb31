"""Gates and rows of baskets against statsmodels on the samples of a tape."""

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.tsa.vector_ar.vecm import coint_johansen

from operators.operator import Desk
from operators.pairs.baskets import Baskets
from operators.pairs.discovery_example import universe_desk, universe_quotes
from operators.pairs.trace_test import CRITICAL, trace_p_value
from schemas.errors import ConfigError
from schemas.record import Frame
from schemas.signal import BASKETS, GATES, Gate
from tests.operators.pairs.test_discovery import planted, tape_of

CLOSED, OPEN = int(Gate.CLOSED), int(Gate.OPEN)
FIVE = {"id": "five", "instruments": ["U2", "U0", "U1", "U3", "U4"]}
TWO = {"id": "two", "instruments": ["U6", "U5"]}


def baskets(desk: Desk | None = None, **parameters) -> Baskets:
    usual = {"baskets": [FIVE, TWO], "every": "1s", "window": 120, "step": 10}
    return Baskets(Baskets.Parameters(**usual | parameters), desk or universe_desk(7))


def run(operator: Baskets, quotes: Frame) -> tuple[Frame, Frame]:
    found = operator.process({"quotes": quotes})
    return found.get("baskets", BASKETS.empty).copy(), found.get("gates", GATES.empty).copy()


def walks(bars: int) -> Frame:
    """Of seven walks numbers 2, 0 and 4 stay together as U2 = U0 + U4 does."""
    levels = planted(7, 0, bars)
    levels[:, 2] = levels[:, 0] + levels[:, 4] + np.random.default_rng(9).normal(0, 5e-4, bars)
    return levels


def test_rows_are_statsmodels_tests_of_the_last_samples():
    quotes = tape_of(walks(160))
    levels = np.log(quotes["bid"].reshape(160, 7))
    rows, gates = run(baskets(), quotes)
    assert rows["cause"].tolist() == [1, 1, *np.repeat([7 * end + 1 for end in (120, 130, 140, 150)], 2)]
    for row in rows[2:]:
        end = (row["cause"] - 1) // 7
        members = [2, 0, 1, 3, 4] if row["basket"] == "five" else [6, 5]
        wanted = coint_johansen(levels[end - 120 : end, members], 0, 1)
        count = len(members)
        assert row["statistic"] == pytest.approx(wanted.trace_stat[0], rel=1e-7)
        assert row["critical"] == wanted.trace_stat_crit_vals[0, 1] == CRITICAL[count - 1]
        assert row["p_value"] == pytest.approx(trace_p_value(wanted.trace_stat[0], count), rel=1e-6)
        weights = np.array([row[f"weight_{i}"] for i in range(1, 6)])
        first = wanted.evec[:, 0] / wanted.evec[0, 0]
        np.testing.assert_allclose(weights[:count] / weights[0], first, rtol=1e-5, atol=1e-7)
        assert np.abs(weights).sum() == pytest.approx(1)
        assert not weights[count:].any()
        passed = wanted.trace_stat > wanted.trace_stat_crit_vals[:, 1]
        assert row["rank"] == (count if passed.all() else int(np.argmin(passed)))
    five = rows[rows["basket"] == "five"]
    assert five["state"].tolist() == [CLOSED, OPEN, OPEN, OPEN, OPEN]
    assert min(five["rank"][1:]) == 1
    assert len(gates) == 5 * (10 + 1), "pairs within the baskets, at the first quote and at each test"


def test_gates_follow_their_basket():
    desk = universe_desk(7)
    rows, gates = run(baskets(), tape_of(walks(130)))
    five, two = rows[2], rows[3]
    for gate in gates[gates["cause"] > 1]:
        pair = desk.pairs[gate["pair"]]
        basket, ids = (five, FIVE["instruments"]) if pair.y in FIVE["instruments"] else (two, TWO["instruments"])
        assert {pair.y, pair.x} <= set(ids)
        names = ["statistic", "p_value", "critical", "lags", "state"]
        assert gate[names].tolist() == basket[names].tolist()
        weight = {name: basket[f"weight_{i}"] for i, name in enumerate(ids, 1)}
        assert gate["hedge"] == pytest.approx(-weight[pair.x] / weight[pair.y])


def test_a_basket_opens_and_closes_with_hysteresis():
    desk, quotes = universe_desk(8), universe_quotes(2, 8, 500, 250)
    parameters = {"window": 100, "step": 1, "open": 1e-5, "close": 0.6, "missing": 0.2}
    rows, _ = run(baskets(desk, baskets=[{"id": "b", "instruments": ["U1", "U0"]}], **parameters), quotes)
    state, between = CLOSED, 0
    for row in rows:
        if row["p_value"] <= 1e-5:
            state = OPEN
        elif row["p_value"] > 0.6:
            state = CLOSED
        else:
            between += state == OPEN
        assert row["state"] == state
    assert between > 3
    assert np.count_nonzero(np.diff(rows["state"])) >= 2
    assert rows["state"][-1] == CLOSED


def test_what_cannot_be_tested_is_closed():
    levels = walks(200)
    quotes = tape_of(levels)
    second, instrument = (quotes["cause"] - 1) // 7, quotes["instrument"]
    quotes["state"][(instrument == 4) & (second >= 130) & (second < 160)] = 2
    five = run(baskets(), quotes)[0]
    five = five[five["basket"] == "five"]
    assert five["state"][:3].tolist() == [CLOSED, OPEN, OPEN]
    assert five["statistic"][3] > 0, "a twelfth of the window is missing"
    assert five[["statistic", "p_value", "rank", "weight_1", "state"]][4:].tolist() == [(0.0, 1.0, 0, 0.0, CLOSED)] * 5
    quotes["state"] = 0
    quotes["bid"][instrument == 6] = quotes["ask"][instrument == 6] = 2 * quotes["bid"][instrument == 5]
    two = run(baskets(), quotes)[0]
    two = two[two["basket"] == "two"]
    assert two[["statistic", "p_value", "state"]].tolist() == [(0.0, 1.0, CLOSED)] * 9


@settings(max_examples=20)
@given(st.lists(st.integers(0, 1_200), max_size=5), st.booleans())
def test_neither_the_cut_nor_a_restart_matters(causes, reborn):
    quotes = tape_of(walks(170))
    operator, parts = baskets(), []
    for piece in np.split(quotes, np.unique(np.searchsorted(quotes["cause"], causes, side="right"))):
        parts.append(run(operator, piece))
        if reborn:
            state = pickle.dumps(operator.snapshot())
            run(operator, piece)
            operator = baskets()
            operator.restore(pickle.loads(state))
    whole = run(baskets(), quotes)
    for k in range(2):
        assert np.concatenate([part[k] for part in parts]).tolist() == whole[k].tolist()


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"baskets": []}, "at least 1 item"),
        ({"baskets": [{"id": "b", "instruments": ["U1"]}]}, "at least 2 items"),
        ({"baskets": [{"id": "b", "instruments": [f"U{i}" for i in range(6)]}]}, "at most 5 items"),
        (
            {"baskets": [{"id": "b", "instruments": ["U1", "U1"]}]},
            "basket 'b' has 'U1' twice; a basket needs different",
        ),
        ({"baskets": [TWO, TWO]}, "two baskets are called 'two'; rename one"),
        ({"open": 0.2, "close": 0.1}, "close 0.1 must not be below open 0.2"),
        ({"window": 100}, "1 lags of 5 instruments need a window of at least 110 samples"),
        ({"lags": 0}, "greater than or equal to 1"),
    ],
)
def test_parameters_that_cannot_be(parameters, message):
    with pytest.raises(ValueError, match=message):
        baskets(**parameters)


def test_what_does_not_fit_the_desk():
    with pytest.raises(ConfigError, match="basket 'five': desk 'universe' has no instrument 'U3'; it has U0, U1, U2"):
        baskets(universe_desk(3))
    other = {"id": "other", "instruments": ["U0", "U2"]}
    with pytest.raises(
        ConfigError, match="pair 'U0/U2' lies in the baskets 'five' and 'other'; one gate cannot follow"
    ):
        baskets(baskets=[FIVE, other])
