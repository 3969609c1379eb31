"""What a feed has told of one instrument's book, and the events it makes of it."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from operators.feeds.event_rows import EventRows
from operators.feeds.message_feed import FeedEventRow
from operators.feeds.multiples import MalformedError, Multiples, shown
from operators.feeds.price_window import PriceWindow
from schemas.instrument import Instrument
from schemas.market import LAST, EventKind, FeedEventKind, TradingStatus

_TRADE, _CLEAR, _SYNC = int(EventKind.TRADE), int(EventKind.CLEAR), int(EventKind.SYNC)
_STATUS, _VALUE = int(EventKind.STATUS), int(EventKind.VALUE)
NOBODY = -1

LATE_MAX = 100
"""Messages in a row that are older than one before them: by then it is that one that was wrong."""

LEAP_MAX_NS = 60 * 10**9
"""How much further than the desk clock a venue's time may advance from one message to the next."""


class Moment(NamedTuple):
    """When a message came, and what the venue says of when and which it is."""

    cause: int
    ts: int
    ts_event: int
    order: int


class Side(NamedTuple):
    """New totals of levels of one side: ticks, lots, and both as the venue wrote them."""

    prices: list[int]
    quantities: list[int]
    texts: tuple[list[str], list[str]]

    def without(self, gone: list[int]) -> "Side":
        """The same, and that the levels at the prices `gone` are no more."""
        return Side(self.prices + gone, self.quantities + [0] * len(gone), self.texts) if gone else self


NOTHING = Side([], [], ([], []))


