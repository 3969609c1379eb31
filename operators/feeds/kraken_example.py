"""A made-up Kraken session for the contract suite."""

from collections.abc import Sequence
from zlib import crc32

from operators.feeds.venue_example import SYMBOLS, Book, Level, Writer, venue_example
from operators.operator import Example

_TIME = '"timestamp":"2026-08-09T21:05:48.123456Z"'
_SECOND = "2026-08-09T21:05:48"


def kraken_example(seed: int) -> Example:
    """Two instruments, version 2, books of ten levels."""
    return venue_example(seed, kraken_writer(), {"depth": 10})


def kraken_writer() -> Writer:
    """What writes the messages of a session."""
    return _Kraken()


class _Kraken:
    """Messages of version 2, with the numbers as the venue writes them, later by the message's number."""

    def snapshot(self, symbol: int, number: int, bids: Sequence[Level], asks: Sequence[Level]) -> bytes:
        return _book("snapshot", symbol, number, (bids, asks), (bids, asks))

    def change(self, symbol: int, number: int, changed: Sequence[Sequence[Level]], book: Book) -> bytes:
        if number % 10 == 0:  # a level again that nothing is known of
            changed = [[*changed[0], ("0.01", "0.000")], changed[1]]
        return _book("update", symbol, number, changed, (book.side(0), book.side(1)))

    def trade(self, symbol: int, number: int, price: str, quantity: str, is_buy: bool) -> bytes:
        side = "buy" if is_buy else "sell"
        told = f'"side":"{side}","price":{price},"qty":{quantity},"ord_type":"market","trade_id":{number},{_TIME}'
        return _message("trade", "update", symbol, told)

    def best(self, symbol: int, number: int, bid: Level, ask: Level) -> bytes:
        told = f'"bid":{bid[0]},"bid_qty":{bid[1]},"ask":{ask[0]},"ask_qty":{ask[1]}'
        return _message("ticker", "update", symbol, told)

    def idle(self, number: int) -> bytes:
        return b'{"channel":"heartbeat"}'


def _book(
    kind: str, symbol: int, number: int, told: Sequence[Sequence[Level]], book: Sequence[Sequence[Level]]
) -> bytes:
    bids, asks = (",".join(f'{{"price":{price},"qty":{qty}}}' for price, qty in side) for side in told)
    digits = [text.replace(".", "").lstrip("0") for side in (book[1], book[0]) for level in side for text in level]
    checksum = crc32("".join(digits).encode())
    return _message(
        "book",
        kind,
        symbol,
        f'"bids":[{bids}],"asks":[{asks}],"checksum":{checksum},"timestamp":"{_SECOND}.{number:06d}Z"',
    )


def _message(channel: str, kind: str, symbol: int, told: str) -> bytes:
    return f'{{"channel":"{channel}","type":"{kind}","data":[{{"symbol":"{SYMBOLS[symbol]}",{told}}}]}}'.encode()
