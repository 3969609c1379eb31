"""How large an entry is: by what is expected of it, and by what its model orders."""

import pytest

from operators.signals.bands import Bands
from schemas.learn import PREDICTIONS, PredictionState
from schemas.record import MONEY_QUANTUM
from schemas.signal import SPREADS, Action
from tests.operators.pairs.tape import DESK, SECOND

NOTIONAL = 1_000
STEPS = {"type": "step", "points": [[0.5, 0.25], [0.7, 1.0], [0.9, 2.0]]}
LINE = STEPS | {"type": "linear"}
KELLY = {"type": "kelly", "capital": 100_000, "fraction": 0.1, "most": 3.0}


def size(sizing, *, probability=0.8, expected=1.0, risk=10.0, ordered=1.0, state=0, **parameters) -> float | None:
    """The notional of the entry on one prediction, in currency; None where there is no entry."""
    parameters = {"entry": 2.0, "notional": NOTIONAL, "sizing": sizing, "min_probability": 0.0} | parameters
    operator = Bands(Bands.Parameters.model_validate(parameters), DESK)
    told = PREDICTIONS.rows([(1, SECOND, probability, expected, risk, ordered, 1, 1, 9, 0, 0, state)])
    spreads = SPREADS.rows([(1, SECOND, 2.5, 1.0, 0.0, 0.0, 1.0, 2.5, 0, 0)])
    signals = operator.process({"spreads": spreads, "predictions": told}).get("signals", ())
    for signal in signals:
        assert signal["action"] == Action.ENTER
        return float(signal["notional"]) / MONEY_QUANTUM
    return None


@pytest.mark.parametrize(
    ("sizing", "probability", "expected"),
    [
        (None, 0.1, 1_000),
        (STEPS, 0.49, None),
        (STEPS, 0.5, 250),
        (STEPS, 0.69, 250),
        (STEPS, 0.7, 1_000),
        (STEPS, 0.95, 2_000),
        (LINE, 0.49, None),
        (LINE, 0.5, 250),
        (LINE, 0.6, 625),
        (LINE, 0.8, 1_500),
        (LINE, 0.99, 2_000),
    ],
)
def test_by_probability(sizing, probability, expected):
    assert size(sizing, probability=probability) == (None if expected is None else pytest.approx(expected))


@pytest.mark.parametrize(("gain", "expected"), [(-1.0, None), (0.0, 500), (1.9, 500), (2.0, 1_000)])
def test_by_expected_gain(gain, expected):
    sizing = {"type": "step", "by": "expected", "points": [[0.0, 0.5], [2.0, 1.0]]}
    assert size(sizing, expected=gain) == expected


@pytest.mark.parametrize(
    ("gain", "risk", "expected"),
    [
        (1.0, 100.0, 10_000 * 1e-4 / 1e-4),  # a tenth of the capital times gain over variance: 10,000 * 1
        (0.1, 100.0, 1_000),
        (0.1, 200.0, 250),
        (0.0, 100.0, None),
        (-1.0, 100.0, None),
        (50.0, 1.0, 3_000),
    ],
)
def test_a_fraction_of_kelly(gain, risk, expected):
    capped = None if expected is None else pytest.approx(min(expected, 3 * NOTIONAL))
    assert size(KELLY, expected=gain, risk=risk) == capped


def test_what_the_model_orders_is_multiplied_in():
    assert size(STEPS, probability=0.7, ordered=0.5) == 500
    assert size(None, ordered=0.5) == 500
    assert size(None, ordered=0.0) is None


@pytest.mark.parametrize("unpredicted", ["open", "closed"])
def test_pauses_veto_the_bare_rule_does_not_and_no_opinion_is_as_said(unpredicted):
    said = {"unpredicted": unpredicted, "probability": 0.0, "expected": 0.0, "risk": 0.0}
    assert size(STEPS, state=PredictionState.PAUSED, **said) is None
    assert size(STEPS, state=PredictionState.PAUSED | PredictionState.RULE, **said) is None
    assert size(STEPS, state=PredictionState.RULE, ordered=0.5, **said) == 500
    assert size(STEPS, state=PredictionState.UNTAUGHT, **said) == (NOTIONAL if unpredicted == "open" else None)


def test_an_expected_gain_may_be_asked_for():
    assert size(None, expected=1.0, min_expected_bps=1.0) == NOTIONAL
    assert size(None, expected=0.9, min_expected_bps=1.0) is None
    assert size(None, expected=-5.0) == NOTIONAL


def test_no_size_keeps_a_position_open():
    operator = Bands(Bands.Parameters.model_validate({"entry": 2.0, "notional": NOTIONAL, "sizing": STEPS}), DESK)
    told = PREDICTIONS.rows([(c, c * SECOND, p, 0.0, 1.0, 1.0, 1, 1, 9, 0, 0, 0) for c, p in ((1, 0.95), (2, 0.1))])
    spreads = SPREADS.rows([(c, c * SECOND, z, 1.0, 0.0, 0.0, 1.0, z, 0, 0) for c, z in ((1, 2.5), (2, 2.2), (3, 0.0))])
    signals = operator.process({"spreads": spreads, "predictions": told})["signals"]
    assert signals[["action", "notional"]].tolist() == [(Action.ENTER, 2_000 * MONEY_QUANTUM), (Action.EXIT, 0)]


@pytest.mark.parametrize(
    ("sizing", "message"),
    [
        ({"type": "step", "points": []}, "at least 1 item"),
        ({"type": "step", "points": [[0.7, 1.0], [0.7, 2.0]]}, "0.7 comes after 0.7; write values in rising order"),
        ({"type": "linear", "points": [[0.7, -1.0]]}, "the share at 0.7 is -1; a size is 0 or more"),
        (KELLY | {"fraction": 1.5}, "less than or equal to 1"),
        ({"type": "square"}, "'step', 'linear'.*'kelly'|kelly"),
    ],
)
def test_rules_that_cannot_be(sizing, message):
    with pytest.raises(ValueError, match=message):
        size(sizing)
