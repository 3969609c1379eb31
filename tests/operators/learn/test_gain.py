"""What a trade gains: against its definition, row by row, and what regressors and sizes make of it."""

import numpy as np
import pytest

from operators.learn.model import Model
from operators.operator import Desk
from schemas.instrument import Pair
from schemas.learn import PredictionState
from schemas.record import Frame
from tests.operators.learn.tape import SCALED, coin_flips, features_of, model, run, spreads_of
from tests.operators.pairs.tape import SECOND, START, instrument, quote, tape

GAIN = {"type": "gain", "exit": 0.5, "stop": 4.0, "horizon": "10s"}
LINEAR = [{"class": "river.preprocessing.StandardScaler"}, {"class": "river.linear_model.LinearRegression"}]
BEFORE = (quote(1, START, 0, 10_000, 10_010), quote(1, START, 1, 4_000, 4_004))
AFTER = (quote(2, START + SECOND, 0, 9_900, 9_920), quote(2, START + SECOND, 1, 4_050, 4_052))


def two(tick: str = "0.01") -> Desk:
    return Desk(
        id="two", instruments=(instrument("Y", tick), instrument("X", tick)), pairs=(Pair(id="YX", y="Y", x="X"),)
    )


def gain_of(z: float, hedge: float = 1.0, after: float = 0.0, quotes: Frame | None = None, **parameters) -> float:
    """What the operator says of one trade: the mean gain in its validation."""
    features = features_of((1, 0, z))
    features["hedge"] = hedge
    operator = model(desk=two(), validate_every=1, **parameters)
    frames = (spreads_of((2, 1, after)), features, tape(*BEFORE, *AFTER) if quotes is None else quotes)
    (row,) = run(operator, *frames)["validation"]
    return float(row["gain_all_bps"])


def by_hand(side: int, hedge: float, taker_bps: float = 0.0) -> float:
    """In ticks: one unit of y against `hedge` units of x, each bought at an ask and sold at a bid."""
    (y_bid, y_ask), (x_bid, x_ask) = ((q[3], q[4]) for q in BEFORE)
    (y_bid_2, y_ask_2), (x_bid_2, x_ask_2) = ((q[3], q[4]) for q in AFTER)
    y = y_bid_2 - y_ask if side > 0 else y_bid - y_ask_2
    x_side = -side if hedge > 0 else side
    x = x_bid_2 - x_ask if x_side > 0 else x_bid - x_ask_2
    entered = (y_bid + y_ask + abs(hedge) * (x_bid + x_ask)) / 2
    left = (y_bid_2 + y_ask_2 + abs(hedge) * (x_bid_2 + x_ask_2)) / 2
    return ((y + abs(hedge) * x) * 1e4 - taker_bps * (entered + left)) / entered


@pytest.mark.parametrize("z", [2.0, -2.0])
@pytest.mark.parametrize("hedge", [1.0, 0.5, -0.8])
@pytest.mark.parametrize("taker_bps", [0.0, 1.5])
def test_both_legs_are_crossed_twice_and_fees_are_paid(z, hedge, taker_bps):
    found = gain_of(z, hedge, taker_bps=taker_bps)
    assert found == pytest.approx(by_hand(-1 if z > 0 else 1, hedge, taker_bps), rel=1e-12)


def test_a_hedge_of_value_is_one_of_units_at_the_prices_of_the_entry():
    (y, x) = ((q[3] + q[4]) / 2 for q in BEFORE)
    operator = model(desk=two(), validate_every=1, hedge="notional")
    features = features_of((1, 0, 2.0))
    features["hedge"] = 0.7
    (row,) = run(operator, spreads_of((2, 1, 0.0)), features, tape(*BEFORE, *AFTER))["validation"]
    assert row["gain_all_bps"] == pytest.approx(by_hand(-1, 0.7 * y / x), rel=1e-12)


def test_untradable_quotes_are_passed_over_and_without_any_there_is_no_gain():
    halted = tape(*BEFORE, *AFTER, quote(2, START + SECOND, 0, 1, 2, 2))
    assert gain_of(2.0, quotes=halted) == pytest.approx(by_hand(-1, 1.0))
    assert gain_of(2.0, quotes=tape()) == 0.0


