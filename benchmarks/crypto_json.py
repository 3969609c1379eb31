"""Recorded websocket messages into events: a venue's operator against `json.loads` and books of dicts and Decimals.

PAIRFLOW_DATA=../shared/data python -m benchmarks.crypto_json
"""

import json
import os
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from statistics import median

from operators.feeds.bybit import Bybit
from operators.operator import Desk, Feed
from operators.sources.desk_input import DeskInput
from operators.sources.feed import FeedConfig
from schemas.instrument import Instrument
from schemas.market import RawKind

_ROUNDS = 7
_STEPS = {
    "BTCUSDT": ("0.1", "0.001"),
    "ETHUSDT": ("0.01", "0.01"),
    "SOLUSDT": ("0.01", "0.1"),
    "DOGEUSDT": ("0.00001", "1"),
}


def measured(data: Path) -> dict[str, float]:
    """Messages per second of both over one recorded connection, medians of several rounds, and their ratio."""
    path = data / "websocket" / "bybit.jsonl.zst"
    feed = FeedConfig(id="f", format="session", path=path.name, connection="BYBIT.ws.2")
    source = DeskInput([(feed, path)], 1_000_000, None)
    frame = source.next()
    source.close()
    assert frame is not None
    messages = [frame.message(i) for i in range(len(frame.rows)) if frame.rows["kind"][i] == RawKind.MESSAGE]
    ours = _rate(lambda: _operator().process({"raw": frame}), len(messages))
    plain = _rate(lambda: _plain(messages), len(messages))
    return {"messages": len(messages), "operator_per_s": ours, "plain_per_s": plain, "ratio": ours / plain}


def _operator() -> Bybit:
    instruments = tuple(
        Instrument(id=symbol, venue="bybit", symbol=symbol, tick=Decimal(tick), lot=Decimal(lot), currency="USDT")
        for symbol, (tick, lot) in _STEPS.items()
    )
    return Bybit(Bybit.Parameters(feeds=("f",)), Desk("d", instruments, feeds=(Feed("f", tuple(_STEPS)),)))


def _plain(messages: list[bytes]) -> dict[str, tuple[dict[Decimal, Decimal], dict[Decimal, Decimal]]]:
    """The books of the messages, and their trades and tickers read, the plain way: exact, and nothing checked."""
    books: dict[str, tuple[dict[Decimal, Decimal], dict[Decimal, Decimal]]] = {}
    for payload in messages:
        message = json.loads(payload)
        topic = message.get("topic", "")
        if topic.startswith("orderbook"):
            data = message["data"]
            if message["type"] == "snapshot":
                books[data["s"]] = ({}, {})
            for side, key in zip(books[data["s"]], "ba", strict=True):
                for price, size in data[key]:
                    if Decimal(size):
                        side[Decimal(price)] = Decimal(size)
                    else:
                        side.pop(Decimal(price), None)
        elif topic.startswith("publicTrade"):
            for trade in message["data"]:
                Decimal(trade["p"]), Decimal(trade["v"])
    return books


def _rate(run: Callable[[], object], count: int) -> float:
    elapsed_s = []
    for _ in range(_ROUNDS):
        started_s = time.perf_counter()
        run()
        elapsed_s.append(time.perf_counter() - started_s)
    return count / median(elapsed_s)


if __name__ == "__main__":
    print(json.dumps(measured(Path(os.environ["PAIRFLOW_DATA"])), indent=2))
