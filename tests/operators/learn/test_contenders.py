"""Models in the shadow, promotions, and what is done about a drift."""

import numpy as np
import pytest

from schemas.errors import ConfigError
from schemas.learn import MODEL_EVENTS, ModelEventKind, PredictionState
from tests.operators.learn.models import Frail
from tests.operators.learn.tape import SCALED, coin_flips, model, run, spreads_of

COIN = {"class": f"{Frail.__module__}.Frail", "parameters": {"after": 10**6}}
"""Says 0.6 whatever it is asked."""
RULE, PAUSED, UNTAUGHT = PredictionState.RULE, PredictionState.PAUSED, PredictionState.UNTAUGHT
DRIFT, CALM, PROMOTED = ModelEventKind.DRIFT, ModelEventKind.CALM, ModelEventKind.PROMOTED


def test_the_shadow_is_asked_and_taught_the_same():
    """A model says in the shadow what it would say if it were live."""
    spreads, features, _ = coin_flips(1, 200, strength=2.0)
    rows = run(model(model=COIN, shadows=[SCALED], validate_every=50), spreads, features)
    alone = run(model(model=SCALED, validate_every=50), spreads, features)
    shadow, live = rows["shadows"].copy(), alone["predictions"]
    assert (shadow["model"] == 1).all()
    shadow["model"] = 0
    assert shadow.tolist() == live.tolist()
    assert set(rows["predictions"]["probability"]) == {0.6}
    own = rows["validation"][rows["validation"]["model"] == 1]
    own["model"] = 0
    assert own.tolist() == alone["validation"].tolist()


def test_a_model_that_changes_what_it_is_shown_changes_nothing_for_the_others():
    spreads, features, _ = coin_flips(1, 50, strength=2.0)
    greedy = {"class": f"{Frail.__module__}.Greedy"}
    rows = run(model(model=SCALED, shadows=[greedy]), spreads, features)
    assert rows["predictions"].tolist() == run(model(), spreads, features)["predictions"].tolist()


@pytest.mark.parametrize("measure", ["log_loss", "brier"])
def test_a_better_model_is_promoted_once_it_has_been_better_for_long_enough(measure):
    spreads, features, _ = coin_flips(1, 300, strength=3.0)
    promote = {"measure": measure, "outcomes": 100, "margin": 0.02}
    rows = run(model(model=COIN, shadows=[SCALED], promote=promote), spreads, features)
    (event,) = rows["events"]
    assert (event["kind"], event["model"]) == (PROMOTED, 1)
    assert event["cause"] == 200  # the outcome of flip 100
    assert event["after"] < event["before"] - 0.02
    live, shadow = rows["predictions"], rows["shadows"]
    assert (live["model"] == (live["cause"] > 200)).all()
    assert (shadow["model"] == (shadow["cause"] < 200)).all()
    assert event["fingerprint"] == live["fingerprint"][-1] != live["fingerprint"][0]


def test_none_is_promoted_for_a_difference_below_the_margin():
    spreads, features, _ = coin_flips(1, 300, strength=3.0)
    promote = {"measure": "brier", "outcomes": 100, "margin": 0.9}
    assert "events" not in run(model(model=COIN, shadows=[SCALED], promote=promote), spreads, features)


def test_where_the_live_model_fails_one_from_the_shadow_takes_its_place():
    frail = {"class": f"{Frail.__module__}.Frail", "parameters": {"after": 30, "how": "predict"}}
    spreads, features, _ = coin_flips(1, 60)
    promote = {"outcomes": 20, "margin": 0.5}
    rows = run(model(model=frail, shadows=[SCALED], promote=promote), spreads, features)
    assert rows["failures"][["model", "examples"]].tolist() == [(0, 30)]
    assert rows["events"][["kind", "model", "cause"]].tolist() == [(PROMOTED, 1, 62)]
    assert not rows["predictions"]["state"][31:].any()


def turned(seed: int, count: int, at: int):
    """Coin flips whose signal turns around at flip `at`."""
    before, after = (coin_flips(seed, count, strength) for strength in (3.0, -3.0))
    spreads, features = (np.where(b["cause"] > 2 * at, a, b) for b, a in zip(before[:2], after[:2], strict=True))
    return spreads, features


def watched(then: str, size: float = 1.0, outcomes: int = 40, **parameters):
    detector = {"class": "river.drift.PageHinkley", "parameters": {"delta": 0.05, "threshold": 10}}
    drift = {"detector": detector, "then": then, "size": size, "outcomes": outcomes}
    return model(drift=drift, warm_up=50, **parameters)


