"""Recorded websocket messages into events: a venue's operator against `json.loads` and books of dicts and Decimals.

    PAIRFLOW_DATA=../shared/data python -m benchmarks.crypto_json

The plain way keeps the same books to the same depth, and compares the same checksums; it checks no field and
makes no events.
"""

import heapq
import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import zip_longest
from pathlib import Path
from typing import Any
from zlib import crc32

from backports import zstd

from operators.feeds.binance import Binance
from operators.feeds.bybit import Bybit
from operators.feeds.coinbase import Coinbase
from operators.feeds.definitions import Definitions, bybit_instruments, coinbase_instruments, kraken_instruments
from operators.feeds.kraken import Kraken
from operators.feeds.message_feed import MessageFeed
from operators.feeds.okx import Okx
from operators.operator import Desk, Feed
from operators.sources.base_feed import CapturedFeed
from operators.sources.captured_feed import RecordingFeed, SessionFeed
from operators.sources.desk_input import DeskInput
from schemas.instrument import Instrument
from schemas.market import RawKind

_ROUNDS = 5
_DEPTH = 1000

Books = dict[str, tuple[dict[Decimal, Decimal], dict[Decimal, Decimal]]]


def measured(data: Path) -> dict[str, dict[str, float]]:
    """By venue: messages per second of the operator and of the plain way, best of several rounds, and their ratio."""
    return {name: _measured(data / case.path, case) for name, case in _CASES.items()}


def _plain_bybit(messages: list[bytes]) -> Books:
    books: Books = {}
    for message in map(json.loads, messages):
        topic = message.get("topic", "")
        if topic.startswith("orderbook"):
            data = message["data"]
            if message["type"] == "snapshot":
                books[data["s"]] = ({}, {})
            for side, key in zip(books[data["s"]], "ba", strict=True):
                _set(side, data[key])
        elif topic.startswith("publicTrade"):
            for trade in message["data"]:
                Decimal(trade["p"]), Decimal(trade["v"])
    return books


def _plain_kraken(messages: list[bytes]) -> Books:
    books: Books = {}
    for message in map(json.loads, messages):
        if type(message) is not list:
            continue
        told = {key: levels for part in message[1:-2] for key, levels in part.items()}
        if "as" in told:
            books[message[-1]] = ({}, {})
        bids, asks = books[message[-1]]
        _set(bids, told.get("bs") or told.get("b") or [])
        _set(asks, told.get("as") or told.get("a") or [])
        ranked = sorted(asks), sorted(bids, reverse=True)
        for side, prices in zip((asks, bids), ranked, strict=True):
            for price in prices[_DEPTH:]:
                del side[price]
        if "c" in told:
            best = [(p, side[p]) for side, prices in zip((asks, bids), ranked, strict=True) for p in prices[:10]]
            digits = "".join(str(d).replace(".", "").lstrip("0") for level in best for d in map("{:f}".format, level))
            assert crc32(digits.encode()) == int(told["c"])
    return books


def _plain_okx(messages: list[bytes]) -> Books:
    books: Books = {}
    for message in map(json.loads, messages):
        if "data" not in message:
            continue
        symbol, data = message["arg"]["instId"], message["data"][0]
        if not message["arg"]["channel"].startswith("books"):
            continue
        if message["action"] == "snapshot":
            books[symbol] = ({}, {})
        bids, asks = books[symbol]
        _set(bids, data["bids"])
        _set(asks, data["asks"])
        best = (heapq.nlargest(25, bids.items()), heapq.nsmallest(25, asks.items()))
        summed = [f"{p:f}:{q:f}" for pair in zip_longest(*best) for level in pair if level for p, q in [level]]
        assert crc32(":".join(summed).encode()) == data["checksum"] & 0xFFFFFFFF
    return books


def _plain_coinbase(messages: list[bytes]) -> Books:
    books: Books = {}
    for message in map(json.loads, messages):
        for event in message["events"]:
            if message["channel"] == "l2_data":
                if event["type"] == "snapshot":
                    books[event["product_id"]] = ({}, {})
                bids, asks = books[event["product_id"]]
                for told in event["updates"]:
                    _set(bids if told["side"] == "bid" else asks, [[told["price_level"], told["new_quantity"]]])
            elif message["channel"] == "market_trades":
                for trade in event["trades"]:
                    Decimal(trade["price"]), Decimal(trade["size"])
    return books


def _plain_binance(messages: list[bytes]) -> Books:
    books: Books = {"": ({}, {})}
    bids, asks = books[""]
    for message in map(json.loads, messages):
        data = message.get("data", message)
        if "lastUpdateId" in data:
            books[""] = bids, asks = {}, {}
            _set(bids, data["bids"])
            _set(asks, data["asks"])
        elif data["e"] == "depthUpdate":
            _set(bids, data["b"])
            _set(asks, data["a"])
        elif data["e"] == "bookTicker":
            Decimal(data["b"]), Decimal(data["B"]), Decimal(data["a"]), Decimal(data["A"])
        else:
            Decimal(data["p"]), Decimal(data["q"])
    return books


