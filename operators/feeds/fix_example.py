"""A made-up FIX session for the contract suite."""

from collections.abc import Sequence

from operators.feeds.venue_example import Book, Level, venue_example
from operators.framing import fix_tags as tags
from operators.framing.fix_message import encode
from operators.operator import Example

_SYMBOLS = ("BTC/USD", "ETH/USD")
_Fields = list[tuple[str, str | int]]


def fix_example(seed: int) -> Example:
    """Two instruments of FIXT.1.1, entries by price."""
    return venue_example(seed, _Fix(), {}, _SYMBOLS)


class _Fix:
    """Messages of a venue, numbered as the connection's are."""

    def snapshot(self, symbol: int, number: int, bids: Sequence[Level], asks: Sequence[Level]) -> bytes:
        entries = [entry for side, levels in enumerate((bids, asks)) for entry in _levels(side, levels)]
        head: _Fields = [(tags.SYMBOL, _SYMBOLS[symbol])]
        return _message(tags.SNAPSHOT, number, [*head, *_group(entries)])

    def change(self, symbol: int, number: int, changed: Sequence[Sequence[Level]], book: Book) -> bytes:
        entries: list[_Fields] = []
        for side, levels in enumerate(changed):
            for i, (price, quantity) in enumerate(levels):
                gone = not float(quantity)
                action: _Fields = [
                    (tags.MD_UPDATE_ACTION, "2" if gone else str(i % 2)),
                    (tags.SYMBOL, _SYMBOLS[symbol]),
                ]
                entries.append([*action, *_level(side, price, quantity)])
        return _message(tags.INCREMENTAL, number, _group(entries)) if entries else self.idle(number)

    def trade(self, symbol: int, number: int, price: str, quantity: str, is_buy: bool) -> bytes:
        entry: _Fields = [(tags.MD_UPDATE_ACTION, "0"), (tags.SYMBOL, _SYMBOLS[symbol])]
        told: _Fields = [(tags.TRADE_ID, number), (tags.AGGRESSOR_SIDE, 1 if is_buy else 2)]
        return _message(tags.INCREMENTAL, number, _group([[*entry, *_level(2, price, quantity), *told]]))

    def best(self, symbol: int, number: int, bid: Level, ask: Level) -> bytes:
        return _message(
            tags.SECURITY_STATUS, number, [(tags.SYMBOL, _SYMBOLS[symbol]), ("326", "2" if number % 3 else "17")]
        )

    def idle(self, number: int) -> bytes:
        return _message(tags.HEARTBEAT, number, [])


def _levels(side: int, levels: Sequence[Level]) -> list[_Fields]:
    return [_level(side, price, quantity) for price, quantity in levels]


def _level(side: int, price: str, quantity: str) -> _Fields:
    return [(tags.MD_ENTRY_TYPE, side), (tags.MD_ENTRY_PX, price), (tags.MD_ENTRY_SIZE, quantity)]


def _group(entries: Sequence[_Fields]) -> _Fields:
    return [(tags.NO_MD_ENTRIES, len(entries)), *(field for entry in entries for field in entry)]


def _message(kind: str, number: int, body: _Fields) -> bytes:
    head: _Fields = [(tags.MSG_TYPE, kind), (tags.SENDER_COMP_ID, "VENUE"), (tags.TARGET_COMP_ID, "DESK")]
    seconds, millis = divmod(number, 1000)
    time = f"20240809-00:00:{seconds:02d}.{millis:03d}"
    return encode("FIXT.1.1", [*head, (tags.MSG_SEQ_NUM, number + 1), (tags.SENDING_TIME, time), *body])
