"""What must not be traded on is not decided on, whatever the reason."""

import pytest

from operators.pairs.spread import Spread
from operators.signals.bands import Bands
from schemas.market import BookState
from schemas.signal import SpreadState
from tests.operators.pairs.tape import SECOND, START, TWO, measure, quote, tape

REASONS = [state for state in BookState if state]


def decided(last_state: int) -> tuple[list[int], list[int]]:
    """States of the spreads and causes of the signals when, after quiet seconds, y jumps, quoted with a state."""
    quotes = [quote(1, START, 1, 1_000, 1_010)]
    quotes += [quote(2 + i, START + i * SECOND, 0, 2_000 + i % 2, 2_010 + i % 2) for i in range(20)]
    quotes += [quote(22, START + 21 * SECOND, 0, 3_000, 3_010, state=last_state)]
    hedge, zscore = {"type": "static"}, {"type": "rolling", "window": 10}
    operator = Spread(Spread.Parameters.model_validate({"hedge": hedge, "zscore": zscore, "every": "1s"}), TWO)
    spreads = measure(operator, tape(*quotes))
    bands = Bands(Bands.Parameters.model_validate({"entry": 3, "notional": 1000}), TWO)
    signals = bands.process({"spreads": spreads}).get("signals")
    return spreads["state"][spreads["cause"] == 22].tolist(), [] if signals is None else signals["cause"].tolist()


def test_a_tradable_quote_is_decided_on():
    states, causes = decided(BookState.OK)
    assert set(states) == {SpreadState.OK}
    assert set(causes) == {22}


@pytest.mark.parametrize("reason", REASONS)
def test_nothing_is_decided_on_a_quote_that_is_not(reason):
    states, causes = decided(reason)
    assert {SpreadState(state) & SpreadState.LEG for state in states} == {SpreadState.LEG}
    assert causes == []
