"""Spreads, quotes and features for the contract suite, and for trying the operators out."""

import numpy as np

from operators.operator import Example
from operators.pairs.example import example_desk
from operators.pairs.statistics_example import statistics_example
from operators.signals.example import example_spreads
from schemas.learn import FEATURE_NAMES, FEATURES
from schemas.record import Frame

_MODEL = [
    {"class": "river.preprocessing.StandardScaler"},
    {
        "class": "river.linear_model.LogisticRegression",
        "parameters": {"optimizer": {"class": "river.optim.SGD", "parameters": {"lr": 0.05}}, "l2": 0.001},
    },
]


def features_example(seed: int) -> Example:
    """Spreads of twenty pairs that jump, halt and fall silent, with quantities that differ."""
    example = statistics_example(seed)
    quotes = example.frames["quotes"]
    assert isinstance(quotes, np.ndarray)
    rng = np.random.default_rng(seed + 2)
    quotes["bid_qty"], quotes["ask_qty"] = rng.integers(1, 500, (2, len(quotes)))
    return Example(example.desk, {"every": "300ms", "half_life": 20}, example.frames)


def model_example(seed: int) -> Example:
    """Deviations of twenty pairs, looked at now and then; some revert, some stop, some take too long."""
    desk = example_desk(seed)
    spreads = example_spreads(seed, len(desk.pairs), 2000)
    features = example_features(seed, spreads)
    target = {"type": "reverts", "exit": 0.3, "stop": 4.0, "horizon": "10s"}
    parameters = {"model": _MODEL, "target": target, "scope": "pair" if seed % 2 else "desk"}
    counts = {"warm_up": 5, "validate_every": 10 if seed % 2 else 60}
    return Example(desk, parameters | counts, {"spreads": spreads, "features": features})


def example_features(seed: int, spreads: Frame) -> Frame:
    """Features of some of the usable spreads: their z, and noise."""
    rng = np.random.default_rng(seed)
    at = np.flatnonzero((rng.random(len(spreads)) < 0.3) & (spreads["state"] == 0))
    features = np.zeros(len(at), FEATURES.dtype)
    for name in FEATURE_NAMES:
        features[name] = rng.normal(0.0, 1.0, len(at))
    for name in ("cause", "ts", "pair", "z"):
        features[name] = spreads[name][at]
    return features
