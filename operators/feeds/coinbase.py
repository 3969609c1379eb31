"""Coinbase Advanced Trade: level2 books, market trades, tickers, numbered per connection: see docs/crypto.md."""

from collections.abc import Sequence
from operator import itemgetter
from typing import Any, ClassVar

from operators.feeds.coinbase_example import coinbase_example
from operators.feeds.fields import LevelForm, Moments, digits, field, number, objects, one_of, parsed
from operators.feeds.multiples import MalformedError, shown
from operators.feeds.scanned_feed import Scanner
from operators.feeds.shape import Shape
from operators.feeds.told_book import NOBODY, Moment, Side, ToldBook
from operators.feeds.venue_feed import Connection, VenueFeed
from operators.operator import Example
from operators.registry import register
from schemas.market import FeedEventKind

_LEVEL = LevelForm(
    "{side, price_level, new_quantity}", dict, frozenset(), itemgetter("price_level"), itemgetter("new_quantity")
)
_SIDES = ("bid", "offer")
_RESTING = {"BUY": 0, "SELL": 1}
"""A trade states the side of the maker."""
_CHANNELS_IGNORED = ("heartbeats", "subscriptions", "candles", "status", "ticker_batch")
_CHANGES = {"snapshot": 1, "update": 0}
_BOOK = Shape(
    '{"channel":"l2_data","timestamp":"<moment stamp>","sequence_num":<int order>,"events":[{'
    '"type":"<update|snapshot kind>","product_id":"<symbol>","updates":[<each>{"side":"<bid|offer side>",'
    '"event_time":"<moment time>","price_level":"<price>","new_quantity":"<total>"}<level><next>}]}'
)
_TRADES = Shape(
    '{"channel":"market_trades","timestamp":"<moment stamp>","sequence_num":<int sequence>,"events":[{'
    '"type":"update","trades":[<each>{"product_id":"<symbol each>","trade_id":"<int order>","price":"<price>",'
    '"size":"<total>","time":"<moment time>","side":"<BUY|SELL side>"}<trade><next>}]}'
)
_TICKER = Shape(
    '{"channel":"ticker","timestamp":"<moment time>","sequence_num":<int order>,"events":[{"type":"<text>","tickers":['
    '{"type":"ticker","product_id":"<symbol>","price":"<text>","volume_24_h":"<text>","low_24_h":"<text>",'
    '"high_24_h":"<text>","low_52_w":"<text>","high_52_w":"<text>","price_percent_chg_24_h":"<text>",'
    '"best_bid":"<bid>","best_ask":"<ask>","best_bid_quantity":"<bid_qty>","best_ask_quantity":"<ask_qty>"}<quote>]}]}'
)
_BOOKS, _OF_TRADES = 0, 1
"""Places among the shapes."""
_NO_TIME = -1


