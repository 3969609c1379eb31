import pickle

import pytest

from operators.learn.estimator import fingerprint, make_model
from operators.learn.parameters import ModelParameters
from schemas.errors import ConfigError
from schemas.learn import FEATURE_NAMES
from tests.operators.learn.tape import LOGISTIC, REVERTS, SCALED


def steps_of(model):
    return ModelParameters.model_validate({"model": model, "target": REVERTS}).candidates[0]


def made(model, seed=1):
    return make_model(steps_of(model), FEATURE_NAMES, seed)


def test_one_estimator_and_a_pipeline():
    assert type(made(LOGISTIC)).__name__ == "LogisticRegression"
    pipeline = made(SCALED)
    assert [type(step).__name__ for step in pipeline.steps.values()] == ["StandardScaler", "LogisticRegression"]
    assert pipeline["LogisticRegression"].optimizer.lr.learning_rate == 0.1
    assert not pipeline["LogisticRegression"].weights  # what it was tried on is not in it


def test_estimators_within_estimators():
    tree = {"class": "river.tree.HoeffdingTreeClassifier", "parameters": {"max_depth": 3}}
    bagging = {"class": "river.ensemble.BaggingClassifier", "parameters": {"model": tree, "n_models": 2}}
    model = made(bagging, seed=7)
    assert [tree.max_depth for tree in model] == [3, 3]
    assert model.seed == 7


SEED = 3


@pytest.mark.parametrize(
    ("model", "regresses"),
    [
        (
            {
                "class": "river.model_selection.BanditClassifier",
                "parameters": {
                    "models": [LOGISTIC, {"class": "river.naive_bayes.GaussianNB"}],
                    "metric": {"class": "river.metrics.Accuracy"},
                    "policy": {"class": "river.bandit.EpsilonGreedy", "parameters": {"epsilon": 0.1}},
                },
            },
            False,
        ),
        (
            {
                "class": "river.model_selection.BanditRegressor",
                "parameters": {
                    "models": [
                        {"class": "river.linear_model.LinearRegression"},
                        {
                            "class": "river.dummy.StatisticRegressor",
                            "parameters": {"statistic": {"class": "river.stats.Mean"}},
                        },
                    ],
                    "metric": {"class": "river.metrics.MSE"},
                    "policy": {"class": "river.bandit.UCB", "parameters": {"delta": 1}},
                },
            },
            True,
        ),
        ({"class": "river.forest.ARFRegressor", "parameters": {"n_models": 2}}, True),
        (
            [
                {"class": "river.compose.Select", "parameters": {"keys": ["z", "regime"]}},
                {"class": "river.ensemble.ADWINBaggingClassifier", "parameters": {"model": LOGISTIC, "n_models": 2}},
            ],
            False,
        ),
    ],
    ids=["bandit", "bandit of regressors", "forest of regressors", "selected features, bagging"],
)
def test_bandits_ensembles_and_regressors_learn_and_resume(model, regresses):
    """Two of the same seed say the same, also where one is pickled half-way."""
    one, two = (make_model(steps_of(model), FEATURE_NAMES, SEED, regresses) for _ in range(2))
    said = []
    for k in range(60):
        x = {name: ((k * 7 + i * 3) % 11) / 5 - 1 for i, name in enumerate(FEATURE_NAMES)}
        told = [m.predict_one(x) if regresses else m.predict_proba_one(x) for m in (one, two)]
        assert told[0] == told[1]
        said.append(str(told[0]))
        for m in (one, two):
            m.learn_one(x, x["z"] * 2.0 if regresses else x["z"] > 0)
        two = pickle.loads(pickle.dumps(two)) if k == 30 else two
    assert len(set(said)) > 5


def test_targets_ask_for_their_kind():
    with pytest.raises(ConfigError, match="must be a regressor, as the last step; it is"):
        make_model(steps_of(LOGISTIC), FEATURE_NAMES, SEED, regresses=True)
    with pytest.raises(ConfigError, match="a model of no steps; list transformers, and a regressor at the end"):
        make_model((), FEATURE_NAMES, SEED, regresses=True)


