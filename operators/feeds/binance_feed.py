"""One Binance feed: the messages of one instrument into events. docs/binance.md tells the protocol as decoded here."""

from collections.abc import Sequence
from operator import itemgetter
from typing import Any

from operators.feeds.binance_chain import HELD_MAX, UNSYNCED, Chain, Update, Verdict
from operators.feeds.event_rows import EventRows
from operators.feeds.fields import LevelForm, millis_ns, number, parsed
from operators.feeds.message_feed import FeedEventRow
from operators.feeds.multiples import MalformedError, Multiples, shown
from operators.feeds.scanned_feed import Scanner
from schemas.instrument import Instrument
from schemas.market import LAST, EventKind, FeedEventKind

_TRADE, _CLEAR, _SYNC = int(EventKind.TRADE), int(EventKind.CLEAR), int(EventKind.SYNC)
_LEVEL = LevelForm("[price, quantity]", list, frozenset((2,)), itemgetter(0), itemgetter(1))


class BinanceFeed:
    """Decodes the feed with index `feed` of the desk, which speaks of `instrument` alone."""

    def __init__(
        self, feed: int, index: int, instrument: Instrument, market: str, rows: EventRows,
        feed_events: list[FeedEventRow],
    ) -> None:  # fmt: skip
        self._feed, self._instrument, self._symbol = feed, index, instrument.symbol
        self._prices = Multiples("price", "tick", instrument.tick_nanos)
        self._totals = Multiples("quantity", "lot", instrument.lot_nanos, is_total=True)
        self._quantities = Multiples("quantity", "lot", instrument.lot_nanos)
        self._rows, self._feed_events = rows, feed_events
        self._is_futures, self._is_coin_margined = market != "spot", market == "coinm"
        self.chain = Chain(self._is_futures)
        self.is_used = False

    def take(self, step: Sequence[int], scanner: Scanner) -> bool:
        """Write the events of a depth update, if it is the next one and the book is whole."""
        _, _, _, _, _, _, first, _, end, _, final, previous, _, _, _, _, _, _, _, begin = step
        if not self._is_futures:
            previous = begin - 1
        if not previous < begin <= final or not self.chain.follows(previous, final):
            return False
        self.is_used = True
        if end > first:
            self._rows.copy(scanner.rows, first, end)
            self._rows.end_message()
        return True

    def decode(self, payload: memoryview, cause: int, ts: int) -> None:
        """Write the events and feed events of one message. Raises MalformedError, having written nothing but SYNC 0."""
        self.is_used = True
        message = parsed(payload)
        if type(message) is not dict:
            raise MalformedError(f"message: expected an object, came {shown(message)}")
        data = message.get("data", message)
        if type(data) is not dict:
            raise MalformedError(f"data: expected an object, came {shown(data)}")
        kind = data.get("e")
        if kind == "bookTicker" or (kind is None and "B" in data and "A" in data):
            self._quote(data, cause, ts)
        elif kind == "depthUpdate":
            self._update(data, cause, ts)
        elif kind == "trade":
            self._trade(data, cause, ts)
        elif kind is None and "lastUpdateId" in data:
            self._snapshot(data, data is message, cause, ts)
        elif not _is_reply(message):
            raise MalformedError(
                f"event type: expected depthUpdate, bookTicker, trade or a snapshot, came {shown(kind)}"
            )

    def connect(self, cause: int, ts: int) -> None:
        """The connection was opened. Updates are numbered across connections: what was missed shows in them."""
        if self.is_used:
            self._feed_events.append((cause, ts, self._feed, -1, FeedEventKind.RECONNECT, 0, 0))
        self.is_used = True

    def disconnect(self, cause: int, ts: int) -> None:
        """The connection was lost: what the book has become is not known."""
        self._lose(cause, ts)

    def snapshot(self) -> Any:
        """Where the chain of updates stands, and whether there was a connection."""
        chain = self.chain
        return chain.last, chain.is_joining, chain.stale, list(chain.held), chain.seen, chain.missing, self.is_used

    def restore(self, state: Any) -> None:
        """Take up the chain of a snapshot."""
        last, is_joining, stale, held, seen, missing, self.is_used = state
        self.chain = Chain(self._is_futures, last, is_joining, stale, list(held), seen, missing)

    def _quote(self, data: dict[str, Any], cause: int, ts: int) -> None:
        self._check_symbol(data)
        try:
            order = data["u"]
            prices, totals = self._prices, self._totals
            top = prices[data["b"]], totals[data["B"]], prices[data["a"]], totals[data["A"]]
        except KeyError as e:
            raise MalformedError(f"field {e}: expected in a bookTicker, came none") from None
        except TypeError:
            raise MalformedError("bookTicker: expected decimal strings as prices and quantities, came others") from None
        if 0 in top and ((top[0] == 0) != (top[1] == 0) or (top[2] == 0) != (top[3] == 0)):
            raise MalformedError("bookTicker: expected price and quantity both 0 or neither, came one of each")
        self._rows.quote(cause, ts, _time(data, 0), number(order, "u"), top, self._instrument)

    def _trade(self, data: dict[str, Any], cause: int, ts: int) -> None:
        self._check_symbol(data)
        try:
            price, qty = self._prices[data["p"]], self._quantities[data["q"]]
            order, buyer_is_maker = number(data["t"], "t"), data["m"]
        except KeyError as e:
            raise MalformedError(f"field {e}: expected in a trade, came none") from None
        except TypeError:
            raise MalformedError("trade: expected decimal strings for price and quantity, came a structure") from None
        if price == 0 or qty == 0:
            raise MalformedError("trade: expected price and quantity above 0, came 0")
        if type(buyer_is_maker) is not bool:
            raise MalformedError(f"m: expected true or false, came {shown(buyer_is_maker)}")
        side = 0 if buyer_is_maker else 1
        self._rows.one(_TRADE, cause, ts, _time(data), order, price, qty, self._instrument, side, LAST)

    def _update(self, data: dict[str, Any], cause: int, ts: int) -> None:
        self._check_symbol(data)
        try:
            update = self._parse_update(data)
        except MalformedError:
            self._lose(cause, ts)
            raise
        verdict, admission = self.chain.offer(update)
        if admission is not None:
            self._feed_events.append((cause, ts, self._feed, self._instrument, *admission))
        if verdict is Verdict.APPLY:
            if update.prices:
                self._write(update, cause, ts)
                self._rows.end_message()
        elif verdict is Verdict.LOSE:
            self._sync(0, cause, ts, update.ts_event, update.final)
        elif verdict is Verdict.OVERFLOW:
            raise MalformedError(
                f"depthUpdate: expected a snapshot within {HELD_MAX} updates, came none; holding from anew"
            )

    def _snapshot(self, data: dict[str, Any], is_bare: bool, cause: int, ts: int) -> None:
        if not is_bare:
            raise MalformedError("lastUpdateId: expected in a bare REST snapshot, came in a partial depth stream")
        if self._is_coin_margined:
            self._check_symbol(data, "symbol")
        last_id, ts_event = number(data["lastUpdateId"], "lastUpdateId"), _time(data, 0)
        snapshot = Update(0, last_id, ts_event, *self._levels(data, "bids", "asks"))
        updates, admission = self.chain.snapshot(last_id)
        if admission is not None:
            self._feed_events.append((cause, ts, self._feed, self._instrument, *admission))
        if updates is None:
            return
        self._rows.one(_CLEAR, cause, ts, ts_event, last_id, 0, 0, self._instrument, 0, 0)
        for update in (snapshot, *updates):
            self._write(update, cause, ts)
        self._sync(1, cause, ts, updates[-1].ts_event if updates else ts_event, self.chain.last)

    def _parse_update(self, data: dict[str, Any]) -> Update:
        first, final = number(data.get("U"), "U"), number(data.get("u"), "u")
        previous = number(data.get("pu"), "pu") if self._is_futures else first - 1
        if not previous < first <= final:
            raise MalformedError(f"update ids: expected pu < U <= u, came {previous}, {first}, {final}")
        return Update(previous, final, _time(data), *self._levels(data, "b", "a"))

    def _levels(self, data: dict[str, Any], bid_key: str, ask_key: str) -> tuple[list[int], list[int], int]:
        """(prices, quantities, how many of them are bids)."""
        prices: list[int] = []
        quantities: list[int] = []
        bids = 0
        for key in (bid_key, ask_key):
            levels = data.get(key)
            texts = _LEVEL.texts(levels, key)
            bids = len(prices)
            try:
                prices += map(self._prices.__getitem__, texts[0])
                quantities += map(self._totals.__getitem__, texts[1])
            except TypeError:
                raise MalformedError(f"{key}: expected levels of decimal strings, came {shown(levels)}") from None
        if 0 in prices:
            raise MalformedError("price: expected above 0 in a level, came 0")
        return prices, quantities, bids

    def _lose(self, cause: int, ts: int) -> None:
        """The book lacks something."""
        was_whole = self.chain.last != UNSYNCED
        self.chain.lose()
        if was_whole:
            self._sync(0, cause, ts, 0, 0)

    def _check_symbol(self, data: dict[str, Any], name: str = "s") -> None:
        if data.get(name) != self._symbol:
            raise MalformedError(f"{name}: expected symbol {self._symbol}, came {shown(data.get(name))}")

    def _write(self, update: Update, cause: int, ts: int) -> None:
        _, order, ts_event, prices, quantities, bids = update
        self._rows.levels(cause, ts, ts_event, order, self._instrument, prices, quantities, bids)

    def _sync(self, is_whole: int, cause: int, ts: int, ts_event: int, order: int) -> None:
        self._rows.one(_SYNC, cause, ts, ts_event, order, 0, is_whole, self._instrument, 0, LAST)


def _time(data: dict[str, Any], default: int | None = None) -> int:
    """When the venue says it happened, ns: its transaction time `T`, else the event time `E`, which are in ms."""
    value = data.get("T")
    if value is None:
        value = data.get("E", default)
    return millis_ns(value, "time in T or E")


def _is_reply(message: dict[str, Any]) -> bool:
    """Whether it answers a request to subscribe: `{"result": null, "id": 1}`, or a list of subscriptions."""
    return "id" in message and "result" in message and (message["result"] is None or type(message["result"]) is list)
