"""An order book written for clarity alone: dictionaries, one event at a time."""

from collections import defaultdict
from dataclasses import dataclass, field

from schemas.market import LAST, BookState, EventKind, FeedEventKind
from schemas.record import Frame

Row = tuple[int, ...]

NONE = -1
"""No order reference."""


@dataclass
class OneBook:
    """What is known of one instrument."""

    feed: int
    orders: dict[int, list[int]] = field(default_factory=dict)  # reference -> [side, price, qty]
    levels: tuple[dict[int, int], dict[int, int]] = field(default_factory=lambda: ({}, {}))
    synced: bool = False
    ever_synced: bool = False
    gap: bool = False  # lost by SYNC 0, which an empty book does not heal
    halted: bool = False
    silent: bool = False
    quote: Row | None = None  # bid, ask, bid_qty, ask_qty, state


class BookOracle:
    """Rows as tuples in column order, per port."""

    def __init__(self, feeds: list[int]) -> None:
        self.books = [OneBook(feed) for feed in feeds]
        self.rows: dict[str, list[Row]] = defaultdict(list)

    def process(self, events: Frame) -> None:
        for event in events:
            e = {name: int(event[name]) for name in events.dtype.names}
            book = self.books[e["instrument"]]
            if self.contradicts(book, e):
                last = e["order_new"] if e["kind"] == EventKind.REPLACE else e["qty"]
                self.admit(e, FeedEventKind.INCONSISTENT, e["order"], last)
                book.synced = False
            else:
                self.apply(book, e)
            if e["flags"] & LAST:
                self.quote(book, e)

    @staticmethod
    def contradicts(book: OneBook, e: dict[str, int]) -> bool:
        qty, side, orders = e["qty"], e["side"], book.orders
        known = e["order"] in orders
        match e["kind"]:
            case EventKind.ADD:
                by_level = not orders and any(book.levels)
                return not 0 < qty <= 2**52 or side not in (0, 1) or known or by_level
            case EventKind.EXECUTE | EventKind.CANCEL:
                return not known or not 0 < qty <= orders[e["order"]][2]
            case EventKind.DELETE:
                return not known
            case EventKind.REPLACE:
                return not known or not 0 < qty <= 2**52 or (e["order_new"] in orders and e["order_new"] != e["order"])
            case EventKind.LEVEL:
                return not 0 <= qty <= 2**52 or side not in (0, 1) or bool(orders)
        return e["kind"] not in EventKind._value2member_map_

    def apply(self, book: OneBook, e: dict[str, int]) -> None:
        match e["kind"]:
            case EventKind.ADD:
                self.change_order(book, e, added=e["order"])
            case EventKind.EXECUTE | EventKind.CANCEL | EventKind.DELETE:
                self.change_order(book, e, removed=e["order"])
            case EventKind.REPLACE:
                self.change_order(book, e, removed=e["order"], added=e["order_new"])
            case EventKind.LEVEL:
                self.change_level(book, e, e["side"], e["price"], e["qty"])
            case EventKind.CLEAR:
                book.orders, book.levels = {}, ({}, {})
                self.rows["levels"].append((e["cause"], e["ts"], 0, -1, e["instrument"], 0))
                self.admit(e, FeedEventKind.RESET)
                if book.ever_synced and not book.synced and not book.gap:
                    self.sync(book, e)
            case EventKind.SYNC if e["qty"] == 1:
                self.sync(book, e)
            case EventKind.SYNC:
                book.synced, book.gap = False, True
            case EventKind.SILENCE:
                book.silent = e["qty"] != 0
            case EventKind.STATUS:
                if book.halted != (e["qty"] != 1):
                    book.halted = not book.halted
                    self.admit(e, FeedEventKind.HALT if book.halted else FeedEventKind.RESUME)

    def sync(self, book: OneBook, e: dict[str, int]) -> None:
        if book.ever_synced and not book.synced:
            self.admit(e, FeedEventKind.RESYNC)
        book.synced, book.ever_synced, book.gap = True, True, False

    def change_order(self, book: OneBook, e: dict[str, int], removed: int = NONE, added: int = NONE) -> None:
        touched: list[tuple[int, int]] = []
        side = e["side"]
        if removed != NONE:
            side, price, open_qty = book.orders[removed]
            touched.append((side, price))
            leaves = e["kind"] in (EventKind.DELETE, EventKind.REPLACE)
            book.orders[removed][2] -= open_qty if leaves else e["qty"]
            if book.orders[removed][2] == 0:
                del book.orders[removed]
        if added != NONE:
            book.orders[added] = [side, e["price"], e["qty"]]
            if (side, e["price"]) not in touched:
                touched.append((side, e["price"]))
        for at in touched:
            total = sum(order[2] for order in book.orders.values() if (order[0], order[1]) == at)
            self.change_level(book, e, *at, total)

    def change_level(self, book: OneBook, e: dict[str, int], side: int, price: int, total: int) -> None:
        if book.levels[side].get(price, 0) == total:
            return
        if total:
            book.levels[side][price] = total
        else:
            del book.levels[side][price]
        self.rows["levels"].append((e["cause"], e["ts"], price, total, e["instrument"], side))

    def quote(self, book: OneBook, e: dict[str, int]) -> None:
        bids, asks = book.levels
        bid, ask = max(bids, default=0), min(asks, default=0)
        state = BookState.OK if book.synced else BookState.UNSYNCED
        state |= BookState.HALTED if book.halted else 0
        state |= BookState.STALE if book.silent else 0
        state |= BookState.EMPTY if not bids or not asks else BookState.CROSSED if bid >= ask else 0
        was_crossed = book.quote is not None and bool(book.quote[4] & BookState.CROSSED)
        if was_crossed != bool(state & BookState.CROSSED):
            self.admit(e, FeedEventKind.UNCROSSED if was_crossed else FeedEventKind.CROSSED)
        quote = (bid, ask, bids.get(bid, 0), asks.get(ask, 0), int(state))
        if quote != book.quote:
            book.quote = quote
            self.rows["quotes"].append((e["cause"], e["ts"], e["ts_event"], *quote[:4], e["instrument"], quote[4]))

    def admit(self, e: dict[str, int], kind: FeedEventKind, first: int = 0, last: int = 0) -> None:
        feed = self.books[e["instrument"]].feed
        self.rows["feed_events"].append((e["cause"], e["ts"], feed, e["instrument"], int(kind), first, last))
