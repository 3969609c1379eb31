"""Coinbase Advanced Trade: level2 books, market trades, tickers, numbered per connection: see docs/crypto.md."""

from operator import itemgetter
from typing import Any, ClassVar

from operators.feeds.coinbase_example import coinbase_example
from operators.feeds.fields import LevelForm, Moments, digits, field, number, objects, one_of, parsed
from operators.feeds.multiples import MalformedError, shown
from operators.feeds.told_book import Moment, Side, ToldBook
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


class CoinbaseConnection(Connection):
    """Decodes one connection. Its messages are numbered through, whatever they tell: one missing is missed by all."""

    def __init__(self, *terms: Any) -> None:
        super().__init__(*terms)
        self._moments = Moments()
        self._stamp: object = None
        """The `timestamp` of the last message."""

    def tell(self, payload: memoryview, cause: int, ts: int) -> None:
        """Write the events of one message."""
        message = parsed(payload)
        if type(message) is not dict:
            raise MalformedError(f"message: expected an object, came {shown(message)}")
        if message.get("type") == "error":
            raise MalformedError(f"message: expected one of a channel, came {shown(message)}")
        sequence = number(message.get("sequence_num"), "sequence_num")
        if not self._is_new(sequence, message.get("timestamp"), cause, ts):
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

    def _is_new(self, sequence: int, stamp: object, cause: int, ts: int) -> bool:
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

    def _break(self, sequence: int, stamp: object) -> tuple[FeedEventKind, int, int]:
        """What it means that a message is not the next one: a number that falls, but in time, is a new beginning."""
        last = self.number
        if sequence == last:
            return FeedEventKind.DUPLICATE, sequence, sequence
        if sequence > last:
            return FeedEventKind.GAP, last + 1, sequence - 1
        try:
            is_late = self._moments.read(stamp, "timestamp") < self._moments.read(self._stamp, "timestamp")
        except MalformedError:
            is_late = False
        return (FeedEventKind.OUT_OF_ORDER if is_late else FeedEventKind.INCONSISTENT), sequence, last

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

    connection: ClassVar[type[Connection]] = CoinbaseConnection

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
