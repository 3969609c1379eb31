"""OKX, version 5: books by sequence number and checksum, trades and tickers. docs/crypto.md tells how."""

from collections.abc import Sequence
from operator import itemgetter
from typing import Any, ClassVar
from zlib import crc32

from operators.feeds.fields import ID_MAX, LevelForm, digits, field, millis_ns, objects, one_of, only, parsed
from operators.feeds.multiples import MalformedError, shown
from operators.feeds.okx_example import okx_example
from operators.feeds.okx_shapes import OKX_SHAPES
from operators.feeds.price_window import PriceWindow, Texted
from operators.feeds.scanned_feed import Scanner
from operators.feeds.shape import Shape
from operators.feeds.told_book import NOBODY, Moment, Side, ToldBook
from operators.feeds.venue_feed import Connection, VenueFeed
from operators.operator import Example
from operators.registry import register
from schemas.market import FeedEventKind

_SUMMED = 25
"""Levels of each side that the checksum covers."""
_LEVEL = LevelForm("[price, size, 0, orders]", list, frozenset((4,)), itemgetter(0), itemgetter(1))
_BOOKS = ("books", "books-l2-tbt", "books50-l2-tbt")
_RESTING = {"buy": 1, "sell": 0}
"""Side of the order that a buyer, or a seller, took from."""
_EVENTS_IGNORED = ("subscribe", "unsubscribe", "channel-conn-count", "notice")
_UNNUMBERED_BOOK = 1
"""Place among the shapes."""
_CHECKSUM_END = 1 << 31
_UNNUMBERED = -1
"""`last` of a book whose messages have no sequence numbers, as before 2023."""


