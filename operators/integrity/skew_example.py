"""Seeded events with right, drifting and wrong stamps, for the contract suite."""

from decimal import Decimal
from typing import Any

import numpy as np

from operators.feeds.raw_log import START_NS
from operators.operator import Desk, Example, Feed
from schemas.instrument import Instrument
from schemas.market import EVENTS, EventKind

_EVENTS = 1500
_HOUR_NS = 3600 * 10**9


def skew_example(seed: int) -> Example:
    """Feed x is right, y drifts away by seconds, z is five hours behind; instrument D is on two feeds."""
    rng = np.random.default_rng(seed)
    terms: dict[str, Any] = {"venue": "V", "tick": Decimal("0.01"), "lot": Decimal(1), "currency": "USD"}
    instruments = tuple(Instrument(id=i, symbol=i, **terms) for i in ("A", "B", "C", "D"))
    feeds = (Feed("x", ("A", "D")), Feed("y", ("B",)), Feed("z", ("C", "D")))
    events = np.zeros(_EVENTS, EVENTS.dtype)
    events["cause"] = 1 + np.cumsum(rng.random(_EVENTS) < 0.7)
    events["ts"] = START_NS + events["cause"] * 10**7
    events["instrument"] = rng.integers(0, 4, _EVENTS)
    events["kind"], events["price"], events["qty"] = EventKind.TRADE, 100, 1
    late = rng.exponential(2e6, _EVENTS).astype(np.int64)
    skew = np.array([0, 1, 0, 0])[events["instrument"]] * (events["cause"] * 4 * 10**6)
    skew += np.array([0, 0, 5 * _HOUR_NS, 0])[events["instrument"]]
    stamped = rng.random(_EVENTS) < 0.95
    events["ts_event"] = np.where(stamped, events["ts"] - late - skew, 0)
    return Example(Desk("example", instruments, feeds=feeds), {"window": 20}, {"events": events})
