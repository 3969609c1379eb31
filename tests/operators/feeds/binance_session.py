"""Binance messages, and what the decoder makes of them, in few words."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import orjson

from operators.feeds.binance import Binance
from operators.feeds.raw_log import raw_frame
from operators.operator import Desk, Feed
from schemas.instrument import Instrument
from schemas.market import EventKind, FeedEventKind, RawFrame

SYMBOL = "BTCUSDT"
NAMES = {EventKind.QUOTE: "quote", EventKind.LEVEL: "level", EventKind.CLEAR: "clear", EventKind.TRADE: "trade"}
NAMES |= {EventKind.STATUS: "status", EventKind.VALUE: "value"}


def instrument(name: str = "BTC", symbol: str = SYMBOL, tick: str = "0.01", lot: str = "0.001") -> Instrument:
    return Instrument(id=name, venue="binance", symbol=symbol, tick=Decimal(tick), lot=Decimal(lot), currency="USDT")


def desk(*instruments: Instrument) -> Desk:
    """One feed per instrument, called as it is."""
    chosen = instruments or (instrument(),)
    return Desk("d", chosen, feeds=tuple(Feed(i.id, (i.id,)) for i in chosen))


def decoder(market: str = "spot", *instruments: Instrument) -> Binance:
    chosen = desk(*instruments)
    return Binance(Binance.Parameters(market=market, feeds=tuple(f.id for f in chosen.feeds)), chosen)


def depth(first: int, final: int, previous: int | None = None, bids: Any = (), asks: Any = (), **changes: Any) -> bytes:
    """A depth update; a futures one where `previous` is given."""
    data = {"e": "depthUpdate", "E": 7, "s": SYMBOL, "U": first, "u": final}
    data |= {} if previous is None else {"pu": previous, "T": 6}
    return event(data | {"b": bids, "a": asks} | changes)


def ticker(final: int, **changes: Any) -> bytes:
    return event({"u": final, "s": SYMBOL, "b": "1.00", "B": "0.002", "a": "1.01", "A": "3"} | changes)


def trade(**changes: Any) -> bytes:
    data = {"e": "trade", "E": 8, "s": SYMBOL, "t": 5, "p": "1.01", "q": "0.004", "T": 7, "m": True, "M": True}
    return event(data | changes)


def snapshot(last: int, bids: Any = (("1.00", "1"),), asks: Any = (("1.02", "2"),), **changes: Any) -> bytes:
    return orjson.dumps({"lastUpdateId": last, "bids": bids, "asks": asks} | changes)


def event(data: dict[str, Any]) -> bytes:
    """As a combined stream wraps it. Fields set to `...` are left out."""
    return orjson.dumps({"stream": "btcusdt@x", "data": {k: v for k, v in data.items() if v is not ...}})


class Decoded:
    """What came out, message by message: `events[cause]` and so on are lists of short tuples."""

    def __init__(self, operator: Binance, messages: Iterable[bytes], first: int = 1) -> None:
        log = list(messages)
        produced = operator.process({"raw": raw_frame([(0, m) for m in log], first)})
        self.rows = {port: frame.copy() for port, frame in produced.items()}
        self.events = [[] for _ in log]
        for row in self._of("events"):
            self.events[row["cause"] - first].append(_event(row))
        self.feed_events = [
            (int(r["cause"]), FeedEventKind(r["kind"]).name, int(r["first"]), int(r["last"]))
            for r in self._of("feed_events")
        ]
        self.dead = [(int(r["cause"]), r["reason"]) for r in self._of("dead_letters")]
        for row in self._of("dead_letters"):
            assert row["bytes"] == log[row["cause"] - first]

    def _of(self, port: str) -> Any:
        return self.rows.get(port, ())


def _event(row: Any) -> tuple[Any, ...]:
    kind, qty = EventKind(row["kind"]), int(row["qty"])
    last = ("last",) if row["flags"] else ()
    if kind == EventKind.SYNC:
        return (f"sync {qty}", *last)
    if kind == EventKind.CLEAR:
        return ("clear", *last)
    return (NAMES[kind], "ask" if row["side"] else "bid", int(row["price"]), qty, *last)


def cuts(raw: RawFrame, sizes: Iterable[int]) -> list[RawFrame]:
    """The log in pieces of the given sizes, in turn; the last may be shorter."""
    found, at = [], 0
    for size in sizes:
        if at >= len(raw.rows):
            break
        found.append(RawFrame(raw.rows[at : at + size], raw.data))
        at += size
    return found
