"""What must not hurt any operator of pairs: prices at and below zero, legs that vanish, legs that are one."""

import numpy as np
import pytest

from operators.operator import Desk, Operator
from operators.pairs.baskets import Baskets
from operators.pairs.cointegration import Cointegration
from operators.pairs.correlation import Correlation
from operators.pairs.discovery import Discovery
from operators.pairs.pair_statistics import PairStatistics
from operators.pairs.spread import Spread
from schemas.instrument import Pair
from schemas.record import Frame, Kind
from schemas.signal import Gate, SpreadState
from tests.operators.pairs.tape import SECOND, START, instrument, quote, tape

DESK = Desk(
    id="bad",
    instruments=(instrument("Y"), instrument("X"), instrument("Z")),
    pairs=(Pair(id="YX", y="Y", x="X"), Pair(id="ZX", y="Z", x="X")),
)
ZSCORE = {"type": "rolling", "window": 20}
HEDGES = [
    {"type": "rolling", "window": 30},
    {"type": "tls", "window": 30},
    {"type": "ewls", "half_life": 10},
    {"type": "kalman"},
]


def quotes_of(y: Frame, x: Frame, z: Frame) -> Frame:
    rows, cause = [], 0
    for k, prices in enumerate(zip(y.tolist(), x.tolist(), z.tolist(), strict=True)):
        for number, price in enumerate(prices):
            cause += 1
            if price is not None:
                rows.append(quote(cause, START + k * SECOND, number, price - 1, price + 1))
    return tape(*rows)


def walks(count: int, seed: int = 1) -> Frame:
    x = 20_000 + np.cumsum(np.random.default_rng(seed).integers(-9, 10, (3, count)), axis=1)
    x[2] = x[1] // 2 + np.random.default_rng(2).integers(-9, 10, count)
    return x


def operators(price: str) -> list[Operator]:
    made: list[Operator] = [
        Spread(Spread.Parameters.model_validate({"price": price, "hedge": hedge, "zscore": ZSCORE}), DESK)
        for hedge in HEDGES
    ]
    made.append(Cointegration(Cointegration.Parameters(price=price, window=50, step=5), DESK))
    made.append(Correlation(Correlation.Parameters(window=20), DESK))
    made.append(Discovery(Discovery.Parameters(every="1s", window=50, confirm=1, false_discovery=0.1), DESK))
    basket = {"id": "all", "instruments": ["Y", "X", "Z"]}
    made.append(Baskets(Baskets.Parameters.model_validate({"baskets": [basket], "window": 70, "step": 5}), DESK))
    return made


def outputs(operator: Operator, quotes: Frame) -> dict[str, Frame]:
    """What the operator says, all of it finite."""
    found = {port: frame.copy() for port, frame in operator.process({"quotes": quotes}).items()}
    for port, frame in found.items():
        for column in operator.outputs[port].columns:
            if column.kind is Kind.FLOAT:
                assert np.isfinite(frame[column.name]).all(), f"{type(operator).__name__} {port}.{column.name}"
    if isinstance(operator, Spread):
        followed = PairStatistics(PairStatistics.Parameters(window=32, step=5), DESK)
        outputs_of = followed.process({"quotes": quotes, "spreads": found["spreads"]})
        assert all(np.isfinite(outputs_of["statistics"][n]).all() for n in ("correlation", "hurst", "half_life"))
    return found


@pytest.mark.parametrize("price", ["mid", "log_mid"])
def test_prices_at_and_below_zero(price):
    levels = walks(300)
    levels[0, 100:110] = 0
    levels[1, 150:160] = -5_000
    levels[2, 200] = -1
    for operator in operators(price):
        found = outputs(operator, quotes_of(*levels))
        if price == "log_mid" and isinstance(operator, Spread):
            of_pair = found["spreads"][found["spreads"]["pair"] == 0]
            second = (of_pair["ts"] - START) // SECOND
            assert (of_pair["state"][(second >= 151) & (second < 160)] & SpreadState.LEG).all()
            assert of_pair["state"][-1] == 0, "usable again"


@pytest.mark.parametrize("price", ["mid", "log_mid"])
def test_a_leg_that_is_missing_for_an_hour(price):
    levels = walks(4_000).astype(object)
    levels[1, 200:3_800] = None
    for operator in operators(price):
        found = outputs(operator, quotes_of(*levels))
        if isinstance(operator, Spread):
            aged = Spread(operator.parameters.model_copy(update={"max_age": 30 * SECOND}), DESK)
            of_pair = outputs(aged, quotes_of(*levels))["spreads"]
            second = (of_pair["ts"] - START) // SECOND
            assert (of_pair["state"][(second > 231) & (second < 3_800)] & SpreadState.STALE).all()
            assert of_pair["state"][-1] == 0, "usable again"
        assert max(int(frame["ts"][-1]) for frame in found.values()) >= START + 3_990 * SECOND, "it goes on"


@pytest.mark.parametrize("price", ["mid", "log_mid"])
def test_legs_that_are_one_in_other_units(price):
    levels = walks(300)
    levels[0] = 2 * levels[1]
    for operator in operators(price):
        found = outputs(operator, quotes_of(*levels))
        if isinstance(operator, Spread):
            of_pair = found["spreads"][found["spreads"]["pair"] == 0]
            if operator.parameters.hedge.type in {"rolling", "tls", "ewls"}:
                assert (of_pair["state"][-50:] & SpreadState.DEGENERATE).all()
                assert not of_pair["z"][-50:].any()
        elif isinstance(operator, Cointegration | Baskets):
            gates = found["gates"][found["gates"]["pair"] == 0]
            assert (gates["state"] == Gate.CLOSED).all()
            assert not gates["statistic"].any()
        elif isinstance(operator, Discovery):
            assert 0 not in found["traded"]["pair"]
        else:
            assert found["correlations"]["correlation"][-1] > 0.5


def test_a_pair_of_an_instrument_with_itself():
    with pytest.raises(ValueError, match="pair 'YY' has 'Y' on both legs; a pair needs two different instruments"):
        Pair(id="YY", y="Y", x="Y")