def test_quotes_after_the_outcome_do_not_matter():
    later = tape(*BEFORE, *AFTER, quote(3, START + 2 * SECOND, 0, 1, 2))
    assert gain_of(2.0, quotes=later) == pytest.approx(by_hand(-1, 1.0))


def positives(min_gain_bps) -> float:
    target = {"type": "reverts", "exit": 0.5, "stop": 4.0, "horizon": "10s", "min_gain_bps": min_gain_bps}
    operator = model(desk=two(), validate_every=1, target=target)
    rows = run(operator, spreads_of((2, 1, 0.0)), features_of((1, 0, 2.0)), tape(*BEFORE, *AFTER))
    return float(rows["validation"]["positive"][0])


def test_a_deviation_that_reverts_may_not_be_worth_its_costs():
    gain = by_hand(-1, 1.0)
    assert [positives(least) for least in (None, gain - 1e-6, gain + 1e-6)] == [1.0, 1.0, 0.0]


def paid_flips(seed: int, count: int, strength: float) -> tuple[Frame, Frame, Frame]:
    """Coin flips at whose outcome y has moved by 20 ticks, with the trade or against it."""
    spreads, features, outcomes = coin_flips(seed, count, strength)
    features["hedge"] = 1.0
    rows = []
    for k in range(count):
        cause, ts, up = 1 + 2 * k, int(features["ts"][k]), features["z"][k] > 0
        move = 20 if outcomes[k] != up else -20
        rows += [quote(cause, ts, i, 10_000, 10_001) for i in range(2)]
        rows.append(quote(cause + 1, ts + SECOND, 0, 10_000 + move, 10_001 + move))
    return spreads, features, tape(*rows)


def two_model(**parameters) -> Model:
    return model(desk=two(), **parameters)


@pytest.mark.parametrize(("kind", "target"), [(LINEAR, GAIN), (SCALED, GAIN | {"type": "reverts"})])
def test_expected_gain_is_what_is_gained(kind, target):
    """Where a gain is expected there is one, where a loss there is one, and the risk is that of a flip of 20 ticks."""
    rows = run(two_model(model=kind, target=target, warm_up=100), *paid_flips(2, 1500, 3.0))
    told, last = rows["predictions"], rows["validation"][-1]
    assert last["gain_bps"] > last["gain_all_bps"] + 2
    assert last["auc"] > 0.8
    assert last["log_loss"] < last["log_loss_base"]
    assert 4 < last["rmse_bps"] < 10  # a flip moves ten bps of both legs' value
    late = told[told["examples"] > 500]
    assert late["expected_bps"].min() < -3 < 3 < late["expected_bps"].max()
    assert ((late["risk_bps"] > 0) & (late["risk_bps"] < 12)).all()
    assert np.corrcoef(late["probability"], late["expected_bps"])[0, 1] > 0.9


def test_a_regressor_that_has_met_no_error_holds_no_opinion():
    rows = run(two_model(model=LINEAR, target=GAIN), *paid_flips(1, 3, 0.0))
    assert rows["predictions"]["state"].tolist() == [PredictionState.UNTAUGHT, 0, 0]


def test_a_horizon_alone_may_end_a_trade():
    target = {"type": "gain", "horizon": "10s"}
    features, late = features_of((1, 0, 2.0)), quote(3, START + 11 * SECOND, 0, 9_000, 9_010)
    operator = two_model(model=LINEAR, target=target, validate_every=1, warm_up=0)
    first = run(operator, spreads_of((2, 1, 0.0)), features, tape(*BEFORE, *AFTER))
    assert first["predictions"]["state"].tolist() == [PredictionState.UNTAUGHT]
    assert operator._examples == 0
    run(operator, spreads_of((3, 11, 0.0)), features[:0], tape(late))
    assert operator._contenders[0].learners[0].examples == 1
    assert operator._contenders[0].learners[0]._errors.mean == pytest.approx(
        (10_000 - 9_010 + 4_050 - 4_004) / 14_007 * 1e4
    )