class OkxConnection(Connection):
    """Decodes one connection. A change must follow the message before it, and lead to the checksum stated."""

    def take(self, step: Sequence[int], scanner: Scanner) -> bool:
        """Write the events of a book, or a change of one, of a known shape."""
        shape, _, _, cause, ts, symbol, first, count, end, time, number, previous, checksum, kind, *_ = step
        book, at = self.listed[symbol], Moment(cause, ts, time, number)
        if book.teller not in (self.feed, NOBODY) or not -_CHECKSUM_END <= checksum < _CHECKSUM_END:
            return False
        if shape == _UNNUMBERED_BOOK:
            if checksum == 0:
                return False
            number = previous = _UNNUMBERED
        elif number < 0 or previous < _UNNUMBERED:
            return False
        self.is_used = True
        if self._is_due(book, kind, scanner.texted(first, count, end, ":"), (previous, number, checksum), at):
            book.take(self.feed, kind, scanner.rows, first, end, at)
        return True

    def tell(self, payload: memoryview, cause: int, ts: int) -> None:
        """Write the events of one message."""
        if payload.nbytes == 4 and payload.tobytes() == b"pong":
            return
        message = parsed(payload)
        if type(message) is not dict:
            raise MalformedError(f"message: expected an object, came {shown(message)}")
        if "event" in message:
            if message["event"] not in _EVENTS_IGNORED:
                raise MalformedError(f"event: expected an answer to a request, came {shown(message)}")
            return
        arg = message.get("arg")
        if type(arg) is not dict:
            raise MalformedError(f"arg: expected an object, came {shown(arg)}")
        channel = arg.get("channel")
        book = self.book(arg.get("instId"), "instId")
        if book is None:
            return
        if channel in _BOOKS:
            self.at_stake = book
            kind = one_of(message.get("action"), {"snapshot": 1, "update": 0}, "action")
            self._tell_book(book, bool(kind), only(message.get("data"), "data"), cause, ts)
        elif channel in ("trades", "trades-all"):
            self._tell_trades(book, objects(message.get("data"), "data"), cause, ts)
        elif channel == "tickers":
            told = only(message.get("data"), "data")
            bid, ask = ((field(told, f"{side}Px"), field(told, f"{side}Sz")) for side in ("bid", "ask"))
            book.quote(book.best_prices(bid, ask), self._moment(told, 0, cause, ts))
        elif channel == "bbo-tbt":
            self._tell_best(book, only(message.get("data"), "data"), cause, ts)
        else:
            raise MalformedError(f"channel: expected books, trades, tickers or bbo-tbt, came {shown(channel)}")

    def _tell_book(self, book: ToldBook, is_snapshot: bool, told: dict[str, Any], cause: int, ts: int) -> None:
        bids, asks = (book.side(_LEVEL.texts(told.get(key), key), key) for key in ("bids", "asks"))
        number, checksum = _sequence(told, "seqId"), told.get("checksum", 0)
        if type(checksum) is not int or not -_CHECKSUM_END <= checksum < _CHECKSUM_END:
            raise MalformedError(f"checksum: expected a signed number of 32 bits, came {shown(checksum)}")
        if number == _UNNUMBERED and checksum == 0:
            raise MalformedError("book: expected a seqId or a checksum, came neither")
        at = self._moment(told, max(number, 0), cause, ts)
        previous = _UNNUMBERED if is_snapshot or not book.is_told_by(self.feed) else _sequence(told, "prevSeqId")
        sides = _texted(bids), _texted(asks)
        if not self._is_due(book, is_snapshot, sides, (previous, number, checksum), at):
            return
        if is_snapshot:
            book.replace(self.feed, bids, asks, at)
        else:
            book.change(bids, asks, at)

    def _is_due(
        self, book: ToldBook, is_snapshot: int, sides: tuple[Texted, Texted], stated: tuple[int, int, int], at: Moment
    ) -> bool:
        """Whether a book, or a change of one, is to be applied: it follows what came before, and has the checksum.

        `stated` is the number of the message before, its own, and the checksum.
        """
        previous, number, checksum = stated
        window = book.window
        assert window is not None
        if is_snapshot:
            if book.is_late(self.feed, at):
                return False
            window.clear()
        elif not book.is_told_by(self.feed):
            book.hear(at)
            return False
        elif not self._follows(book, previous, number, at):
            return False
        for side, levels in enumerate(sides):
            window.update(side, *levels)
        if checksum and not self.agrees(book, checksum, _checksum(window), at):
            return False
        book.last = number
        return True

    def _follows(self, book: ToldBook, previous: int, number: int, at: Moment) -> bool:
        """Whether a change follows the message before it; if not, the book is lost, unless it came twice or late."""
        if previous == book.last:
            if number == _UNNUMBERED:
                return not book.is_late(self.feed, at)
            book.hear(at)
            return True
        if number == book.last:
            book.admit(self.feed, FeedEventKind.DUPLICATE, number, number, at)
        elif not book.is_late(self.feed, at):
            self.break_off(book, book.last + 1, previous, at)
        return False

    def _tell_trades(self, book: ToldBook, trades: list[dict[str, Any]], cause: int, ts: int) -> None:
        self.write_trades(
            (
                book,
                field(trade, "px"),
                field(trade, "sz"),
                one_of(trade.get("side"), _RESTING, "side"),
                self._moment(trade, digits(trade.get("tradeId"), "tradeId"), cause, ts),
            )
            for trade in trades
        )

    def _tell_best(self, book: ToldBook, told: dict[str, Any], cause: int, ts: int) -> None:
        best: list[tuple[str, str]] = []
        for key in ("bids", "asks"):
            prices, sizes = _LEVEL.texts(told.get(key), key)
            if len(prices) > 1:
                raise MalformedError(f"{key}: expected one level at most, came {len(prices)}")
            best.append((prices[0], sizes[0]) if prices else ("", ""))
        book.quote(book.best_prices(*best), self._moment(told, max(_sequence(told, "seqId"), 0), cause, ts))

    def _moment(self, told: dict[str, Any], order: int, cause: int, ts: int) -> Moment:
        return Moment(cause, ts, millis_ns(digits(told.get("ts"), "ts"), "ts"), order)


@register("okx")
class Okx(VenueFeed):
    """Decodes books, trades and tickers of OKX; `order` of events is the seqId, of trades the trade id."""

    connection: ClassVar[type[Connection]] = OkxConnection
    has_windows: ClassVar[bool] = True

    def _shapes(self) -> Sequence[Shape]:
        """Books, trades and best prices as OKX writes them."""
        return OKX_SHAPES

    @classmethod
    def example(cls, seed: int) -> Example:
        """Two instruments with gaps, repetitions, damaged messages and snapshots."""
        return okx_example(seed)


def _sequence(told: dict[str, Any], name: str) -> int:
    number = told.get(name, _UNNUMBERED)
    if type(number) is not int or not -1 <= number <= ID_MAX:
        raise MalformedError(f"{name}: expected a sequence number, came {shown(number)}")
    return number


def _texted(side: Side) -> Texted:
    return Texted(side.prices, side.quantities, list(map(":".join, zip(*side.texts, strict=True))))


def _checksum(window: PriceWindow) -> int:
    """Of bid, ask, bid, ask and so on as long as there are; as a signed number."""
    bids, asks = window.best(0, _SUMMED), window.best(1, _SUMMED)
    both = min(len(bids), len(asks))
    texts = [""] * (2 * both)
    texts[::2], texts[1::2] = bids[:both], asks[:both]
    found = crc32(":".join(texts + bids[both:] + asks[both:]).encode())
    return found - (1 << 32) if found >> 31 else found
