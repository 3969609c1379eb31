"""Kraken: books with checksums, trades and tickers of its websockets, versions 2 and 1. docs/crypto.md tells how."""

import re
from collections.abc import Sequence
from operator import itemgetter
from typing import Any, ClassVar, Literal
from zlib import crc32

from pydantic import Field

from operators.feeds.fields import LevelForm, Moments, digits, field, number, objects, one_of, only, parsed, seconds_ns
from operators.feeds.kraken_example import kraken_example
from operators.feeds.multiples import MalformedError, shown
from operators.feeds.price_window import PriceWindow
from operators.feeds.scanned_feed import Scanner
from operators.feeds.shape import Shape
from operators.feeds.told_book import NOBODY, Moment, Side, ToldBook
from operators.feeds.venue_feed import Connection, VenueFeed, VenueParameters
from operators.operator import Example
from operators.registry import register

_SUMMED = 10
"""Levels of each side that the checksum covers."""
_LEVEL_1 = LevelForm("[price, volume, time]", list, frozenset((3, 4)), itemgetter(0), itemgetter(1))
_BEST_1 = LevelForm("[price, whole lots, volume]", list, frozenset((3,)), itemgetter(0), itemgetter(2))
_LEVEL_2 = LevelForm("{price, qty}", dict, frozenset(), itemgetter("price"), itemgetter("qty"))
_RESTING = {"b": 1, "s": 0, "buy": 1, "sell": 0}
"""Side of the order that a buyer, or a seller, took from."""
_CHANNELS_IGNORED = ("status", "heartbeat", "ohlc", "instrument", "spread")
_EVENTS_IGNORED = ("heartbeat", "systemStatus", "subscriptionStatus", "pong")
_NUMBERS = re.compile(rb'"(price|qty|bid|ask|bid_qty|ask_qty)":\s*((?:0|[1-9]\d*)(?:\.\d+)?)(?=\s*[,}])')
"""Version 2 writes decimals as JSON numbers; as strings they keep their zeros, which the checksum is made of."""
_ASKS = '"a":[<each>["<price>","<total>","<seconds time>"<,"r"|>]<level ask><next>'
_BIDS = '"b":[<each>["<price>","<total>","<seconds stamp>"<,"r"|>]<level bid><next>'
_CHECKSUM = ',"c":"<int checksum>"},"book-DEPTH","<symbol>"]'
_WHOLE = (
    '"as":[<each>["<price>","<total>","<seconds>"]<level ask><next>,'
    '"bs":[<each>["<price>","<total>","<seconds>"]<level bid><next>},"book-DEPTH","<symbol>"]'
)
_BOOKS_1 = (_ASKS + _CHECKSUM, _BIDS + _CHECKSUM, _ASKS + "},{" + _BIDS + _CHECKSUM, _WHOLE)
_BOOK_2 = (
    '{"channel":"book","type":"<update|snapshot kind>","data":[{"symbol":"<symbol>",'
    '"bids":[<each>{"price":<price bare>,"qty":<total bare>}<level bid><next>,'
    '"asks":[<each>{"price":<price bare>,"qty":<total bare>}<level ask><next>,"checksum":<int checksum>'
)
_SHAPES_2 = (
    Shape(_BOOK_2 + ',"timestamp":"<moment time>"}]}'),
    Shape(_BOOK_2 + "}]}"),
    Shape(
        '{"channel":"trade","type":"update","data":[<each>{"symbol":"<symbol each>","side":"<sell|buy side>",'
        '"price":<price bare>,"qty":<total bare>,"ord_type":"<text>","trade_id":<int order>,'
        '"timestamp":"<moment time>"}<trade><next>}',
        is_complete=True,
    ),
)
_OF_WHOLE = 3
"""Place of the whole book of version 1 among the shapes."""


class KrakenParameters(VenueParameters):
    """Which feeds, and how much of the books they carry."""

    depth: Literal[10, 25, 100, 500, 1000] = Field(default=10, description="levels a side that books are subscribed to")


