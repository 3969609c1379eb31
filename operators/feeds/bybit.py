"""Bybit, version 5: books by update id, public trades and tickers. docs/crypto.md tells how."""

from operator import itemgetter
from typing import Any, ClassVar, Literal

from pydantic import Field

from operators.feeds.bybit_example import bybit_example
from operators.feeds.fields import LevelForm, field, millis_ns, number, objects, one_of, parsed
from operators.feeds.multiples import MalformedError, shown
from operators.feeds.told_book import Moment, ToldBook
from operators.feeds.venue_feed import Connection, VenueFeed, VenueParameters
from operators.operator import Example
from operators.registry import register
from schemas.market import FeedEventKind

_LEVEL = LevelForm("[price, size]", list, frozenset((2,)), itemgetter(0), itemgetter(1))
_RESTING = {"Buy": 1, "Sell": 0}
"""Side of the order that a buyer, or a seller, took from."""
_TOPICS_IGNORED = ("kline", "liquidation", "allLiquidation", "priceLimit", "insurance", "adlAlert")
_BEST = ("bid1Price", "bid1Size", "ask1Price", "ask1Size")
_KINDS = {"snapshot": 1, "delta": 0}


class BybitParameters(VenueParameters):
    """Which feeds, and which of the venue's books they carry."""

    depth: Literal[1, 50, 200, 500, 1000] = Field(default=200, description="levels a side that books are subscribed to")


class BybitConnection(Connection):
    """Decodes one connection, which is of one category: a symbol of `linear` is another's of `spot`."""

    def __init__(self, feed: int, parameters: BybitParameters, *rest: Any) -> None:
        super().__init__(feed, parameters, *rest)
        self._depth = str(parameters.depth)

    def tell(self, payload: memoryview, cause: int, ts: int) -> None:
        """Write the events of one message."""
        message = parsed(payload)
        if type(message) is not dict:
            raise MalformedError(f"message: expected an object, came {shown(message)}")
        if "op" in message:
            if message.get("success", True) is not True:
                raise MalformedError(f"op: expected success, came {shown(message)}")
            return
        topic = message.get("topic")
        if type(topic) is not str:
            raise MalformedError(f"topic: expected a string, came {shown(topic)}")
        name, _, rest = topic.partition(".")
        if name in _TOPICS_IGNORED:
            return
        if name not in ("orderbook", "publicTrade", "tickers"):
            raise MalformedError(f"topic: expected orderbook, publicTrade or tickers, came {shown(topic)}")
        book = self.book(rest.partition(".")[2] if name == "orderbook" else rest, "topic")
        if book is None:
            return
        if name == "publicTrade":
            self._tell_trades(book, objects(message.get("data"), "data"), cause, ts)
            return
        is_snapshot = bool(one_of(message.get("type"), _KINDS, "type"))
        if name == "tickers":
            order = number(message.get("cs", 0), "cs")
            at = Moment(cause, ts, millis_ns(message.get("ts"), "ts"), order)
            self._tell_best(book, is_snapshot, _object(message), at)
            return
        self.at_stake = book
        if rest.partition(".")[0] != self._depth:
            raise MalformedError(f"topic: expected orderbook.{self._depth}, as `depth` says, came {shown(topic)}")
        at = Moment(cause, ts, millis_ns(message.get("cts", message.get("ts")), "cts"), 0)
        self._tell_book(book, is_snapshot, _object(message), at)

    def _tell_book(self, book: ToldBook, is_snapshot: bool, told: dict[str, Any], at: Moment) -> None:
        if told.get("s") != book.symbol:
            raise MalformedError(f"s: expected {book.symbol}, came {shown(told.get('s'))}")
        bids, asks = (book.side(_LEVEL.texts(told.get(key), key), key) for key in "ba")
        update = number(told.get("u"), "u")
        at = at._replace(order=update)
        if is_snapshot:
            if book.is_late(self.feed, at):
                return
            if book.teller == self.feed and update == book.last:
                return  # nothing has happened for three seconds
            book.last = update
            book.replace(self.feed, bids, asks, at)
        elif not book.is_told_by(self.feed):
            book.hear(at)
        elif update == book.last + 1:
            book.hear(at)
            book.last = update
            book.change(bids, asks, at)
        elif update == book.last:
            book.admit(self.feed, FeedEventKind.DUPLICATE, update, update, at)
        elif not book.is_late(self.feed, at):
            self.break_off(book, book.last + 1, update - 1, at)

    def _tell_trades(self, book: ToldBook, trades: list[dict[str, Any]], cause: int, ts: int) -> None:
        self.write_trades(
            (
                book,
                field(trade, "p"),
                field(trade, "v"),
                one_of(trade.get("S"), _RESTING, "S"),
                Moment(cause, ts, millis_ns(trade.get("T"), "T"), number(trade.get("seq", 0), "seq")),
            )
            for trade in trades
        )

    def _tell_best(self, book: ToldBook, is_snapshot: bool, told: dict[str, Any], at: Moment) -> None:
        """A delta tells only the fields that changed; tickers of spot tell no best prices."""
        changed = {name: told[name] for name in _BEST if name in told}
        if not changed or (not is_snapshot and not book.best):
            return
        known = changed if is_snapshot else book.best | changed
        bid, bid_size, ask, ask_size = (field(known, name) for name in _BEST)
        book.quote(book.best_prices((bid, bid_size), (ask, ask_size)), at)
        book.best = known


@register("bybit")
class Bybit(VenueFeed):
    """Decodes books, trades and tickers of Bybit; `order` is the update id `u`, else the cross sequence."""

    Parameters = BybitParameters
    connection: ClassVar[type[Connection]] = BybitConnection

    @classmethod
    def example(cls, seed: int) -> Example:
        """Two instruments with gaps, repetitions, damaged messages and snapshots."""
        return bybit_example(seed)


def _object(message: dict[str, Any]) -> dict[str, Any]:
    data = message.get("data")
    if type(data) is not dict:
        raise MalformedError(f"data: expected an object, came {shown(data)}")
    return data
