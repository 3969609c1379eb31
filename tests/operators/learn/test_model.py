"""What a model learns and says: nothing of noise, something of a signal, never of the future; and when it fails."""

import pickle

import numpy as np
import pytest

from flows.contract import check_operator
from operators.learn.model import Asked, Model, _seen
from operators.learn.schedule import Schedule
from operators.learn.score import Score, Told, auc, score
from operators.learn.waiting import LEARN, PREDICT
from operators.operator import Desk
from schemas.errors import ConfigError, InvariantError
from schemas.learn import FEATURE_NAMES, PREDICTIONS, PredictionState
from tests.operators.learn.models import Frail
from tests.operators.learn.tape import LOGISTIC, SCALED, coin_flips, features_of, model, predict, run, spreads_of
from tests.operators.pairs.tape import DESK

UNTAUGHT, OUTSIDE, FAILED = PredictionState.UNTAUGHT, PredictionState.OUTSIDE, PredictionState.FAILED
SEEDS = range(50)
FLIPS = 700


class Foresighted(Model):
    """Learns every outcome just before it is asked, as a model would whose labels are not held back."""

    def __init__(self, parameters, desk):
        super().__init__(parameters, desk)
        its = self._schedule
        its.steps = lambda *rows: self._foreseen(Schedule.steps(its, *rows).copy(), rows[-1])

    def _foreseen(self, steps, features):
        learns = {step["number"]: step for step in steps if step["kind"] == LEARN}
        ordered, seen = [], _seen(features)
        for step in steps[steps["kind"] == PREDICT]:
            known = learns.get(step["number"])
            ordered += [step] if known is None else [known, step]
            if known is not None:
                x = dict(zip(FEATURE_NAMES, seen[step["row"]], strict=True)) | {"recent": 0.5}
                self._asked[int(step["number"])] = Asked(x, (None,))
        return np.array(ordered, steps.dtype)


SLOW = [
    SCALED[0],
    {
        "class": "river.linear_model.LogisticRegression",
        "parameters": {"optimizer": {"class": "river.optim.SGD", "parameters": {"lr": 0.02}}},
    },
]


def surprise(cls: type[Model], seed: int, flips=None) -> float:
    """By how many of its deviations the AUC of a model's predictions of coin flips is above 1/2."""
    spreads, features, outcomes = coin_flips(seed, FLIPS) if flips is None else flips
    rows = predict(model(cls), spreads, features)
    assert not rows["state"].any()
    positives = int(outcomes.sum())
    deviation = np.sqrt((FLIPS + 1) / (12 * positives * (FLIPS - positives)))
    return (auc(rows["probability"], outcomes.astype(float)) - 0.5) / deviation


def is_noise(surprises: list[float]) -> bool:
    """Whether deviations from 1/2 are what chance gives: none beyond 3.5, their mean within 3 of its own."""
    return max(map(abs, surprises)) < 3.5 and abs(np.mean(surprises)) < 3 / np.sqrt(len(surprises))


def test_nothing_is_learned_from_noise():
    surprises = [surprise(Model, seed) for seed in SEEDS]
    assert is_noise(surprises), surprises


def shuffled(seed: int, count: int, strength: float):
    """Coin flips with a strong signal, whose outcomes then come in another order: within a side."""
    spreads, features, outcomes = coin_flips(seed, count, strength)
    rng = np.random.default_rng(seed + 1_000)
    side = np.sign(features["z"])
    for one in (-1.0, 1.0):
        own = np.flatnonzero(side == one)
        outcomes[own] = outcomes[rng.permutation(own)]
    spreads["z"][1::2] = np.where(outcomes, 0.0, 5.0) * side
    return spreads, features, outcomes


def test_nothing_is_learned_where_outcomes_are_shuffled_in_time():
    surprises = [surprise(Model, seed, shuffled(seed, FLIPS, 2.0)) for seed in SEEDS]
    assert is_noise(surprises), surprises


def theoretical_auc(strength: float) -> float:
    """Of one who knows the odds 1 / (1 + exp(-strength * s)) of each flip, s being standard normal."""
    s = np.linspace(-8.0, 8.0, 4001)
    density, odds = np.exp(-s * s / 2), 1 / (1 + np.exp(-strength * s))
    came, failed = density * odds, density * (1 - odds)
    below = np.cumsum(failed) - failed / 2
    return float((came * below).sum() / (came.sum() * failed.sum()))


@pytest.mark.parametrize("strength", [1.0, 2.0, 4.0])
def test_a_planted_signal_is_found_as_far_as_it_can_be(strength):
    """Late in its life a model comes within 0.01 of the best there is, in the mean of ten sessions."""
    found = []
    for seed in range(10):
        spreads, features, outcomes = coin_flips(seed, 1500, strength)
        rows = predict(model(model=SLOW), spreads, features)
        found.append(auc(rows["probability"][500:], outcomes[500:].astype(float)))
    assert abs(np.mean(found) - theoretical_auc(strength)) < 0.01, (np.mean(found), theoretical_auc(strength))


