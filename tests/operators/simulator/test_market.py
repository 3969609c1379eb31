import math

import numpy as np
import pytest

from operators.simulator.market import draw_market
from operators.simulator.parameters import SECOND_NS, SessionParameters

PARAMETERS = SessionParameters(symbols=30, groups=4, pairs=60, controls=25, messages=20_000, hours=1)


def test_pairs_are_within_groups_and_controls_across():
    market = draw_market(PARAMETERS)
    group = market.members["group"]
    alike = [bool(group[y] == group[x]) for y, x in market.legs]
    assert alike == [True] * 60 + [False] * 25
    assert len(set(market.legs)) == 85
    assert [t["cointegrated"] for t in market.truth()] == alike


def test_members_are_spread_over_the_groups():
    sizes = np.bincount(draw_market(PARAMETERS).members["group"])
    assert tuple(sizes) == PARAMETERS.group_sizes == (8, 8, 7, 7)


def test_everything_is_drawn_from_its_range():
    market = draw_market(PARAMETERS)
    members = market.members
    half_lives = math.log(2) / market.groups["rate"] * SECOND_NS
    for drawn, (low, high) in (
        (members["price"] / 100, PARAMETERS.price),
        (members["beta"], PARAMETERS.beta),
        (members["deviation"], PARAMETERS.own_deviation_ticks),
        (members["half_spread"], PARAMETERS.half_spread_ticks),
        (half_lives, PARAMETERS.half_life),
    ):
        assert low <= drawn.min() * (1 + 1e-12)
        assert drawn.max() <= high * (1 + 1e-12)
        assert len(np.unique(drawn)) > 2


def test_the_truth_of_a_pair():
    market = draw_market(PARAMETERS)
    (y, x), truth = market.legs[0], market.truth()[0]
    leg_y, leg_x = market.members[y], market.members[x]
    assert truth["id"] == f"{market.symbols[y]}/{market.symbols[x]}"
    hedge = truth["hedge"]
    for factor in (-300.0, 0.0, 120.0):  # the factor drops out of the spread
        price_y, price_x = (leg["price"] + leg["beta"] * factor for leg in (leg_y, leg_x))
        assert (price_y - hedge * price_x) / 100 == pytest.approx(truth["intercept"])
    assert truth["half_life_s"] == pytest.approx(math.log(2) / market.groups["rate"][leg_y["group"]])
    assert truth["deviation"] == pytest.approx(math.hypot(leg_y["deviation"], hedge * leg_x["deviation"]) / 100)


def test_a_control_has_no_numbers():
    truth = draw_market(PARAMETERS).truth()[-1]
    assert {key: value for key, value in truth.items() if key != "id"} == {
        "hedge": None,
        "intercept": None,
        "half_life_s": None,
        "deviation": None,
        "cointegrated": False,
    }


def test_reference_data_names_the_symbols_and_keeps_the_hedges_secret():
    market = draw_market(PARAMETERS)
    first = market.instruments[0]
    assert (first.id, first.symbol, first.venue, str(first.tick), str(first.lot), first.currency) == (
        ("AAA", "AAA", "NASDAQ", "0.01", "1", "USD")
    )
    assert len({i.id for i in market.instruments}) == 30
    assert all(pair.hedge is None and pair.intercept == 0 for pair in market.pairs)


def test_a_seed_is_a_market():
    again, other = draw_market(PARAMETERS), draw_market(PARAMETERS.model_copy(update={"seed": 2}))
    market = draw_market(PARAMETERS)
    assert np.array_equal(market.members, again.members)
    assert market.legs == again.legs
    assert not np.array_equal(market.members, other.members)
    assert market.legs != other.legs


@pytest.mark.parametrize("pairs", [0, 94])
def test_none_or_all_of_the_pairs(pairs):
    market = draw_market(PARAMETERS.model_copy(update={"pairs": pairs, "controls": 0}))
    assert len(market.pairs) == pairs
