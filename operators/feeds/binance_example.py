"""A made-up Binance session for the contract suite: books of two instruments that are lost and found again."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import numpy as np
import orjson

from operators.feeds.raw_log import START_NS, arrived, raw_frame
from operators.operator import Desk, Example, Feed
from schemas.instrument import Instrument
from schemas.market import RawKind

_STEPS = 600
_SYMBOLS = ("BTCUSDT", "ETHUSDT")


def binance_example(seed: int) -> Example:
    """About 1,200 messages of two interleaved feeds, a few of a third, and clock ticks."""
    rng = np.random.default_rng(seed)
    instruments = tuple(
        Instrument(
            id=f"{symbol}.B", venue="binance-spot", symbol=symbol, tick=Decimal("0.01"), lot=Decimal("0.001"),
            currency="USDT",
        )
        for symbol in _SYMBOLS
    )  # fmt: skip
    feeds = (Feed("btc", ("BTCUSDT.B",)), Feed("other"), Feed("eth", ("ETHUSDT.B",)))
    sessions = {0: spot_session(rng, _SYMBOLS[0], _STEPS), 2: spot_session(rng, _SYMBOLS[1], _STEPS)}
    log: list[tuple[int, bytes]] = []
    for _ in range(_STEPS):
        for feed, session in sessions.items():
            log += [(feed, message) for message in next(session)]
    raw = raw_frame(log)
    elsewhere = rng.random(len(raw.rows))
    raw.rows["feed"][elsewhere < 0.02] = 1
    raw.rows["kind"][elsewhere > 0.98] = RawKind.TICK
    raw.rows["kind"][elsewhere > 0.995] = RawKind.DISCONNECT
    return Example(Desk("example", instruments, feeds=feeds), {"market": "spot", "feeds": ("btc", "eth")}, {"raw": raw})


def spot_session(rng: np.random.Generator, symbol: str, steps: int) -> Iterator[list[bytes]]:
    """Per step the messages of one moment: mostly one, none where it was lost, two where it came twice."""
    final, millis = int(rng.integers(1, 10**9)), START_NS // 10**6
    for step in range(steps):
        fate, kind, count = rng.random(), rng.random(), int(rng.integers(1, 4))
        if step % 60 == 20:  # every so often somebody fetches a snapshot
            levels = {"bids": _side(rng, 5, 0), "asks": _side(rng, 5, 1)}
            message = orjson.dumps({"lastUpdateId": final - int(rng.integers(0, 3)), **levels})
        elif kind < 0.6:
            first, final = final + 1, final + count
            message = _event(
                symbol, "depth@100ms", e="depthUpdate", E=millis + step, s=symbol, U=first, u=final,
                b=_side(rng, count, 0), a=_side(rng, 3 - count, 1),
            )  # fmt: skip
        elif kind < 0.85:
            (bid, bid_qty), (ask, ask_qty) = _side(rng, 1, 0)[0], _side(rng, 1, 1)[0]
            message = _event(symbol, "bookTicker", u=final, s=symbol, b=bid, B=bid_qty, a=ask, A=ask_qty)
        elif kind < 0.98:
            price, qty = _side(rng, 1, step % 2)[0]
            message = _event(
                symbol, "trade", e="trade", E=millis + step, s=symbol, t=step, p=price, q=qty, T=millis, m=kind < 0.9,
                M=True,
            )  # fmt: skip
        else:
            message = orjson.dumps({"result": None, "id": step})
        yield arrived(rng, fate, message)


def _event(symbol: str, stream: str, **data: Any) -> bytes:
    return orjson.dumps({"stream": f"{symbol.lower()}@{stream}", "data": data})


def _side(rng: np.random.Generator, count: int, side: int) -> list[list[str]]:
    """Levels beside 100.00, bids below it and asks above, all with something on them."""
    ticks = 10_000 + rng.integers(1, 50, count) * (1 if side else -1)
    lots = rng.integers(1, 5000, count)
    return [[f"{t // 100}.{t % 100:02d}", f"{q // 1000}.{q % 1000:03d}"] for t, q in zip(ticks, lots, strict=True)]
