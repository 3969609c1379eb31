"""A made-up Bybit session for the contract suite."""

from collections.abc import Sequence
from typing import Any

import orjson

from operators.feeds.venue_example import Book, Level, Writer, venue_example
from operators.operator import Example

_SYMBOLS = ("BTCUSDT", "ETHUSDT")
_TS = 1_786_310_818_129


def bybit_example(seed: int) -> Example:
    """Two instruments, books of 50 levels."""
    return venue_example(seed, bybit_writer(), {"depth": 50}, _SYMBOLS)


def bybit_writer() -> Writer:
    """What writes the messages of a session."""
    return _Bybit()


class _Bybit:
    """Messages as the venue writes them, later by the number."""

    def __init__(self) -> None:
        self._last = [1000, 5000]

    def snapshot(self, symbol: int, number: int, bids: Sequence[Level], asks: Sequence[Level]) -> bytes:
        return self._book("snapshot", symbol, number, (bids, asks))

    def change(self, symbol: int, number: int, changed: Sequence[Sequence[Level]], book: Book) -> bytes:
        return self._book("delta", symbol, number, changed)

    def trade(self, symbol: int, number: int, price: str, quantity: str, is_buy: bool) -> bytes:
        trade = {"T": _TS, "s": _SYMBOLS[symbol], "S": "Buy" if is_buy else "Sell", "v": quantity, "p": price}
        rest = {"L": "PlusTick", "i": f"id-{number}", "BT": False, "RPI": False, "seq": number}
        return _message("publicTrade", symbol, "snapshot", [trade | rest])

    def best(self, symbol: int, number: int, bid: Level, ask: Level) -> bytes:
        fields = {"symbol": _SYMBOLS[symbol], "lastPrice": ask[0], "bid1Price": bid[0], "bid1Size": bid[1]}
        kind = "delta"
        if number % 2 == 0:
            kind, fields = "snapshot", fields | {"ask1Price": ask[0], "ask1Size": ask[1]}
        told = {"topic": f"tickers.{_SYMBOLS[symbol]}", "type": kind, "data": fields, "cs": number, "ts": _TS}
        return orjson.dumps(told)

    def idle(self, number: int) -> bytes:
        return b'{"success":true,"ret_msg":"pong","op":"ping"}'

    def _book(self, kind: str, symbol: int, number: int, sides: Sequence[Sequence[Level]]) -> bytes:
        self._last[symbol] += 1
        data = {"s": _SYMBOLS[symbol], "b": sides[0], "a": sides[1], "u": self._last[symbol], "seq": number}
        return _message("orderbook.50", symbol, kind, data, cts=_TS + number)


def _message(topic: str, symbol: int, kind: str, data: Any, **fields: Any) -> bytes:
    return orjson.dumps({"topic": f"{topic}.{_SYMBOLS[symbol]}", "type": kind, "ts": _TS, "data": data, **fields})
