"""A made-up Coinbase session for the contract suite."""

from collections.abc import Sequence
from typing import Any

import orjson

from operators.feeds.venue_example import Book, Level, Writer, venue_example
from operators.operator import Example

_SYMBOLS = ("BTC-USD", "ETH-USD")
_TIME = "2026-08-09T21:05:48.228568804Z"


def coinbase_example(seed: int) -> Example:
    """Two instruments."""
    return venue_example(seed, coinbase_writer(), {}, _SYMBOLS)


def coinbase_writer() -> Writer:
    """What writes the messages of a session."""
    return _Coinbase()


class _Coinbase:
    """Messages as the venue writes them, later by the number."""

    def snapshot(self, symbol: int, number: int, bids: Sequence[Level], asks: Sequence[Level]) -> bytes:
        return _book("snapshot", symbol, number, (bids, asks))

    def change(self, symbol: int, number: int, changed: Sequence[Sequence[Level]], book: Book) -> bytes:
        return _book("update", symbol, number, changed)

    def trade(self, symbol: int, number: int, price: str, quantity: str, is_buy: bool) -> bytes:
        side = "SELL" if is_buy else "BUY"
        trade = {"trade_id": str(number), "price": price, "size": quantity, "time": _TIME, "side": side}
        kind = "snapshot" if number % 5 == 0 else "update"
        return _message("market_trades", number, type=kind, trades=[{"product_id": _SYMBOLS[symbol], **trade}])

    def best(self, symbol: int, number: int, bid: Level, ask: Level) -> bytes:
        day = {"volume_24_h": "1.5", "low_24_h": "1", "high_24_h": "2", "low_52_w": "0.5", "high_52_w": "3"}
        best = {"best_bid": bid[0], "best_ask": ask[0], "best_bid_quantity": bid[1], "best_ask_quantity": ask[1]}
        ticker = {"type": "ticker", "product_id": _SYMBOLS[symbol], "price": ask[0], **day}
        return _message("ticker", number, type="update", tickers=[ticker | {"price_percent_chg_24_h": "-0.1"} | best])

    def idle(self, number: int) -> bytes:
        return _message("heartbeats", number, heartbeat_counter=number)


def _book(kind: str, symbol: int, number: int, sides: Sequence[Sequence[Level]]) -> bytes:
    updates = [
        {"side": side, "event_time": _TIME, "price_level": price, "new_quantity": quantity}
        for side, levels in zip(("bid", "offer"), sides, strict=True)
        for price, quantity in levels
    ]
    return _message("l2_data", number, type=kind, product_id=_SYMBOLS[symbol], updates=updates)


def _message(channel: str, number: int, **event: Any) -> bytes:
    time = f"2026-08-09T21:05:49.{number:09d}Z"
    return orjson.dumps({"channel": channel, "timestamp": time, "sequence_num": number, "events": [event]})
