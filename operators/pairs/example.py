"""A desk of many pairs and a lively tape, for the contract suite and for trying the operators out."""

from decimal import Decimal

import numpy as np

from operators.operator import Desk, Example
from schemas.instrument import Instrument, Pair
from schemas.market import QUOTES, BookState
from schemas.record import Frame

_INSTRUMENTS = 8
_PAIRS = 20


def example_desk(seed: int) -> Desk:
    """Twenty pairs over eight instruments of different ticks, with static hedges."""
    rng = np.random.default_rng(seed)
    instruments = tuple(
        Instrument(
            id=f"I{i}",
            venue="SIM",
            symbol=f"I{i}",
            tick=Decimal(1).scaleb(-int(rng.integers(1, 4))),
            lot=Decimal(1),
            currency="USD",
        )
        for i in range(_INSTRUMENTS)
    )
    legs = [(y, x) for y in range(_INSTRUMENTS) for x in range(_INSTRUMENTS) if y != x]
    chosen = rng.permutation(len(legs))[:_PAIRS]
    pairs = tuple(
        Pair(id=f"P{p}", y=f"I{legs[c][0]}", x=f"I{legs[c][1]}", hedge=float(rng.uniform(0.2, 2.0)), intercept=0.5)
        for p, c in enumerate(chosen)
    )
    return Desk(id="example", instruments=instruments, pairs=pairs, seed=seed)


def example_quotes(seed: int, count: int) -> Frame:
    """A tape of the example desk: bursts on one cause, pauses of many bars, jumps, legs that stop trading."""
    rng = np.random.default_rng(seed + 1)
    quotes = np.zeros(count, QUOTES.dtype)
    quotes["cause"] = 1 + np.cumsum(rng.random(count) < 0.7)
    pauses = rng.exponential(30e6, count) + (rng.random(count) < 0.01) * 5e9
    changes = np.flatnonzero(np.diff(quotes["cause"], prepend=0))
    clock = 1_700_000_000_000_000_000 + np.cumsum(pauses[changes]).astype(np.int64)
    quotes["ts"] = np.repeat(clock, np.diff(changes, append=count))
    quotes["ts_event"] = quotes["ts"] - 1000
    quotes["instrument"] = rng.integers(0, _INSTRUMENTS, count)
    steps = rng.integers(-5, 6, count) + (rng.random(count) < 0.005) * rng.integers(-500, 501, count)
    for i in range(_INSTRUMENTS):
        own = quotes["instrument"] == i
        quotes["bid"][own] = np.maximum(10_000 + 1_000 * i + np.cumsum(steps[own]), 1)
    quotes["ask"] = quotes["bid"] + rng.integers(1, 4, count)
    quotes["bid_qty"] = quotes["ask_qty"] = 100
    troubles = np.array([BookState.HALTED, BookState.UNSYNCED, BookState.EMPTY, BookState.CROSSED])
    quotes["state"] = np.where(rng.random(count) < 0.04, rng.choice(troubles, count), 0)
    quotes["bid"][quotes["state"] == BookState.EMPTY] = 0
    return quotes


def spread_example(seed: int) -> Example:
    """Input and parameters that make every state of a spread happen."""
    parameters = {
        "hedge": {"type": "rolling", "window": 8},
        "zscore": {"type": "rolling", "window": 6},
        "every": "100ms",
        "max_age": "2s",
        "executable": True,
    }
    return Example(example_desk(seed), parameters, {"quotes": example_quotes(seed, 3000)})


def cointegration_example(seed: int) -> Example:
    """The same tape, and thresholds that open and close gates on it."""
    parameters = {"every": "100ms", "window": 50, "step": 7, "open": 0.3, "close": 0.6}
    return Example(example_desk(seed), parameters, {"quotes": example_quotes(seed, 3000)})