class ToldBook:
    """One instrument as the feeds of an operator tell of it.

    A book is whole from a snapshot on, while the feed that brought it (`teller`) misses nothing; it is told by
    that feed alone. `last` is the venue's number of the last message, where it has such. `window` holds the
    levels themselves where the venue's rules need them.
    """

    def __init__(
        self, number: int, instrument: Instrument, rows: EventRows, feed_events: list[FeedEventRow],
        window: PriceWindow | None = None,
    ) -> None:  # fmt: skip
        self.symbol = instrument.symbol
        self.teller = NOBODY
        self.last = 0
        self.latest = 0
        """The venue's time of the newest message about the book, whether it was applied or not."""
        self._heard = self._late = 0
        self.best: list[int] = []
        """The venue's own best prices, as `quote` takes them, where it tells only what of them changes."""
        self.window = window
        self._number = number
        self._prices = Multiples("price", "tick", instrument.tick_nanos)
        self._quantities = Multiples("quantity", "lot", instrument.lot_nanos, is_total=True)
        self._rows, self._feed_events = rows, feed_events

    def side(self, texts: tuple[list[str], list[str]], name: str) -> Side:
        """Levels in ticks and lots."""
        if not texts[0]:
            return NOTHING
        try:
            prices = list(map(self._prices.__getitem__, texts[0]))
            quantities = list(map(self._quantities.__getitem__, texts[1]))
        except TypeError:
            raise MalformedError(f"{name}: expected decimal strings, came {shown(texts)}") from None
        if 0 in prices:
            raise MalformedError(f"{name}: expected prices above 0, came 0")
        return Side(prices, quantities, texts)

    def amount(self, price: Any, quantity: Any, name: str) -> tuple[int, int]:
        """A price and a quantity in ticks and lots: both above 0, or both 0, also written as nothing at all."""
        try:
            ticks, lots = (
                self._prices["0" if price == "" else price],
                self._quantities["0" if quantity == "" else quantity],
            )
        except TypeError:
            raise MalformedError(
                f"{name}: expected decimal strings, came {shown(price)} and {shown(quantity)}"
            ) from None
        if (ticks == 0) != (lots == 0):
            raise MalformedError(f"{name}: expected price and quantity above 0, came {shown(price)}, {shown(quantity)}")
        return ticks, lots

    def told_amount(self, text: Any, is_quantity: int) -> int:
        """A price in ticks, or a quantity in lots, either of which may be 0, also written as nothing at all."""
        try:
            return (self._quantities if is_quantity else self._prices)["0" if text == "" else text]
        except TypeError:
            raise MalformedError(f"best prices: expected decimal strings, came {shown(text)}") from None

    def ticks(self, price: str) -> int:
        """A price above 0, in ticks."""
        ticks = self._prices[price]
        if not ticks:
            raise MalformedError(f"price: expected one above 0, came {shown(price)}")
        return ticks

    def lots(self, quantity: str) -> int:
        """A quantity in lots."""
        return self._quantities[quantity]

    def nearest(self, value: str) -> int:
        """What the venue computes, to the nearest tick."""
        return self._prices.nearest(value)

    def best_prices(self, bid: tuple[Any, Any], ask: tuple[Any, Any]) -> tuple[int, int, int, int]:
        """The best of both sides, each told as (price, quantity), in ticks and lots."""
        return *self.amount(*bid, "best bid"), *self.amount(*ask, "best ask")

    def is_told_by(self, feed: int) -> bool:
        """Whether changes that `feed` tells are to be applied; False while the book waits for a snapshot."""
        if self.teller not in (feed, NOBODY):
            raise MalformedError(
                f"{self.symbol}: expected its book from one feed alone, came a change from another than its snapshot"
            )
        return self.teller == feed

    def is_late(self, feed: int, at: Moment) -> bool:
        """Whether a message about the book is older than one before it: it tells of the past, and is to be ignored.

        After LATE_MAX in a row, time has begun anew: the book is lost, and the next message is not late.
        """
        if not 0 < at.ts_event < self.latest:
            self.hear(at)
            return False
        self._late += 1
        if self._late < LATE_MAX:
            self.admit(feed, FeedEventKind.OUT_OF_ORDER, at.order, self.last, at)
        else:
            self.admit(feed, FeedEventKind.INCONSISTENT, at.order, self.last, at)
            self.lose(at)
            self.latest = self._late = 0
        return True

    def hear(self, at: Moment) -> None:
        """A message about the book came; a time out of this world is not taken for the newest."""
        ahead = at.ts_event - self.latest
        if ahead >= 0:
            self._late = 0
            if self.latest == 0 or ahead <= at.ts - self._heard + LEAP_MAX_NS:
                self.latest, self._heard = at.ts_event, at.ts

    def replace(self, feed: int, bids: Side, asks: Side, at: Moment) -> None:
        """A snapshot: this is the whole book."""
        self.teller = feed
        self._one(_CLEAR, at)
        self._levels(bids, asks, at)
        self._one(_SYNC, at, 0, 1, 0, LAST)

    def change(self, bids: Side, asks: Side, at: Moment) -> None:
        """New totals."""
        if bids.prices or asks.prices:
            self._levels(bids, asks, at)
            self._rows.end_message()

    def take(self, feed: int, is_snapshot: int, source: memoryview, first: int, end: int, at: Moment) -> None:
        """The whole book, or new totals, as rows `first` to `end` of `source`, bids before asks."""
        if is_snapshot:
            self.teller = feed
            self._one(_CLEAR, at)
            self._rows.copy(source, first, end)
            self._one(_SYNC, at, 0, 1, 0, LAST)
        elif end > first:
            self._rows.copy(source, first, end)
            self._rows.end_message()

    def trade(self, price: int, quantity: int, side: int, at: Moment) -> None:
        """A trade with an order that rested on `side`."""
        self._one(_TRADE, at, price, quantity, side, LAST)

    def quote(self, best: Sequence[int], at: Moment) -> None:
        """The venue's own best prices."""
        self._rows.quote(at.cause, at.ts, at.ts_event, at.order, best, self._number)

    def value(self, ticks: int, at: Moment) -> None:
        """A value that the venue computes."""
        self._one(_VALUE, at, ticks, 0, 0, LAST)

    def status(self, status: TradingStatus, at: Moment) -> None:
        """Whether it trades."""
        self._one(_STATUS, at, 0, status, 0, LAST)

    def lose(self, at: Moment) -> None:
        """The book is not whole any more."""
        if self.teller != NOBODY:
            self.teller = NOBODY
            self._one(_SYNC, at, 0, 0, 0, LAST)

    def admit(self, feed: int, kind: FeedEventKind, first: int, last: int, at: Moment) -> None:
        """A feed event."""
        self._feed_events.append((at.cause, at.ts, feed, self._number, kind, first, last))

    def snapshot(self) -> Any:
        """The state, as a value that later messages leave alone."""
        window = None if self.window is None else self.window.snapshot()
        return self.teller, self.last, (self.latest, self._heard, self._late), list(self.best), window

    def restore(self, state: Any) -> None:
        """Take up the state of a snapshot."""
        self.teller, self.last, (self.latest, self._heard, self._late), best, window = state
        self.best = list(best)
        if self.window is not None:
            self.window.restore(window)

    def _levels(self, bids: Side, asks: Side, at: Moment) -> None:
        prices, quantities = bids.prices + asks.prices, bids.quantities + asks.quantities
        self._rows.levels(at.cause, at.ts, at.ts_event, at.order, self._number, prices, quantities, len(bids.prices))

    def _one(self, kind: int, at: Moment, price: int = 0, qty: int = 0, side: int = 0, flags: int = 0) -> None:
        self._rows.one(kind, at.cause, at.ts, at.ts_event, at.order, price, qty, self._number, side, flags)