@pytest.mark.parametrize(
    ("then", "size", "state"),
    [("keep", 0.5, 0), ("keep", 0.0, PAUSED), ("rule", 1.0, RULE), ("rule", 0.0, RULE | PAUSED)],
)
def test_a_drift_is_acted_on_for_so_many_outcomes(then, size, state):
    rows = run(watched(then, size), *turned(1, 600, 300))
    events, told = rows["events"], rows["predictions"]
    drift, calm = events[0], events[1]
    assert events["kind"][:2].tolist() == [DRIFT, CALM]
    assert 600 < drift["cause"] < 700
    assert calm["cause"] == drift["cause"] + 80  # forty outcomes, one each second cause
    during = (told["cause"] > drift["cause"]) & (told["cause"] < calm["cause"])
    assert (told["state"][during] == state).all()
    assert (told["size"][during] == size).all()
    calm_ones = (told["cause"] > 100) & (told["cause"] < drift["cause"])
    assert (told["size"][calm_ones] == 1.0).all()
    assert not told["state"][calm_ones].any()
    assert drift["after"] > drift["before"]


def test_a_reset_model_knows_nothing_and_learns_anew():
    rows = run(watched("reset"), *turned(1, 600, 300))
    drift, told = rows["events"][0], rows["predictions"]
    after = told[told["cause"] > drift["cause"]]
    assert after["examples"].tolist() == list(range(len(after)))
    assert (after["state"][:50] == UNTAUGHT).all()
    assert not after["state"][50:].any()
    assert drift["examples"] == 0


@pytest.mark.parametrize("seed", range(20))
def test_a_turn_is_found_within_fifty_outcomes_and_nothing_before(seed):
    events = run(watched("keep", 0.5), *turned(seed, 600, 500)).get("events", MODEL_EVENTS.empty)
    drifts = events["cause"][events["kind"] == DRIFT]
    assert len(drifts) == 1
    assert 1000 < drifts[0] <= 1100


def test_errors_that_fall_are_no_drift():
    """At first the model knows nothing; a detector sees its errors change as it learns."""
    detector = {"class": "river.drift.ADWIN", "parameters": {"delta": 0.3, "grace_period": 5}}
    drift = {"detector": detector, "size": 0.5}
    spreads, features, _ = coin_flips(3, 400, strength=6.0)
    assert "events" not in run(model(drift=drift), spreads, features)


@pytest.mark.parametrize(("error", "binary"), [("wrong", "DDM"), ("loss", ""), ("wrong", "")])
def test_every_error_can_be_watched(error, binary):
    path = f"river.drift.binary.{binary}" if binary else "river.drift.PageHinkley"
    drift = {"detector": {"class": path}, "error": error, "size": 0.5}
    assert len(run(model(drift=drift), *turned(1, 100, 50))["predictions"]) == 100


def test_what_one_row_decides_counts_as_one():
    """Ten examples of one deviation, decided together, are one error to the detector and to a promotion."""
    spreads, features, _ = coin_flips(1, 60, strength=6.0)
    tenfold = np.repeat(features, 10)
    promote = {"outcomes": 40, "margin": 0.0}
    rows = run(model(model=COIN, shadows=[SCALED], promote=promote), spreads, tenfold)
    assert rows["predictions"]["examples"][-1] == 590
    assert 80 <= rows["events"]["cause"][0] < 90


def test_a_detector_that_cannot_be():
    for path, message in (
        ("river.stats.Mean", "must be a drift detector, such as river.drift.ADWIN; it is"),
        ("river.drift.Adwin", "river.drift has no 'Adwin'; it has .*ADWIN"),
    ):
        with pytest.raises(ConfigError, match=message):
            model(drift={"detector": {"class": path}, "size": 0.0})
    with pytest.raises(ValueError, match="a drift that changes nothing"):
        model(drift={"detector": {"class": "river.drift.ADWIN"}})
    with pytest.raises(ValueError, match="promote needs models to promote; list some under `shadows`"):
        model(promote={})


def test_a_detector_that_raises_is_told_and_the_flow_goes_on():
    drift = {"detector": {"class": f"{Frail.__module__}.Alarming"}, "size": 0.5}
    spreads, features, _ = coin_flips(1, 20)
    rows = run(model(drift=drift), spreads, features)
    assert rows["failures"]["reason"].tolist() == ["drift detector raised OverflowError (too much)"]
    assert not rows["predictions"]["state"].any()
    assert run(model(drift=drift), spreads_of(), features[:0]) == {}
