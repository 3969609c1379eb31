"""Quotes of one thing on three venues, for the contract suite: one venue's stamps are half an hour early."""

from decimal import Decimal

import numpy as np

from operators.operator import Desk, Example, Feed
from schemas.instrument import Instrument, Pair
from schemas.market import QUOTES, BookState

_START_NS = 1_400_000_400 * 10**9
_STEP_NS = 2 * 10**9
_QUOTES = 3_000
EARLY_NS = 1_800 * 10**9


def clock_example(seed: int) -> Example:
    """About 100 minutes of a random walk, quoted every other second somewhere; checks every ten minutes."""
    rng = np.random.default_rng(seed)
    terms = {"symbol": "X", "tick": Decimal("0.01"), "lot": Decimal(1), "currency": "USD"}
    names = ("true", "same", "early")
    instruments = tuple(Instrument(id=name, venue=name, **terms) for name in names)
    feeds = tuple(Feed(name, (name,)) for name in names)
    pairs = (Pair(id="same", y="same", x="true"), Pair(id="early", y="early", x="true"))
    desk = Desk("example", instruments, pairs, feeds)
    walk = 10_000 + np.cumsum(rng.integers(-3, 4, _QUOTES + EARLY_NS // _STEP_NS))
    quotes = np.zeros(_QUOTES, QUOTES.dtype)
    quotes["cause"] = 1 + np.arange(_QUOTES)
    quotes["ts"] = quotes["ts_event"] = _START_NS + np.arange(_QUOTES) * _STEP_NS
    quotes["instrument"] = rng.integers(0, 3, _QUOTES)
    late = np.where(quotes["instrument"] == 2, EARLY_NS // _STEP_NS, 0)
    quotes["bid"] = walk[np.arange(_QUOTES) + late] - 1
    quotes["ask"] = quotes["bid"] + 2
    quotes["bid_qty"] = quotes["ask_qty"] = 1
    quotes["state"] = np.where(rng.random(_QUOTES) < 0.02, int(BookState.HALTED), 0)
    parameters = {"bar": "20s", "every": "10m", "window": "1h", "step": "10m", "reach": "1h", "least": 20}
    return Example(desk, parameters, {"quotes": quotes})
