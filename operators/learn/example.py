"""Spreads, quotes and features for the contract suite, and for trying the operators out."""

from typing import Any

import numpy as np

from operators.operator import Example
from operators.pairs.example import example_desk, example_quotes
from operators.pairs.statistics_example import statistics_example
from operators.signals.example import example_spreads
from schemas.learn import FEATURE_NAMES, FEATURES
from schemas.market import EVENTS, EventKind
from schemas.record import Frame

_MODEL = [
    {"class": "river.preprocessing.StandardScaler"},
    {
        "class": "river.linear_model.LogisticRegression",
        "parameters": {"optimizer": {"class": "river.optim.SGD", "parameters": {"lr": 0.05}}, "l2": 0.001},
    },
]

_LIMITS = {"exit": 0.3, "stop": 4.0, "horizon": "10s"}
_MODELS: tuple[dict[str, Any], ...] = (
    {
        "model": _MODEL,
        "target": {"type": "reverts", **_LIMITS},
        "shadows": [{"class": "river.naive_bayes.GaussianNB"}],
        "promote": {"outcomes": 40, "margin": 0.0},
        "drift": {
            "detector": {"class": "river.drift.PageHinkley", "parameters": {"min_instances": 20, "threshold": 0.5}},
            "size": 0.5,
            "then": "reset",
            "outcomes": 30,
        },
        "derive": {"pressure": "y_flow - x_flow"},
        "taker_bps": 1.0,
        "warm_up": 5,
        "validate_every": 60,
        "digest_every": 20,
        "save_every": 100,
    },
    {
        "model": [{"class": "river.preprocessing.StandardScaler"}, {"class": "river.linear_model.LinearRegression"}],
        "target": {"type": "gain", **_LIMITS},
        "scope": "group",
        "groups": {"first": [f"P{i}" for i in range(7)], "second": [f"P{i}" for i in range(7, 14)]},
        "warm_up": 5,
        "validate_every": 10,
        "save_every": 100,
    },
)


def features_example(seed: int) -> Example:
    """Spreads of twenty pairs that jump, halt and fall silent, with quantities that differ."""
    example = statistics_example(seed)
    quotes = example.frames["quotes"]
    assert isinstance(quotes, np.ndarray)
    rng = np.random.default_rng(seed + 2)
    quotes["bid_qty"], quotes["ask_qty"] = rng.integers(1, 500, (2, len(quotes)))
    frames = {"events": _trades(rng, quotes), **example.frames}
    return Example(example.desk, {"every": "300ms", "half_life": 20, "flow_half_life": "1s"}, frames)


def _trades(rng: np.random.Generator, quotes: Frame) -> Frame:
    """Trades, executions and other events at some of the quotes."""
    at = np.flatnonzero(rng.random(len(quotes)) < 0.5)
    events = np.zeros(len(at), EVENTS.dtype)
    for name in ("cause", "ts", "ts_event", "instrument"):
        events[name] = quotes[name][at]
    events["kind"] = rng.choice([int(EventKind.EXECUTE), int(EventKind.TRADE), int(EventKind.CANCEL)], len(at))
    events["side"], events["qty"] = rng.integers(0, 2, len(at)), rng.integers(0, 100, len(at))
    return events


def model_example(seed: int) -> Example:
    """Deviations of twenty pairs, looked at now and then; some revert, some stop, some take too long."""
    desk = example_desk(seed)
    spreads = example_spreads(seed, len(desk.pairs), 2000)
    features = example_features(seed, spreads)
    quotes = example_quotes(seed, 3000)
    quotes["ts"] += spreads["ts"][0] - quotes["ts"][0]
    return Example(desk, _MODELS[seed % 2], {"quotes": quotes, "spreads": spreads, "features": features})


def example_features(seed: int, spreads: Frame) -> Frame:
    """Features of some of the usable spreads: their z, and noise."""
    rng = np.random.default_rng(seed)
    at = np.flatnonzero((rng.random(len(spreads)) < 0.3) & (spreads["state"] == 0))
    features = np.zeros(len(at), FEATURES.dtype)
    for name in FEATURE_NAMES:
        features[name] = rng.normal(0.0, 1.0, len(at))
    for name in ("cause", "ts", "pair", "z", "hedge"):
        features[name] = spreads[name][at]
    return features