class KrakenConnection(Connection):
    """Decodes one connection. A book keeps `depth` levels a side, whose ten best must have the checksum stated."""

    def __init__(self, feed: int, parameters: KrakenParameters, *rest: Any) -> None:
        super().__init__(feed, parameters, *rest)
        self._depth = parameters.depth
        self._moments = Moments()

    def take(self, step: Sequence[int], scanner: Scanner) -> bool:
        """Write the events of a book, or a change of one."""
        shape, _, _, cause, ts, symbol, first, count, end, time, _, _, checksum, kind, _, _, _, _, stamp, _ = step
        book, is_snapshot = self.listed[symbol], shape == _OF_WHOLE or kind == 1
        if book.teller not in (self.feed, NOBODY):
            return False
        self.is_used = True
        bids, asks = scanner.sides(first, count, end)
        at = Moment(cause, ts, max(time, stamp), 0)
        self._tell_book(book, is_snapshot, bids, asks, None if shape == _OF_WHOLE else checksum, at)
        return True

    def tell(self, payload: memoryview, cause: int, ts: int) -> None:
        """Write the events of one message."""
        text = payload.tobytes()
        message = parsed(_NUMBERS.sub(rb'"\1":"\2"', text) if text[:1] == b"{" else text)
        if type(message) is list:
            self._tell_1(message, cause, ts)
        elif type(message) is dict and "channel" in message:
            self._tell_2(message, cause, ts)
        elif not _is_answer(message):
            raise MalformedError(f"message: expected one of a channel, or an answer, came {shown(message)}")

    def _tell_1(self, message: list[Any], cause: int, ts: int) -> None:
        """Version 1: `[channel id, part…, channel, pair]`."""
        if len(message) < 4 or type(message[-2]) is not str:
            raise MalformedError(f"message: expected [id, part, channel, pair], came {shown(message)}")
        channel, _, depth = message[-2].partition("-")
        if channel in _CHANNELS_IGNORED:
            return
        if channel not in ("book", "trade", "ticker"):
            raise MalformedError(f"channel: expected book, trade or ticker, came {shown(message[-2])}")
        book = self.book(message[-1], "pair")
        if book is None:
            return
        if channel == "trade":
            self._trades_1(book, message[1], cause, ts)
            return
        parts = objects(message[1:-2], "parts")
        if channel == "ticker":
            prices, volumes = _BEST_1.texts([field(parts[0], "b"), field(parts[0], "a")], "ticker")
            book.quote(book.best_prices(*zip(prices, volumes, strict=True)), Moment(cause, ts, 0, 0))
            return
        self.at_stake = book
        self._check_depth(depth)
        whole = {key: value for part in parts for key, value in part.items()}
        is_snapshot = "as" in whole or "bs" in whole
        keys = ("bs", "as") if is_snapshot else ("b", "a")
        bids, asks = (book.side(_LEVEL_1.texts(whole.get(key, []), key), key) for key in keys)
        times = [] if is_snapshot else [seconds_ns(whole[key][-1][2], "time") for key in keys if whole.get(key)]
        checksum = None if is_snapshot else digits(whole.get("c"), "c")
        self._tell_book(book, is_snapshot, bids, asks, checksum, Moment(cause, ts, max(times, default=0), 0))

    def _tell_2(self, message: dict[str, Any], cause: int, ts: int) -> None:
        """Version 2: `{"channel", "type", "data": […]}`."""
        channel = message["channel"]
        if channel in _CHANNELS_IGNORED:
            return
        if channel not in ("book", "trade", "ticker"):
            raise MalformedError(f"channel: expected book, trade or ticker, came {shown(channel)}")
        kind, data = message.get("type"), message.get("data")
        is_snapshot = bool(one_of(kind, {"snapshot": 1, "update": 0}, "type"))
        if channel == "trade":
            if not is_snapshot:  # which tells what was before
                self._trades_2(objects(data, "data"), cause, ts)
            return
        told = only(data, "data")
        book = self.book(told.get("symbol"), "symbol")
        if book is None:
            return
        if channel == "ticker":
            bid, ask = ((field(told, name), field(told, f"{name}_qty")) for name in ("bid", "ask"))
            book.quote(book.best_prices(bid, ask), Moment(cause, ts, self._time(told), 0))
            return
        self.at_stake = book
        bids, asks = (book.side(_LEVEL_2.texts(told.get(key, []), key), key) for key in ("bids", "asks"))
        at = Moment(cause, ts, self._time(told), 0)
        self._tell_book(book, is_snapshot, bids, asks, number(told.get("checksum"), "checksum"), at)

    def _tell_book(
        self, book: ToldBook, is_snapshot: bool, bids: Side, asks: Side, checksum: int | None, at: Moment
    ) -> None:
        if book.is_late(self.feed, at):
            return
        window = book.window
        assert window is not None
        if is_snapshot:
            window.clear()
        elif not book.is_told_by(self.feed):
            return
        if bids.prices:
            window.update(0, bids.prices, bids.quantities, map(_summed, *bids.texts))
            bids = bids.without(window.truncate(0, self._depth))
        if asks.prices:
            window.update(1, asks.prices, asks.quantities, map(_summed, *asks.texts))
            asks = asks.without(window.truncate(1, self._depth))
        if checksum is not None and not self.agrees(book, checksum, _checksum(window), at):
            return
        if is_snapshot:
            book.replace(self.feed, bids, asks, at)
        else:
            book.change(bids, asks, at)

    def _trades_1(self, book: ToldBook, trades: object, cause: int, ts: int) -> None:
        if type(trades) is not list or any(type(trade) is not list or len(trade) < 4 for trade in trades):
            raise MalformedError(f"trades: expected lists of [price, volume, time, side, …], came {shown(trades)}")
        self.write_trades(
            (book, price, qty, one_of(side, _RESTING, "side"), Moment(cause, ts, seconds_ns(time, "time"), 0))
            for price, qty, time, side, *_ in trades
        )

    def _trades_2(self, trades: list[dict[str, Any]], cause: int, ts: int) -> None:
        self.write_trades(
            (
                self.book(trade.get("symbol"), "symbol"),
                field(trade, "price"),
                field(trade, "qty"),
                one_of(trade.get("side"), _RESTING, "side"),
                Moment(cause, ts, self._time(trade), number(trade.get("trade_id"), "trade_id")),
            )
            for trade in trades
        )

    def _time(self, told: dict[str, Any]) -> int:
        return self._moments.read(told["timestamp"], "timestamp") if "timestamp" in told else 0

    def _check_depth(self, depth: str) -> None:
        if depth != str(self._depth):
            raise MalformedError(f"channel: expected book-{self._depth}, as `depth` says, came book-{depth[:20]}")


