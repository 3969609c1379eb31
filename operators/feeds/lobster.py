"""LOBSTER's files of NASDAQ's order messages and the books they lead to. docs/files.md tells the format."""

import struct
from typing import Any

from operators.feeds.event_rows import EventRows
from operators.feeds.lobster_book import (
    CROSS,
    HALT,
    HIDDEN_EXECUTION,
    SUBMISSION,
    ContradictionError,
    Level,
    LobsterBook,
    Message,
)
from operators.feeds.lobster_example import lobster_example
from operators.feeds.message_feed import FeedEventRow, MessageFeed
from operators.feeds.multiples import LIMIT, MalformedError, shown
from operators.operator import Example
from operators.registry import register
from schemas.errors import ConfigError
from schemas.instrument import Instrument
from schemas.market import LAST, EventKind, FeedEventKind, TradingStatus

_TIME = struct.Struct("<q")
_PRICE_NANOS = 10**5
"""Prices are dollars times 10,000."""
_SHARE_NANOS = 10**9
_EMPTY = 9_999_999_999
"""The price of a level that is not there, negative on the bid side."""
_HALTED, _RESUMED = -1, 1


class LobsterDecoder:
    """Decodes one pair of files."""

    def __init__(
        self, feed: int, number: int, instrument: Instrument, rows: EventRows, feed_events: list[FeedEventRow]
    ) -> None:
        self._feed, self._number, self._instrument = feed, number, instrument
        self._rows, self._feed_events = rows, feed_events
        self._book = LobsterBook()
        self._is_whole = False
        self._at = (0, 0, 0)
        """cause, ts and ts_event of the row."""

    def decode(self, payload: memoryview, cause: int, ts: int) -> None:
        """Write the events of one row of both files. Raises MalformedError, having written nothing but SYNC 0."""
        self._at = (cause, ts, 0)
        try:
            message, levels = self._read(payload, cause, ts)
        except MalformedError:
            self._lose()
            raise
        before = self._rows.count
        if self._is_whole:
            self._follow(message, levels)
        else:
            self._replace(levels)
        if message.kind in (HIDDEN_EXECUTION, CROSS):
            self._tell(EventKind.TRADE, 0, message.level, message.size)
        elif message.kind == HALT and message.price in (_HALTED, _RESUMED):
            status = TradingStatus.HALTED if message.price == _HALTED else TradingStatus.TRADING
            self._rows.one(EventKind.STATUS, *self._at, 0, 0, status, self._number, 0, 0)
        if self._rows.count > before:
            self._rows.end_message()

    def connect(self, cause: int, ts: int) -> None:
        """Files have no connection."""

    def disconnect(self, cause: int, ts: int) -> None:
        """Files are not connected to."""

    def snapshot(self) -> Any:
        """The book, and whether it is whole."""
        return self._is_whole, self._book.snapshot()

    def restore(self, state: Any) -> None:
        """Go on from a snapshot."""
        self._is_whole, book = state
        self._book.restore(book)

    def _follow(self, message: Message, levels: dict[Level, int]) -> None:
        """The book by the message; by the levels shown, where these are not what it leads to."""
        before = self._rows.count
        try:
            self._book.follow(message, levels, self._tell)
        except ContradictionError:
            self._rows.count = before
            kind = FeedEventKind.INCONSISTENT
            self._feed_events.append((*self._at[:2], self._feed, self._number, kind, message.order, message.size))
            self._replace(levels)

    def _replace(self, levels: dict[Level, int]) -> None:
        """The book anew: what a level holds is one order, the pool."""
        self._rows.one(EventKind.CLEAR, *self._at, 0, 0, 0, self._number, 0, 0)
        self._book.clear()
        self._book.keep(levels, self._tell)
        self._rows.one(EventKind.SYNC, *self._at, 0, 0, 1, self._number, 0, 0)
        self._is_whole = True

    def _lose(self) -> None:
        if self._is_whole:
            self._rows.one(EventKind.SYNC, *self._at, 0, 0, 0, self._number, 0, LAST)
        self._is_whole = False

    def _tell(self, kind: EventKind, order: int, level: Level, qty: int) -> None:
        side, price = level
        self._rows.one(kind, *self._at, order, self._ticks(price), self._lots(qty), self._number, side, 0)

    def _read(self, payload: memoryview, cause: int, ts: int) -> tuple[Message, dict[Level, int]]:
        """The message and the levels that are there after it, all of them of whole ticks and lots."""
        if len(payload) < _TIME.size:
            raise MalformedError(f"row: expected a time of {_TIME.size} bytes, came {len(payload)}")
        self._at = (cause, ts, _TIME.unpack_from(payload)[0])
        told, _, book = bytes(payload[_TIME.size :]).partition(b"\n")
        _, *fields = told.split(b",")
        message = Message(*_numbers(fields[:5], 5, "message"))
        if not SUBMISSION <= message.kind <= HALT:
            raise MalformedError(f"type: expected 1 to 7, came {message.kind}")
        if message.kind != HALT:
            self._check(message)
        prices = book.split(b",")
        levels = _levels(_numbers(prices, max(4, len(prices) // 4 * 4), "order book"))
        for (_, price), qty in levels.items():
            self._lots(qty)
            self._ticks(price)
        return message, levels

    def _check(self, message: Message) -> None:
        if message.kind != CROSS and message.direction not in (-1, 1):
            raise MalformedError(f"direction: expected 1 or -1, came {message.direction}")
        if message.size <= 0 or message.price <= 0:
            raise MalformedError(f"size, price: expected more than 0, came {message.size}, {message.price}")
        self._ticks(message.price)
        self._lots(message.size)

    def _ticks(self, price: int) -> int:
        ticks, rest = divmod(price * _PRICE_NANOS, self._instrument.tick_nanos)
        if rest or not 0 < ticks <= LIMIT:
            raise MalformedError(f"price: expected multiples of the tick {self._instrument.tick}, came {price} / 10000")
        return ticks

    def _lots(self, size: int) -> int:
        lots, rest = divmod(size * _SHARE_NANOS, self._instrument.lot_nanos)
        if rest or not 0 <= lots <= LIMIT:
            raise MalformedError(f"size: expected multiples of the lot {self._instrument.lot}, came {size}")
        return lots


def _numbers(fields: list[bytes], count: int, name: str) -> list[int]:
    if len(fields) != count:
        raise MalformedError(f"{name}: expected {count} numbers, came {len(fields)}")
    try:
        return list(map(int, fields))
    except ValueError:
        raise MalformedError(f"{name}: expected whole numbers, came {shown(b','.join(fields))}") from None


def _levels(book: list[int]) -> dict[Level, int]:
    """Of a row of an order book file (ask, its size, bid, its size, level by level) the levels that are there."""
    levels: dict[Level, int] = {}
    for i in range(0, len(book), 4):
        ask, ask_qty, bid, bid_qty = book[i : i + 4]
        if ask_qty and ask != _EMPTY:
            levels[1, ask] = ask_qty
        if bid_qty and bid != -_EMPTY:
            levels[0, bid] = bid_qty
    return levels


@register("lobster")
class Lobster(MessageFeed):
    """Decodes LOBSTER's pairs of files, a row of each at a time, into events of single orders.

    The files show the messages about the uppermost levels only, and these levels. What a level holds when it comes
    into view is one order, the pool, from which the orders leave that nobody saw arrive; of a level that goes out of
    view all orders are deleted. Everything else follows from the messages. Where these do not lead to the levels shown,
    feed event INCONSISTENT says so, and the book is cleared and told anew.

    Raises ConfigError for an unknown feed, and for one that does not list one instrument.
    """

    def _decoder(self, feed: int, instruments: list[int]) -> LobsterDecoder:
        if len(instruments) != 1:
            raise ConfigError(
                f"lobster: feed {self.desk.feeds[feed].id!r} lists {len(instruments)} instruments; its files are of one"
            )
        number = instruments[0]
        return LobsterDecoder(feed, number, self.desk.instruments[number], self._rows, self._feed_events)

    @classmethod
    def example(cls, seed: int) -> Example:
        """A made-up day's rows, some of them damaged, lost or repeated."""
        return lobster_example(seed)
