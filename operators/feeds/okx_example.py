"""A made-up OKX session for the contract suite."""

from collections.abc import Sequence
from itertools import zip_longest
from typing import Any
from zlib import crc32

import orjson

from operators.feeds.venue_example import Book, Level, Writer, venue_example
from operators.operator import Example

_SYMBOLS = ("BTC-USDT", "ETH-USDT")
_TS = 1_652_459_225_464


def okx_example(seed: int) -> Example:
    """Two instruments; the second with checksums alone, as before 2023."""
    return venue_example(seed, okx_writer(), {}, _SYMBOLS)


def okx_writer() -> Writer:
    """What writes the messages of a session."""
    return _Okx()


class _Okx:
    """Messages as the venue writes them, later by the number."""

    def __init__(self) -> None:
        self._last = [-1, -1]

    def snapshot(self, symbol: int, number: int, bids: Sequence[Level], asks: Sequence[Level]) -> bytes:
        return self._book("snapshot", symbol, number, (bids, asks), (bids, asks))

    def change(self, symbol: int, number: int, changed: Sequence[Sequence[Level]], book: Book) -> bytes:
        gone = [[level for level in side if level not in book.side(i)] for i, side in enumerate(changed)]
        told = [[*old, *book.side(i)] for i, old in enumerate([[(p, "0") for p, _ in side] for side in gone])]
        return self._book("update", symbol, number, told, (book.side(0), book.side(1)))

    def trade(self, symbol: int, number: int, price: str, quantity: str, is_buy: bool) -> bytes:
        side = "buy" if is_buy else "sell"
        trade = {"instId": _SYMBOLS[symbol], "tradeId": str(number), "px": price, "sz": quantity, "side": side}
        return _message("trades", symbol, {**trade, "ts": str(_TS)})

    def best(self, symbol: int, number: int, bid: Level, ask: Level) -> bytes:
        if number % 2:
            levels = {"asks": [_level(ask)], "bids": [_level(bid)]}
            return _message("bbo-tbt", symbol, {**levels, "ts": str(_TS), "seqId": number})
        last = {"instType": "SPOT", "instId": _SYMBOLS[symbol], "last": ask[0], "lastSz": "1"}
        best = {"askPx": ask[0], "askSz": ask[1], "bidPx": bid[0], "bidSz": bid[1]}
        day = dict.fromkeys(("open24h", "high24h", "low24h", "sodUtc0", "sodUtc8", "volCcy24h", "vol24h"), "1")
        return _message("tickers", symbol, {**last, **best, **day, "ts": str(_TS)})

    def idle(self, number: int) -> bytes:
        return b"pong"

    def _book(
        self, action: str, symbol: int, number: int, told: Sequence[Sequence[Level]], book: Sequence[Sequence[Level]]
    ) -> bytes:
        texts = [":".join(level) for pair in zip_longest(*book) for level in pair if level]
        checksum = crc32(":".join(texts).encode())
        data: dict[str, Any] = {"checksum": checksum - (1 << 32) if checksum >> 31 else checksum}
        if symbol == 0:
            data = {"checksum": 0, "prevSeqId": -1 if action == "snapshot" else self._last[symbol], "seqId": number}
            self._last[symbol] = number
        bids, asks = ([_level(level) for level in side] for side in told)
        return _message("books", symbol, {"asks": asks, "bids": bids, "ts": str(_TS + number), **data}, action=action)


def _level(level: Level) -> list[str]:
    return [*level, "0", "1"]


def _message(channel: str, symbol: int, data: dict[str, Any], **fields: Any) -> bytes:
    arg = {"channel": channel, "instId": _SYMBOLS[symbol]}
    return orjson.dumps({"arg": arg, **fields, "data": [data]})