def test_what_is_random_gets_the_seed_of_the_desk_unless_it_has_its_own():
    forest = {"class": "river.forest.ARFClassifier", "parameters": {"n_models": 2}}
    assert made(forest, seed=9).seed == 9
    assert made(forest | {"parameters": {"n_models": 2, "seed": 4}}, seed=9).seed == 4
    assert made(forest | {"parameters": {"n_models": 2, "seed": None}}, seed=9).seed == 9


def test_fingerprints():
    target, logistic = {"exit": 0.3}, steps_of(LOGISTIC)
    prints = [fingerprint(steps_of(model), target, 1) for model in (LOGISTIC, SCALED, LOGISTIC | {"parameters": {}})]
    prints += [fingerprint(logistic, {"exit": 0.4}, 1), fingerprint(logistic, target, 2)]
    assert len(set(prints)) == 5
    assert prints[0] == fingerprint(steps_of(LOGISTIC), target, 1)
    assert all(0 < found < 2**63 for found in prints)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ([], "a model of no steps; list transformers, and a classifier at the end"),
        ({"class": "river.linear_modell.LogisticRegression"}, "cannot import 'river.linear_modell'"),
        ({"class": "river.linear_model.Logistic"}, "has no 'Logistic'; it has .*LogisticRegression"),
        ({"class": "os.path.join"}, "not a class derived from river.base.Base"),
        ({"class": "river.linear_model.LinearRegression"}, "must be a classifier, as the last step; it is"),
        ({"class": "river.preprocessing.StandardScaler"}, "must be a classifier, as the last step; it is"),
        ([LOGISTIC, LOGISTIC], "must be a transformer, as every step but the last; it is"),
        (LOGISTIC | {"parameters": {"l3": 1}}, "takes no parameter 'l3'; it takes optimizer, loss, l2"),
        (LOGISTIC | {"parameters": {"l1": 1.0, "l2": 1.0}}, "refuses its parameters: NotImplementedError"),
        ({"class": "river.ensemble.BaggingClassifier"}, r"refuses its parameters: TypeError .* takes model \(needed\)"),
        (
            {"class": "tests.operators.learn.models.TellsClasses"},
            "tells classes but no probabilities; choose",
        ),
        ({"class": "tests.operators.learn.models.NeedsText"}, "cannot be used on numbers: AttributeError"),
        (
            LOGISTIC | {"parameters": {"optimizer": {"class": "river.optim.Sgd"}}},
            "class river.optim.Sgd: river.optim has no 'Sgd'; it has .*SGD",
        ),
    ],
)
def test_what_cannot_be_is_said_with_what_would_be_right(model, message):
    with pytest.raises(ConfigError, match=message):
        made(model)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model": {"class": "LogisticRegression"}}, "should match pattern"),
        ({"target": REVERTS | {"exit": 4.0}}, "exit 4 must be below stop 4"),
        ({"target": REVERTS | {"horizon": "0s"}}, "greater than 0"),
        ({"target": {"type": "gain", "horizon": "1m", "exit": 2, "stop": 1}}, "exit 2 must be below stop 1"),
        ({"target": {"type": "wins"}}, "'reverts', 'gain'"),
        ({"groups": {"a": ["AB"], "b": ["CA", "AB"]}}, "pair 'AB' is in two groups"),
        ({"groups": {"": ["AB"]}}, "a group without a name"),
        ({"scope": "world"}, "'desk', 'group' or 'pair'"),
        ({"model": LOGISTIC | {"params": {}}}, "Extra inputs are not permitted"),
    ],
)
def test_parameters_that_cannot_be(change, message):
    with pytest.raises(ValueError, match=message):
        ModelParameters.model_validate({"model": LOGISTIC, "target": REVERTS} | change)


def test_features_are_selected_in_one_order_whatever_the_process():
    model = make_model(
        steps_of([{"class": "river.compose.Select", "parameters": {"keys": ["z", "regime"]}}, LOGISTIC]),
        FEATURE_NAMES,
        SEED,
        False,
    )
    x = dict.fromkeys(FEATURE_NAMES, 1.0)
    assert list(model["Select"].transform_one(x)) == ["regime", "z"]
    assert list(model.clone()["Select"].transform_one(x)) == ["regime", "z"]