def test_the_test_above_would_see_labels_that_come_too_early():
    surprises = [surprise(Foresighted, seed) for seed in SEEDS[:6]]
    assert not is_noise(surprises)
    assert min(surprises) > 3.5, surprises


@pytest.mark.parametrize("seed", range(3))
def test_a_planted_signal_is_found(seed):
    spreads, features, outcomes = coin_flips(seed, FLIPS, strength=2.0)
    rows = run(model(validate_every=200), spreads, features)
    late = slice(200, None)
    told, true = rows["predictions"]["probability"][late], outcomes[late].astype(float)
    assert auc(told, true) > 0.75
    last = rows["validation"][-1]
    assert last["auc"] > 0.75
    assert last["log_loss"] < last["log_loss_base"]


def test_mirror_images_are_one():
    """A desk that sees everything from the other side says the same."""
    spreads, features, _ = coin_flips(1, 200, strength=2.0)
    whole = predict(model(), spreads, features)
    for name in ("z", "velocity", "y_imbalance", "x_imbalance"):
        features[name] *= -1
    spreads["z"] *= -1
    assert predict(model(), spreads, features).tolist() == whole.tolist()


@pytest.mark.parametrize("at", [50, 233, 350])
def test_another_future_does_not_change_the_past(at):
    spreads, features, _ = coin_flips(1, 200)
    others = coin_flips(2, 200)[:2]
    changed = [
        np.concatenate([a[a["cause"] <= at], b[b["cause"] > at]])
        for a, b in zip((spreads, features), others, strict=True)
    ]
    past, whole = run(model(validate_every=7), *changed), run(model(validate_every=7), spreads, features)
    for port in ("predictions", "validation"):
        assert past[port][past[port]["cause"] <= at].tolist() == whole[port][whole[port]["cause"] <= at].tolist()
        assert past[port].tolist() != whole[port].tolist()


MODELS = {
    "logistic": SCALED,
    "tree": {"class": "river.tree.HoeffdingTreeClassifier", "parameters": {"grace_period": 20}},
    "forest": {"class": "river.forest.ARFClassifier", "parameters": {"n_models": 2, "grace_period": 20}},
    "bayes": {"class": "river.naive_bayes.GaussianNB"},
}


@pytest.mark.parametrize("kind", MODELS)
@pytest.mark.parametrize("scope", ["desk", "pair"])
def test_learning_resumes_bit_for_bit(kind, scope):
    spreads, features, _ = coin_flips(3, 240, strength=1.0)
    features["pair"] = np.arange(240) % 3
    spreads["pair"] = np.repeat(features["pair"], 2)

    def fresh():
        return model(model=MODELS[kind], scope=scope, validate_every=30, warm_up=10)

    whole, operator, parts = run(fresh(), spreads, features), fresh(), []
    for after, edge in ((0, 100), (100, 101), (101, 350), (350, 500)):
        cut = [f[(f["cause"] > after) & (f["cause"] <= edge)] for f in (spreads, features)]
        parts.append(run(operator, *cut))
        state = pickle.dumps(operator.snapshot())
        run(operator, *cut)  # what happens to the old one later must not matter
        operator = fresh()
        operator.restore(pickle.loads(state))
    for port, rows in whole.items():
        assert np.concatenate([part[port] for part in parts if port in part]).tolist() == rows.tolist()
    assert len(np.unique(whole["predictions"]["probability"])) > 50
    assert len(whole["validation"]) > 3


def test_another_process_learns_the_same():
    assert all(verdict.passed for verdict in check_operator(Model, in_other_process=True))


def test_an_opinion_takes_a_warm_up():
    spreads, features, outcomes = coin_flips(1, 60)
    rows = run(model(warm_up=20, validate_every=10), spreads, features)
    predictions, validation = rows["predictions"], rows["validation"]
    assert predictions["examples"].tolist() == list(range(60))
    assert predictions["state"].tolist() == [UNTAUGHT] * 20 + [0] * 40
    assert not predictions["probability"][:20].any()
    assert validation["outcomes"].tolist() == [10] * 4
    for k, row in enumerate(validation):
        own = slice(20 + 10 * k, 30 + 10 * k)
        told = zip(predictions["probability"][own].tolist(), outcomes[own].astype(int).tolist(), strict=True)
        assert row[list(Score._fields)].tolist() == score([Told(*both, 0.0, 0.0) for both in told])
        assert row["cause"] == spreads["cause"][2 * (29 + 10 * k) + 1]
        assert row["examples"] == 30 + 10 * k


def test_a_model_of_its_own_for_every_pair():
    spreads, features, _ = coin_flips(1, 90)
    features["pair"] = np.arange(90) % 3
    spreads["pair"] = np.repeat(features["pair"], 2)
    rows = run(model(scope="pair", validate_every=10), spreads, features)
    assert set(rows["validation"]["pair"]) == {0, 1, 2}
    for pair in range(3):
        alone = [f[f["pair"] == pair] for f in (spreads, features)]
        own = rows["predictions"][rows["predictions"]["pair"] == pair]
        assert own.tolist() == predict(model(scope="pair"), *alone).tolist()
    assert set(run(model(validate_every=10), spreads, features)["validation"]["pair"]) == {-1}


