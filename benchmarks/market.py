"""A synthetic stream of quotes: 200 shares, 500 pairs, every share in five of them."""

from collections.abc import Iterator
from decimal import Decimal

import numpy as np
from scipy.signal import lfilter

from operators.operator import Desk, Feed
from schemas.instrument import Instrument, Pair
from schemas.market import QUOTES, RAW, RawFrame
from schemas.record import Frame

SHARES = 200
"""Share i is paired with shares i + 1, i + 2 and (for even i) i + 3: five pairs a share."""

_BASE_TICKS = 10_000
_STEP_NS = 100_000


def desk(pairs: int = 500) -> Desk:
    """The desk of the benchmark, or one with fewer or more pairs: the nearest neighbours first."""
    shares = tuple(
        Instrument(id=f"S{i:03}", venue="SIM", symbol=f"S{i:03}", tick=Decimal("0.01"), lot=Decimal(1), currency="USD")
        for i in range(SHARES)
    )
    legs = [(i, (i + step) % SHARES) for i in range(SHARES) for step in (1, 2)]
    legs += [(i, (i + 3) % SHARES) for i in range(0, SHARES, 2)]
    legs += [(i, (i + 3) % SHARES) for i in range(1, SHARES, 2)]
    legs += [(i, (i + step) % SHARES) for step in range(4, 1 + pairs // SHARES) for i in range(SHARES)]
    chosen = legs[:: len(legs) // pairs][:pairs] if pairs < 500 else legs[:pairs]
    definitions = tuple(Pair(id=f"S{y:03}/S{x:03}", y=f"S{y:03}", x=f"S{x:03}", hedge=1.0) for y, x in chosen)
    return Desk("bench", shares, definitions, (Feed("quotes"),), capital=10**7 * 10**8, seed=1)


def quotes(events: int, seed: int = 1) -> Frame:
    """`events` quotes around mean-reverting prices, one every 0.1 ms on average."""
    rng = np.random.default_rng(seed)
    frame = np.zeros(events, QUOTES.dtype)
    instrument = rng.integers(0, SHARES, events)
    common = lfilter([1.0], [1.0, -0.99999], rng.normal(0, 0.3, events))
    own = np.empty(events)
    for i in range(SHARES):
        mine = np.flatnonzero(instrument == i)
        own[mine] = lfilter([1.0], [1.0, -0.98], rng.normal(0, 2.0, len(mine)))
    mid = np.rint(_BASE_TICKS + common + own).astype(np.int64)
    frame["cause"] = np.arange(1, events + 1)
    frame["ts"] = 10**18 + np.cumsum(rng.integers(1, 2 * _STEP_NS, events))
    frame["ts_event"] = frame["ts"]
    frame["bid"], frame["ask"] = mid - 1, mid + 1
    frame["bid_qty"], frame["ask_qty"] = rng.integers(1, 20, (2, events)) * 100
    frame["instrument"] = instrument
    return frame


def cuts(frame: Frame, size: int, rounds: int) -> Iterator[RawFrame]:
    """The quotes `rounds` times over, as an input log cut into frames of `size`: the bytes are QUOTES rows."""
    span_ns = int(frame["ts"][-1] - frame["ts"][0]) + _STEP_NS
    width = QUOTES.dtype.itemsize
    rows = np.zeros(size, RAW.dtype)
    rows["size"] = width
    rows["start"] = np.arange(size) * width
    for turn in range(rounds):
        for start in range(0, len(frame), size):
            cut = frame[start : start + size].copy()
            cut["cause"] += turn * len(frame)
            cut["ts"] += turn * span_ns
            raw = rows[: len(cut)].copy()
            raw["cause"], raw["ts"] = cut["cause"], cut["ts"]
            cut.flags.writeable = False
            yield RawFrame(raw, cut.view(np.uint8), "bench")
