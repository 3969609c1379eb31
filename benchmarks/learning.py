"""What a prediction and a learned example cost in the model operator, beside River alone on the same examples."""

import time
from typing import Any

import numpy as np

from operators.learn.derived import BASE_NAMES
from operators.learn.estimator import make_model
from operators.learn.model import Model, _seen
from operators.learn.parameters import Estimator
from operators.operator import Desk
from schemas.instrument import Instrument, Pair
from schemas.learn import FEATURE_NAMES, FEATURES
from schemas.market import QUOTES
from schemas.record import Frame
from schemas.signal import SPREADS

EXAMPLES, ROUNDS, FRAME = 4_000, 9, 64
_SCALER = {"class": "river.preprocessing.StandardScaler"}
MODELS: dict[str, list[dict[str, Any]]] = {
    "scaled logistic": [_SCALER, {"class": "river.linear_model.LogisticRegression"}],
    "Hoeffding tree": [{"class": "river.tree.HoeffdingTreeClassifier"}],
    "random forest of 10": [{"class": "river.forest.ARFClassifier"}],
}


def measured() -> dict[str, dict[str, float]]:
    """By model: µs per example of River alone and of the operator, asked and taught once each; the best of rounds.

    Both run on this thread's own clock, which others on the machine do not move.
    """
    desk = _desk()
    spreads, features = _coin_flips(EXAMPLES)
    found = {}
    for name, declared in MODELS.items():
        rounds = ROUNDS if "forest" not in name else 1
        both = [(*_river(declared, features), _operator(declared, desk, spreads, features)) for _ in range(rounds)]
        predict, learn, whole = (min(took) for took in zip(*both, strict=True))
        found[name] = {
            "river_predict_us": predict,
            "river_learn_us": learn,
            "operator_us": whole,
            "rest_us": whole - predict - learn,
            "rest_over_river": whole / (predict + learn) - 1.0,
        }
    return found


def _river(declared: list[dict[str, Any]], features: Frame) -> tuple[float, float]:
    """µs per prediction and per learned example of the same pipeline, called as its manual says."""
    model = make_model([Estimator.model_validate(step) for step in declared], BASE_NAMES, seed=1)
    asked = [dict(zip(BASE_NAMES, (*x, 0.5), strict=True)) for x in _seen(features)]
    predict_ns = learn_ns = 0
    for i, x in enumerate(asked):
        started = time.thread_time_ns()
        model.predict_proba_one(x)
        between = time.thread_time_ns()
        model.learn_one(x, i % 3 != 0)
        predict_ns += between - started
        learn_ns += time.thread_time_ns() - between
    return predict_ns / len(asked) / 1_000, learn_ns / len(asked) / 1_000


def _operator(declared: list[dict[str, Any]], desk: Desk, spreads: Frame, features: Frame) -> float:
    """µs per row of features in frames of FRAME rows: asked, scheduled, taught, validated, digested, written."""
    target = {"type": "reverts", "exit": 0.5, "stop": 4.0, "horizon": "10s"}
    model = Model(Model.Parameters.model_validate({"model": declared, "target": target}), desk)
    no_quotes = np.empty(0, QUOTES.dtype)
    pieces = [
        {"quotes": no_quotes, "spreads": spreads[2 * i : 2 * (i + FRAME)], "features": features[i : i + FRAME]}
        for i in range(0, len(features), FRAME)
    ]
    model.process(pieces[0])  # compiles
    started = time.thread_time_ns()
    for piece in pieces[1:]:
        model.process(piece)
    return (time.thread_time_ns() - started) / (len(features) - FRAME) / 1_000


def _desk() -> Desk:
    terms: dict[str, Any] = {"venue": "SIM", "tick": "0.01", "lot": 1, "currency": "USD"}
    instruments = tuple(Instrument.model_validate({"id": name, "symbol": name, **terms}) for name in "YX")
    return Desk("bench", instruments, (Pair(id="YX", y="Y", x="X"),), seed=1)


def _coin_flips(count: int) -> tuple[Frame, Frame]:
    """Deviations of 2 that are decided a second later."""
    rng = np.random.default_rng(1)
    features, spreads = np.zeros(count, FEATURES.dtype), np.zeros(2 * count, SPREADS.dtype)
    for name in FEATURE_NAMES:
        features[name] = rng.normal(0.0, 1.0, count)
    features["z"] = spreads["z"][::2] = 2.0
    spreads["z"][1::2] = np.where(rng.random(count) < 0.6, 0.0, 5.0)
    features["cause"], spreads["cause"] = 1 + 2 * np.arange(count), 1 + np.arange(2 * count)
    for frame in (features, spreads):
        frame["ts"] = frame["cause"] * 10**9
    return spreads, features


if __name__ == "__main__":
    for name, figures in measured().items():
        print(name, {key: round(value, 2) for key, value in figures.items()})