def test_a_model_that_knows_no_class_yet_has_no_opinion():
    rows = predict(model(model=MODELS["bayes"]), spreads_of((2, 2, 0.0)), features_of((1, 1, 2.0), (3, 3, 2.0)))
    assert rows[["state", "probability"]].tolist() == [(UNTAUGHT, 0.0), (0, 1.0)]


@pytest.mark.parametrize(
    ("how", "states", "reason"),
    [
        ("learn", [0, 0, 0, 0, FAILED, FAILED], "learn_one raised ArithmeticError (weights overflowed)"),
        ("predict", [0, 0, 0, FAILED, FAILED, FAILED], "predict_proba_one raised KeyError ('z')"),
        ("nan", [0, 0, 0, FAILED, FAILED, FAILED], "predict_proba_one said nan, which is no probability"),
        ("much", [0, 0, 0, FAILED, FAILED, FAILED], "predict_proba_one said 1.5, which is no probability"),
    ],
)
@pytest.mark.parametrize("scope", ["desk", "pair"])
def test_a_model_that_goes_wrong_has_no_opinion_from_there_on(how, states, reason, scope):
    frail = {"class": f"{Frail.__module__}.Frail", "parameters": {"how": how}}
    spreads, features, _ = coin_flips(1, 6)
    operator, pieces = model(model=frail, scope=scope), []
    for cause in range(1, 13):
        pieces.append(run(operator, *(f[f["cause"] == cause] for f in (spreads, features))))
        state = operator.snapshot()
        operator = model(model=frail, scope=scope)
        operator.restore(state)
    predictions = np.concatenate([piece["predictions"] for piece in pieces if "predictions" in piece])
    assert predictions["state"].tolist() == states
    assert predictions["probability"].tolist() == [0.0 if state else 0.6 for state in states]
    (failure,) = np.concatenate([piece["failures"] for piece in pieces if "failures" in piece])
    assert failure["reason"] == reason
    assert failure["cause"] == (8 if how == "learn" else 7)
    assert failure[["examples", "pair"]].tolist() == (3, -1 if scope == "desk" else 0)


def test_outside_of_its_question_a_model_that_failed_says_both():
    frail = {"class": f"{Frail.__module__}.Frail", "parameters": {"how": "predict"}}
    spreads, features, _ = coin_flips(1, 5)
    features["z"][4] = 0.1
    assert predict(model(model=frail), spreads, features)["state"].tolist() == [0, 0, 0, FAILED, FAILED | OUTSIDE]


def test_rows_carry_what_they_are_about():
    rows = predict(model(), spreads_of(), features_of((5, 2, 2.0, 1)))
    other = predict(model(model=LOGISTIC), spreads_of(), features_of((5, 2, 2.0, 1)))
    assert rows[["cause", "examples", "pair", "state"]].tolist() == [(5, 0, 1, 0)]
    assert rows["fingerprint"][0] != other["fingerprint"][0]


def test_a_model_that_no_checkpoint_can_hold_is_refused():
    with pytest.raises(ConfigError, match=r"Unkeepable cannot be kept in a checkpoint: \w+ \(.*\)"):
        model(model={"class": f"{Frail.__module__}.Unkeepable"})


def test_the_digest_is_that_of_what_was_learned_in_order():
    spreads, features, _ = coin_flips(1, 40)
    digests = predict(model(), spreads, features)["digest"]
    assert len(set(digests)) == 40
    assert predict(model(), spreads, features)["digest"].tolist() == digests.tolist()
    other = features.copy()
    other["regime"][19] += 1e-12
    changed = predict(model(), spreads, other)["digest"]
    assert (changed == digests).tolist() == [True] * 20 + [False] * 20
    looked = predict(model(digest_every=10), spreads, features)["digest"]
    assert (looked == digests).tolist() == [True] * 10 + [False] * 30


def test_silence_in_silence_out():
    operator = model()
    assert operator.process({}) == {}
    assert run(operator, spreads_of((1, 1, 0.0)), features_of()) == {}
    assert predict(operator, spreads_of(), features_of()).tolist() == PREDICTIONS.empty.tolist()


def test_what_cannot_be():
    with pytest.raises(InvariantError, match=r"'desk', model, input 4: expected a spread of .* 0 to 2, got one of num"):
        run(model(), spreads_of((4, 1, 0.0, 3)), features_of())
    with pytest.raises(InvariantError, match=r"input 4: expected a row of features of a pair numbered 0 to 2, got one"):
        run(model(), spreads_of(), features_of((4, 1, 0.0, -1)))
    with pytest.raises(ConfigError, match="desk 'bare' has no pairs, so nothing to learn"):
        model(desk=Desk(id="bare", instruments=DESK.instruments))