def _set(side: dict[Decimal, Decimal], levels: list[list[str]]) -> None:
    for price, size, *_ in levels:
        if Decimal(size):
            # Where the price is known, its first spelling stays; Kraken spells each in one way.
            side[Decimal(price)] = Decimal(size)
        else:
            side.pop(Decimal(price), None)


@dataclass(frozen=True)
class _Case:
    path: str
    operator: type[MessageFeed]
    instruments: Callable[[Path, bytes], Sequence[Instrument]]
    """Those that the venue defines, or we do, given the recording and all that its messages say."""
    plain: Callable[[list[bytes]], Books]
    connection: str | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)


def _defined(read: Callable[[bytes], Definitions]) -> Callable[[Path, bytes], Sequence[Instrument]]:
    """The instruments that the recording's first reply defines and its messages speak of."""

    def instruments(path: Path, said: bytes) -> Sequence[Instrument]:
        lines = map(json.loads, zstd.decompress(path.read_bytes()).splitlines())
        body = next(line["data"].encode() for line in lines if line["t"] == "http")
        return [i for i in read(body).instruments if json.dumps(i.symbol).encode() in said]

    return instruments


def _stated(**terms: tuple[str, str]) -> Callable[[Path, bytes], Sequence[Instrument]]:
    """Instruments of symbol -> (tick, lot); `_` in a name stands for `-`."""
    return lambda path, said: [
        Instrument(id=s, venue="v", symbol=s.replace("_", "-"), tick=Decimal(tick), lot=Decimal(lot), currency="USD")
        for s, (tick, lot) in terms.items()
    ]


_OKX = {"BTC_USDT": ("0.1", "0.000001"), "BTC_USD_220527": ("0.1", "1"), "UNI_USD_SWAP": ("0.001", "1")}
_USDM = {"BTCUSDT": ("0.1", "0.001")}
_CASES = {
    "binance": _Case(
        "binance/usdm_btcusdt_20240808.gz", Binance, _stated(**_USDM), _plain_binance, parameters={"market": "usdm"}
    ),
    "bybit": _Case(
        "websocket/bybit.jsonl.zst", Bybit, _defined(bybit_instruments), _plain_bybit, "BYBIT.ws.2", {"depth": 200}
    ),
    "coinbase": _Case(
        "websocket/coinbase.jsonl.zst", Coinbase, _defined(coinbase_instruments), _plain_coinbase, "COINBASE.ws.2"
    ),
    "kraken": _Case(
        "websocket/kraken.jsonl.zst",
        Kraken,
        _defined(lambda body: kraken_instruments(body, 1)),
        _plain_kraken,
        "KRAKEN.ws.50",
        {"depth": _DEPTH},
    ),
    "okx": _Case("websocket/okx.jsonl.zst", Okx, _stated(**_OKX), _plain_okx, "OKX.ws.1"),
}


def _measured(path: Path, case: _Case) -> dict[str, float]:
    feed: CapturedFeed = RecordingFeed(id="f", format="recording", path=path.name)
    if case.connection:
        feed = SessionFeed(id="f", format="session", path=path.name, connection=case.connection)
    source = DeskInput([(feed, path)], 10_000, None)
    frames = list(iter(source.next, None))
    source.close()
    messages = [f.message(i) for f in frames for i in range(len(f.rows)) if f.rows["kind"][i] == RawKind.MESSAGE]
    chosen = tuple(case.instruments(path, b"".join(messages)))
    desk = Desk("d", chosen, feeds=(Feed("f", tuple(i.id for i in chosen)),))
    parameters = case.operator.Parameters.model_validate({"feeds": ("f",), **case.parameters})

    def operator() -> None:
        venue = case.operator(parameters, desk)
        for frame in frames:
            assert "dead_letters" not in venue.process({"raw": frame})

    ours, plain = _rate(operator, len(messages)), _rate(lambda: case.plain(messages), len(messages))
    return {"messages": len(messages), "operator_per_s": ours, "plain_per_s": plain, "ratio": ours / plain}


def _rate(run: Callable[[], object], count: int) -> float:
    elapsed_s = []
    for _ in range(_ROUNDS):
        started_s = time.process_time()
        run()
        elapsed_s.append(time.process_time() - started_s)
    return count / min(elapsed_s)


if __name__ == "__main__":
    print(json.dumps(measured(Path(os.environ["PAIRFLOW_DATA"])), indent=2))
