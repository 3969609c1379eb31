"""Spreads and features for the tests of learning, and running a model over them."""

from typing import Any

import numpy as np

from operators.learn.model import Model
from operators.operator import Desk
from schemas.learn import FEATURES, PREDICTIONS
from schemas.market import QUOTES
from schemas.record import Frame
from schemas.signal import SPREADS
from tests.operators.pairs.tape import DESK, SECOND, START

LOGISTIC = {
    "class": "river.linear_model.LogisticRegression",
    "parameters": {"optimizer": {"class": "river.optim.SGD", "parameters": {"lr": 0.1}}},
}
SCALED = [{"class": "river.preprocessing.StandardScaler"}, LOGISTIC]
RECORDER = {"class": "tests.operators.learn.models.Recorder"}
REVERTS = {"type": "reverts", "exit": 0.5, "stop": 4.0, "horizon": "10s"}


def model(cls: type[Model] = Model, desk: Desk = DESK, **parameters: Any) -> Model:
    usual = {"model": SCALED, "target": REVERTS, "warm_up": 0}
    return cls(cls.Parameters.model_validate(usual | parameters), desk)


def spreads_of(*rows: tuple[float, ...]) -> Frame:
    """From (cause, seconds, z), and where they are not 0 pair and state."""
    return SPREADS.rows(
        [
            (int(cause), START + int(s * SECOND), z, 1.0, 0.0, 0.0, 1.0, z, *(*rest, 0, 0)[:2])
            for cause, s, z, *rest in rows
        ]
    )


def features_of(*rows: tuple[float, ...]) -> Frame:
    """From (cause, seconds, z), and pair where it is not 0; `regime` numbers the rows from 0, the hedge is 1."""
    features = np.zeros(len(rows), FEATURES.dtype)
    for i, (cause, s, z, *rest) in enumerate(rows):
        its = {"cause": int(cause), "ts": START + int(s * SECOND), "z": z, "regime": i, "hedge": 1.0}
        for name, value in (its | {"pair": (*rest, 0)[0]}).items():
            features[name][i] = value
    return features


def run(operator: Model, spreads: Frame, features: Frame, quotes: Frame = QUOTES.empty) -> dict[str, Frame]:
    frames = {"quotes": quotes.copy(), "spreads": spreads, "features": features}
    return {port: np.array(frame) for port, frame in operator.process(frames).items()}


def predict(operator: Model, spreads: Frame, features: Frame) -> Frame:
    return run(operator, spreads, features).get("predictions", PREDICTIONS.empty)


def coin_flips(seed: int, count: int, strength: float = 0.0) -> tuple[Frame, Frame, Frame]:
    """Deviations of ±2 that revert or run away a second later: (spreads, features, outcomes).

    The odds are even, but for `strength` times the imbalance of y, seen from the deviation; all else is noise.
    """
    rng = np.random.default_rng(seed)
    side = rng.choice([-1.0, 1.0], count)
    noise = {
        name: rng.normal(0.0, 1.0, count) for name in ("velocity", "regime", "y_imbalance", "x_imbalance", "y_width")
    }
    odds = 1.0 / (1.0 + np.exp(-strength * noise["y_imbalance"] * side))
    outcomes = rng.random(count) < odds
    features, spreads = np.zeros(count, FEATURES.dtype), np.zeros(2 * count, SPREADS.dtype)
    for name, values in noise.items():
        features[name] = values
    features["z"] = spreads["z"][::2] = 2.0 * side
    spreads["z"][1::2] = np.where(outcomes, 0.0, 5.0) * side
    features["cause"], spreads["cause"] = 1 + 2 * np.arange(count), 1 + np.arange(2 * count)
    for frame in (features, spreads):
        frame["ts"] = START + frame["cause"] * SECOND
    return spreads, features, outcomes
