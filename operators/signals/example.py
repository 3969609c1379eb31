"""Spreads that revert, run away and become unusable, for the contract suite and for trying operators out."""

import numpy as np

from operators.operator import Example
from operators.pairs.example import example_desk
from schemas.learn import PREDICTIONS, PredictionState
from schemas.record import Frame
from schemas.signal import GATES, SPREADS, TRADED_PAIRS, SpreadState


def example_spreads(seed: int, pairs: int, count: int) -> Frame:
    """Mean-reverting spreads in random turn: several per cause, jumps, hedges off limits, unusable rows."""
    rng = np.random.default_rng(seed)
    spreads = np.zeros(count, SPREADS.dtype)
    spreads["cause"] = 1 + np.cumsum(rng.random(count) < 0.4)
    spreads["ts"] = 1_700_000_000_000_000_000 + spreads["cause"] * 100_000_000
    spreads["pair"] = rng.integers(0, pairs, count)
    spreads["hedge"] = rng.uniform(0.5, 1.5, count) * np.where(rng.random(count) < 0.05, 100.0, 1.0)
    spreads["mean"] = 1.0
    spreads["deviation"] = np.where(rng.random(count) < 0.05, 0.001, 0.2)
    shocks = rng.normal(0.0, 0.8, count) + (rng.random(count) < 0.01) * rng.normal(0.0, 5.0, count)
    level = np.zeros(pairs)
    for i, pair in enumerate(spreads["pair"]):
        level[pair] = 0.9 * level[pair] + shocks[i]
        spreads["z"][i] = level[pair]
    spreads["state"] = np.where(rng.random(count) < 0.05, rng.integers(1, 1 + sum(SpreadState), count), 0)
    spreads["z"][spreads["state"] & (SpreadState.COLD | SpreadState.DEGENERATE) != 0] = 0.0
    spreads["spread"] = spreads["mean"] + spreads["z"] * spreads["deviation"]
    return spreads


def bands_example(seed: int) -> Example:
    """Input and parameters that make every transition happen."""
    desk = example_desk(seed)
    parameters = {
        "entry": 1.5,
        "exit": 0.3,
        "stop": 4.0,
        "cooldown": "20s",
        "min_hold": "1s",
        "max_hold": "1m",
        "notional": 25000,
        "min_deviation": 0.01,
        "min_probability": 0.3,
        "sizing": {"type": "linear", "points": [[0.35, 0.5], [0.8, 1.5]]},
    }
    spreads = example_spreads(seed, len(desk.pairs), 4000)
    gates, predictions = _gates(seed, len(desk.pairs), spreads), _predictions(seed, len(desk.pairs), spreads)
    frames = {"spreads": spreads, "gates": gates, "predictions": predictions}
    return Example(desk, parameters, frames | {"traded": _traded(seed, len(desk.pairs), spreads)})


def _gates(seed: int, pairs: int, spreads: Frame) -> Frame:
    """Gates that open and close at some of the spreads' causes, and mostly stay open."""
    rng = np.random.default_rng(seed)
    at = np.flatnonzero(rng.random(len(spreads)) < 0.03)
    gates = np.zeros(len(at), GATES.dtype)
    gates["cause"], gates["ts"] = spreads["cause"][at], spreads["ts"][at]
    gates["pair"] = rng.integers(0, pairs, len(at))
    gates["state"] = rng.random(len(at)) < 0.7
    return gates


def _predictions(seed: int, pairs: int, spreads: Frame) -> Frame:
    """Opinions at many of the spreads' causes, some too low, and now and then none."""
    rng = np.random.default_rng(seed + 1)
    at = np.flatnonzero(rng.random(len(spreads)) < 0.2)
    predictions = np.zeros(len(at), PREDICTIONS.dtype)
    predictions["cause"], predictions["ts"] = spreads["cause"][at], spreads["ts"][at]
    predictions["pair"] = rng.integers(0, pairs, len(at))
    troubles = [PredictionState.UNTAUGHT, PredictionState.RULE, PredictionState.PAUSED]
    predictions["size"] = np.where(rng.random(len(at)) < 0.2, 0.5, 1.0)
    predictions["state"] = np.where(rng.random(len(at)) < 0.1, rng.choice(troubles, len(at)), 0)
    predictions["probability"] = np.where(predictions["state"] == 0, rng.random(len(at)), 0.0)
    return predictions


def _traded(seed: int, pairs: int, spreads: Frame) -> Frame:
    """Pairs that are retired at some of the spreads' causes, and promoted again."""
    rng = np.random.default_rng(seed + 2)
    at = np.flatnonzero(rng.random(len(spreads)) < 0.02)
    traded = np.zeros(len(at), TRADED_PAIRS.dtype)
    traded["cause"], traded["ts"] = spreads["cause"][at], spreads["ts"][at]
    traded["pair"] = rng.integers(0, pairs, len(at))
    traded["state"] = rng.random(len(at)) < 0.7
    return traded
