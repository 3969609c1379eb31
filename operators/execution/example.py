"""A seeded input for the closed loop: books that move, halt and cross, and signals on their pairs."""

from decimal import Decimal

import numpy as np

from operators.operator import Desk, Example
from schemas.instrument import Instrument, Pair
from schemas.market import LEVELS, QUOTES, RAW, RawKind
from schemas.signal import SIGNALS, Action

_CAPITAL = 10**6 * 10**8


def example_desk(instruments: int = 4) -> Desk:
    """A desk of `instruments` cent-tick shares, each paired with the next."""
    shares = tuple(
        Instrument(id=f"S{i}", venue="SIM", symbol=f"S{i}", tick=Decimal("0.01"), lot=Decimal(1), currency="USD")
        for i in range(instruments)
    )
    pairs = tuple(Pair(id=f"S{i}/S{i + 1}", y=f"S{i}", x=f"S{i + 1}") for i in range(instruments - 1))
    return Desk(id="example", instruments=shares, pairs=pairs, capital=_CAPITAL, seed=3)


def loop_example(seed: int, events: int = 400) -> Example:
    """`events` log entries a few ms apart: every one moves a book, some signal, the last one ends the input."""
    rng = np.random.default_rng(seed)
    desk = example_desk()
    n = len(desk.instruments)
    clock = np.zeros(events, RAW.dtype)
    clock["cause"] = np.arange(1, events + 1)
    clock["ts"] = 10**18 + np.cumsum(rng.integers(0, 3_000_000, events))
    clock["kind"][-1] = RawKind.END
    mids = 5_000 + np.cumsum(rng.integers(-3, 4, (events, n)), axis=0)
    quotes, levels, signals = [], [], []
    for i in range(events - 1):
        cause, ts, instrument = i + 1, int(clock["ts"][i]), int(rng.integers(n))
        bid, ask = int(mids[i, instrument]) - 1, int(mids[i, instrument]) + 1
        state = int(rng.choice([0] * 60 + [1 << bit for bit in range(5)]))
        levels.append((cause, ts, 0, -1, instrument, 0))
        levels += [(cause, ts, bid - k, int(rng.integers(1, 300)), instrument, 0) for k in range(3)]
        levels += [(cause, ts, ask + k, int(rng.integers(1, 300)), instrument, 1) for k in range(3)]
        quotes.append((cause, ts, ts, bid, ask, levels[-6][3], levels[-3][3], instrument, state))
        if rng.random() < 0.3:
            action = int(rng.choice([Action.ENTER, Action.ENTER, Action.EXIT, Action.STOP]))
            notional = int(rng.integers(1, 40)) * 1_000 * 10**8 if action == Action.ENTER else 0
            pair, side = int(rng.integers(len(desk.pairs))), int(rng.choice([-1, 1]))
            signals.append((cause, ts, 0.0, 2.0 * side, rng.uniform(0.5, 2.0), notional, pair, action, side))
    limits = dict(
        position=40_000,
        order=25_000,
        gross=90_000,
        net=20_000,
        daily_loss=2_000,
        collar_bps=200,
        rate=6,
        rate_window="50ms",
    )
    venue = dict(latency="2ms", jitter="1ms", report="1ms", taker_bps=1, maker_bps="-0.25")
    trader = dict(order="limit", price="join", tif="day", patience="20ms", retry="5ms")
    return Example(
        desk=desk,
        parameters=dict(trader=trader, limits=limits, venue=venue, portfolio=dict(every="100ms")),
        frames={
            "raw": clock,
            "quotes": QUOTES.rows(quotes),
            "levels": LEVELS.rows(levels),
            "signals": SIGNALS.rows(signals),
        },
    )