@register("kraken")
class Kraken(VenueFeed):
    """Decodes books, trades and tickers of Kraken; `order` of a trade is its id in version 2, else 0."""

    Parameters = KrakenParameters
    connection: ClassVar[type[Connection]] = KrakenConnection
    has_windows: ClassVar[bool] = True

    def _shapes(self) -> Sequence[Shape]:
        """Books of both versions, and trades of version 2, as Kraken writes them."""
        depth = str(self.parameters.depth)
        return [*(Shape("[<symbol last><int>,{" + t.replace("DEPTH", depth)) for t in _BOOKS_1), *_SHAPES_2]

    @classmethod
    def example(cls, seed: int) -> Example:
        """Two instruments of version 2, with gaps, repetitions, damaged messages and snapshots."""
        return kraken_example(seed)


def _summed(price: str, quantity: str) -> str:
    """What the checksum is made of: digits, without the zeros before them."""
    return price.replace(".", "").lstrip("0") + quantity.replace(".", "").lstrip("0")


def _checksum(window: PriceWindow) -> int:
    return crc32("".join(window.best(1, _SUMMED) + window.best(0, _SUMMED)).encode())


def _is_answer(message: object) -> bool:
    """Whether it answers a request, or tells of the connection, and of no error."""
    if type(message) is not dict:
        return False
    if "method" in message:
        return message.get("success", True) is True
    return message.get("event") in _EVENTS_IGNORED and message.get("status") != "error"