class CoinbaseConnection(Connection):
    """Decodes one connection. Its messages are numbered through, whatever they tell: one missing is missed by all."""

    def __init__(self, *terms: Any) -> None:
        super().__init__(*terms)
        self._moments = Moments()
        self._stamp = _NO_TIME
        """The `timestamp` of the last message, ns; _NO_TIME where it has none that can be read."""

    def take(self, step: Sequence[int], scanner: Scanner) -> bool:
        """Write the events of a message of a known shape."""
        shape, _, _, cause, ts, symbol, first, _, end, time, order, _, _, kind, _, _, _, _, stamp, sequence = step
        self.is_used = True
        if shape != _BOOKS:
            number, said = (sequence, stamp) if shape == _OF_TRADES else (order, time)
            if self._is_new(number, said, cause, ts):
                self.rows.copy(scanner.rows, first, end)
            return True
        book = self.listed[symbol]
        if not kind and book.teller not in (self.feed, NOBODY):
            return False
        if self._is_new(order, stamp, cause, ts) and (kind or book.teller == self.feed):
            book.take(self.feed, kind, scanner.rows, first, end, Moment(cause, ts, time, order))
        return True

    def tell(self, payload: memoryview, cause: int, ts: int) -> None:
        """Write the events of one message."""
        message = parsed(payload)
        if type(message) is not dict:
            raise MalformedError(f"message: expected an object, came {shown(message)}")
        if message.get("type") == "error":
            raise MalformedError(f"message: expected one of a channel, came {shown(message)}")
        sequence = number(message.get("sequence_num"), "sequence_num")
        if not self._is_new(sequence, self._time(message.get("timestamp")), cause, ts):
            return
        channel = message.get("channel")
        if channel == "l2_data":
            try:
                self._tell_books(objects(message.get("events"), "events"), sequence, cause, ts)
            except MalformedError:
                self.lose_all(Moment(cause, ts, 0, sequence))
                raise
        elif channel == "market_trades":
            self._tell_trades(objects(message.get("events"), "events"), cause, ts)
        elif channel == "ticker":
            at = Moment(cause, ts, self._moments.read(message.get("timestamp"), "timestamp"), sequence)
            self._tell_tickers(objects(message.get("events"), "events"), at)
        elif channel not in _CHANNELS_IGNORED:
            raise MalformedError(f"channel: expected l2_data, market_trades or ticker, came {shown(channel)}")

    def _is_new(self, sequence: int, stamp: int, cause: int, ts: int) -> bool:
        """Whether a message comes behind all others. Where some are missing, no book is whole any more."""
        last = self.number
        if last not in (-1, sequence - 1):
            kind, first, last = self._break(sequence, stamp)
            self.feed_events.append((cause, ts, self.feed, -1, kind, first, last))
            if kind in (FeedEventKind.DUPLICATE, FeedEventKind.OUT_OF_ORDER):
                return False
            self.lose_all(Moment(cause, ts, 0, sequence))
        self.number, self._stamp = sequence, stamp
        return True

    def _break(self, sequence: int, stamp: int) -> tuple[FeedEventKind, int, int]:
        """What it means that a message is not the next one: a number that falls, but in time, is a new beginning."""
        last = self.number
        if sequence == last:
            return FeedEventKind.DUPLICATE, sequence, sequence
        if sequence > last:
            return FeedEventKind.GAP, last + 1, sequence - 1
        is_late = _NO_TIME < stamp < self._stamp
        return (FeedEventKind.OUT_OF_ORDER if is_late else FeedEventKind.INCONSISTENT), sequence, last

    def _time(self, stamp: object) -> int:
        try:
            return self._moments.read(stamp, "timestamp")
        except MalformedError:
            return _NO_TIME

    def snapshot(self) -> Any:
        """The state apart from the books."""
        return super().snapshot(), self._stamp

    def restore(self, state: Any) -> None:
        """Take up the state of a snapshot."""
        super().restore(state[0])
        self._stamp = state[1]

    def _tell_books(self, events: list[dict[str, Any]], sequence: int, cause: int, ts: int) -> None:
        told = []
        for event in events:
            book = self.book(event.get("product_id"), "product_id")
            kind = one_of(event.get("type"), _CHANGES, "type")
            updates = objects(event.get("updates"), "updates")
            if book is not None:
                time = self._moments.read(updates[-1].get("event_time"), "event_time") if updates else 0
                told.append((book, kind, _sides(book, updates), Moment(cause, ts, time, sequence)))
        for book, kind, (bids, asks), at in told:
            if kind:
                book.replace(self.feed, bids, asks, at)
            elif book.is_told_by(self.feed):
                book.change(bids, asks, at)

    def _tell_trades(self, events: list[dict[str, Any]], cause: int, ts: int) -> None:
        """Of all events but a snapshot, which tells what was before."""
        self.write_trades(
            (
                self.book(trade.get("product_id"), "product_id"),
                field(trade, "price"),
                field(trade, "size"),
                one_of(trade.get("side"), _RESTING, "side"),
                Moment(
                    cause, ts, self._moments.read(trade.get("time"), "time"), digits(trade.get("trade_id"), "trade_id")
                ),
            )
            for event in events
            if not one_of(event.get("type"), _CHANGES, "type")
            for trade in objects(event.get("trades"), "trades")
        )

    def _tell_tickers(self, events: list[dict[str, Any]], at: Moment) -> None:
        told = []
        for ticker in (ticker for event in events for ticker in objects(event.get("tickers"), "tickers")):
            book = self.book(ticker.get("product_id"), "product_id")
            if book is not None:
                sides = ((field(ticker, f"best_{s}"), field(ticker, f"best_{s}_quantity")) for s in ("bid", "ask"))
                told.append((book, book.best_prices(*sides)))
        for book, best in told:
            book.quote(best, at)


@register("coinbase")
class Coinbase(VenueFeed):
    """Decodes books, trades and tickers of Coinbase; `order` is the sequence_num, of trades the trade id."""

    version = 3
    connection: ClassVar[type[Connection]] = CoinbaseConnection

    def _shapes(self) -> Sequence[Shape]:
        """Books, trades and tickers as Coinbase writes them."""
        return _BOOK, _TRADES, _TICKER

    @classmethod
    def example(cls, seed: int) -> Example:
        """Two instruments with gaps, repetitions, damaged messages and snapshots."""
        return coinbase_example(seed)


def _sides(book: ToldBook, updates: list[dict[str, Any]]) -> tuple[Side, Side]:
    """Bids and asks of updates that tell of both in any order."""
    bids, asks = ([update for update in updates if update.get("side") == side] for side in _SIDES)
    if len(bids) + len(asks) != len(updates):
        raise MalformedError(f"side: expected {' or '.join(_SIDES)}, came {shown(updates)}")
    return book.side(_LEVEL.texts(bids, "bid"), "bid"), book.side(_LEVEL.texts(asks, "offer"), "offer")
