"""ITCH 5.0 messages as bytes: what a test or an example feeds the decoder with.

Every function returns one message without framing. `locate` is the stock locate, `ts` the nanoseconds since
midnight, prices have four implied decimals, quantities are shares. Raises struct.error or UnicodeEncodeError for
what a field cannot hold; anything else is encoded as asked, sensible or not.
"""

from operators.feeds.itch_message import packed


def _stock(symbol: str) -> bytes:
    return symbol.encode("ascii").ljust(8)


def system_event(ts: int, event: bytes, *, tracking: int = 0) -> bytes:
    """S: O start of messages, S of system hours, Q of market hours; M, E, C their ends."""
    return packed("S", 0, tracking, ts, event)


def stock_directory(locate: int, ts: int, stock: str, *, round_lot: int = 100, tracking: int = 0) -> bytes:
    """R: `locate` stands for `stock` today; listed as an ordinary common stock of the Global Select Market."""
    # market category, financial status, round lot, round lots only, classification, sub-type, authenticity,
    # short sale threshold, IPO, LULD tier, ETP, ETP leverage, inverse
    listing = (b"Q", b"N", round_lot, b"N", b"C", b"Z ", b"P", b"N", b"N", b"1", b"N", 0, b"N")
    return packed("R", locate, tracking, ts, _stock(stock), *listing)


def trading_action(
    locate: int, ts: int, stock: str, state: bytes, *, reason: bytes = b"    ", tracking: int = 0
) -> bytes:
    """H: H halted, P paused, Q quotation only, T trading."""
    return packed("H", locate, tracking, ts, _stock(stock), state, b" ", reason)


def add_order(
    locate: int,
    ts: int,
    order: int,
    side: bytes,
    shares: int,
    stock: str,
    price: int,
    *,
    attribution: bytes | None = None,
    tracking: int = 0,
) -> bytes:
    """A, or F where the order is attributed to a market participant."""
    fields = (order, side, shares, _stock(stock), price)
    if attribution is None:
        return packed("A", locate, tracking, ts, *fields)
    return packed("F", locate, tracking, ts, *fields, attribution)


def order_executed(locate: int, ts: int, order: int, shares: int, match: int, *, tracking: int = 0) -> bytes:
    """E: at the order's own price."""
    return packed("E", locate, tracking, ts, order, shares, match)


def order_executed_with_price(
    locate: int,
    ts: int,
    order: int,
    shares: int,
    match: int,
    price: int,
    *,
    printable: bytes = b"Y",
    tracking: int = 0,
) -> bytes:
    """C: at another price; `printable` N keeps it out of volume statistics."""
    return packed("C", locate, tracking, ts, order, shares, match, printable, price)


def order_cancel(locate: int, ts: int, order: int, shares: int, *, tracking: int = 0) -> bytes:
    """X: `shares` leave the order."""
    return packed("X", locate, tracking, ts, order, shares)


def order_delete(locate: int, ts: int, order: int, *, tracking: int = 0) -> bytes:
    """D: the order leaves."""
    return packed("D", locate, tracking, ts, order)


def order_replace(
    locate: int, ts: int, order: int, order_new: int, shares: int, price: int, *, tracking: int = 0
) -> bytes:
    """U: `order` leaves, `order_new` joins the same side."""
    return packed("U", locate, tracking, ts, order, order_new, shares, price)


def trade(
    locate: int,
    ts: int,
    shares: int,
    stock: str,
    price: int,
    match: int,
    *,
    order: int = 0,
    side: bytes = b"B",
    tracking: int = 0,
) -> bytes:
    """P: against a non-displayed order. The venue fills `order` with 0 and `side` with B since 2010 and 2014."""
    return packed("P", locate, tracking, ts, order, side, shares, _stock(stock), price, match)


def operational_halt(locate: int, ts: int, stock: str, market: bytes, action: bytes, *, tracking: int = 0) -> bytes:
    """h: on market Q (NASDAQ), B (BX) or X (PSX), H halted or T resumed."""
    return packed("h", locate, tracking, ts, _stock(stock), market, action)


def cross_trade(
    locate: int,
    ts: int,
    shares: int,
    stock: str,
    price: int,
    match: int,
    *,
    cross: bytes = b"O",
    tracking: int = 0,
) -> bytes:
    """Q: all that an auction traded; O opening, C closing, H of a halted or new stock."""
    return packed("Q", locate, tracking, ts, shares, _stock(stock), price, match, cross)


def broken_trade(locate: int, ts: int, match: int, *, tracking: int = 0) -> bytes:
    """B: the execution of that number did not happen after all."""
    return packed("B", locate, tracking, ts, match)


def circuit_breaker(ts: int, level: bytes, *, tracking: int = 0) -> bytes:
    """W: the market fell through level 1, 2 or 3."""
    return packed("W", 0, tracking, ts, level)
