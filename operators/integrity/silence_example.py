"""A seeded input log with silences, for the contract suite."""

from decimal import Decimal
from typing import Any

import numpy as np

from operators.feeds.raw_log import START_NS
from operators.operator import Desk, Example, Feed
from schemas.instrument import Instrument
from schemas.market import EVENTS, LAST, RAW, EventKind, RawFrame, RawKind

_ENTRIES = 600
_PAUSES_NS = (0, 10**8, 10**9, 4 * 10**9)


def silence_example(seed: int) -> Example:
    """Entries of three feeds and ticks; each feed keeps still in some stretches of the log."""
    rng = np.random.default_rng(seed)
    terms: dict[str, Any] = {"venue": "V", "tick": Decimal("0.01"), "lot": Decimal(1), "currency": "USD"}
    instruments = tuple(Instrument(id=i, symbol=i, **terms) for i in ("A", "B", "C"))
    desk = Desk("example", instruments, feeds=(Feed("x", ("A", "B")), Feed("y", ("B", "C")), Feed("z", ("C",))))
    rows = np.zeros(_ENTRIES, RAW.dtype)
    rows["cause"] = np.arange(1, _ENTRIES + 1)
    rows["ts"] = START_NS + np.cumsum(rng.choice(_PAUSES_NS, _ENTRIES, p=(0.2, 0.5, 0.25, 0.05)))
    stretch = np.arange(_ENTRIES) // 25
    rows["feed"] = np.where(rng.random(_ENTRIES) < 0.9, (stretch + rng.integers(0, 2, _ENTRIES)) % 3, -1)
    rows["kind"] = np.where(rows["feed"] < 0, int(RawKind.TICK), int(RawKind.MESSAGE))
    rows["kind"][(rows["feed"] >= 0) & (rng.random(_ENTRIES) < 0.02)] = RawKind.CONNECT
    told = rows[rows["kind"] == RawKind.MESSAGE]
    events = np.zeros(len(told), EVENTS.dtype)
    events["cause"], events["ts"] = told["cause"], told["ts"]
    events["kind"], events["flags"], events["price"] = EventKind.TRADE, LAST, 100
    events["qty"], events["instrument"] = rng.integers(1, 9, len(told)), told["feed"]
    raw = RawFrame(rows, np.empty(0, np.uint8))
    return Example(desk, {"after": {"x": "5s", "y": "8s"}}, {"raw": raw, "events": events})
