"""Recorded websocket messages into events: a venue's operator against `json.loads` and books of dicts and Decimals.

    PAIRFLOW_DATA=../shared/data python -m benchmarks.crypto_json

The plain way keeps the same books to the same depth, and compares the same checksums; it checks no field and
makes no events.
"""

import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from zlib import crc32

from backports import zstd

from operators.feeds.bybit import Bybit
from operators.feeds.definitions import Definitions, bybit_instruments, kraken_instruments
from operators.feeds.kraken import Kraken
from operators.feeds.venue_feed import VenueFeed
from operators.operator import Desk, Feed
from operators.sources.desk_input import DeskInput
from operators.sources.feed import FeedConfig
from schemas.market import RawKind

_ROUNDS = 9
_DEPTH = 1000

Books = dict[str, tuple[dict[Decimal, Decimal], dict[Decimal, Decimal]]]


def measured(data: Path) -> dict[str, dict[str, float]]:
    """By venue: messages per second of the operator and of the plain way, best of several rounds, and their ratio."""
    return {name: _measured(data / "websocket" / f"{name}.jsonl.zst", case) for name, case in _CASES.items()}


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


def _set(side: dict[Decimal, Decimal], levels: list[list[str]]) -> None:
    for price, size, *_ in levels:
        if Decimal(size):
            # Where the price is known, its first spelling stays; Kraken spells each in one way.
            side[Decimal(price)] = Decimal(size)
        else:
            side.pop(Decimal(price), None)


@dataclass(frozen=True)
class _Case:
    connection: str
    operator: type[VenueFeed]
    depth: int
    symbols: Callable[[bytes], Definitions]
    plain: Callable[[list[bytes]], Books]


_CASES = {
    "bybit": _Case("BYBIT.ws.2", Bybit, 200, bybit_instruments, _plain_bybit),
    "kraken": _Case("KRAKEN.ws.50", Kraken, _DEPTH, lambda b: kraken_instruments(b, 1), _plain_kraken),
}


def _measured(path: Path, case: _Case) -> dict[str, float]:
    source = DeskInput(
        [(FeedConfig(id="f", format="session", path=path.name, connection=case.connection), path)], 10**6, None
    )
    frame = source.next()
    source.close()
    assert frame is not None
    messages = [frame.message(i) for i in range(len(frame.rows)) if frame.rows["kind"][i] == RawKind.MESSAGE]
    desk = _desk(path, case, b"".join(messages))

    parameters = case.operator.Parameters.model_validate({"feeds": ("f",), "depth": case.depth})

    def operator() -> None:
        venue = case.operator(parameters, desk)
        assert "dead_letters" not in venue.process({"raw": frame})

    ours, plain = _rate(operator, len(messages)), _rate(lambda: case.plain(messages), len(messages))
    return {"messages": len(messages), "operator_per_s": ours, "plain_per_s": plain, "ratio": ours / plain}


def _desk(path: Path, case: _Case, said: bytes) -> Desk:
    """The instruments that the venue defines and the messages speak of."""
    lines = map(json.loads, zstd.decompress(path.read_bytes()).splitlines())
    body = next(line["data"].encode() for line in lines if line["t"] == "http")
    spoken = tuple(i for i in case.symbols(body).instruments if json.dumps(i.symbol).encode() in said)
    return Desk("d", spoken, feeds=(Feed("f", tuple(i.id for i in spoken)),))


def _rate(run: Callable[[], object], count: int) -> float:
    elapsed_s = []
    for _ in range(_ROUNDS):
        started_s = time.process_time()
        run()
        elapsed_s.append(time.process_time() - started_s)
    return count / min(elapsed_s)


if __name__ == "__main__":
    print(json.dumps(measured(Path(os.environ["PAIRFLOW_DATA"])), indent=2))
