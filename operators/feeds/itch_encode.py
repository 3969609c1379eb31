"""ITCH 5.0 messages as bytes: what a test or an example feeds the decoder with.

Every function returns one message without framing. `locate` is the stock locate, `ts` the nanoseconds since
midnight, prices have four implied decimals, quantities are shares. Raises struct.error, OverflowError or
UnicodeEncodeError for what a field cannot hold; anything else is encoded as asked, sensible or not.
"""

import struct


def _message(code: bytes, locate: int, ts: int, tracking: int, layout: str = "", *fields: object) -> bytes:
    header = struct.pack(">cHH", code, locate, tracking) + ts.to_bytes(6, "big")
    return header + struct.pack(">" + layout, *fields)


def _stock(symbol: str) -> bytes:
    return symbol.encode("ascii").ljust(8)


def system_event(ts: int, event: bytes, *, tracking: int = 0) -> bytes:
    """S: O start of messages, S of system hours, Q of market hours; M, E, C their ends."""
    return _message(b"S", 0, ts, tracking, "c", event)


def stock_directory(locate: int, ts: int, stock: str, *, round_lot: int = 100, tracking: int = 0) -> bytes:
    """R: `locate` stands for `stock` today; listed as an ordinary common stock of the Global Select Market."""
    # market category, financial status, round lot, round lots only, classification, sub-type, authenticity,
    # short sale threshold, IPO, LULD tier, ETP, ETP leverage, inverse
    listing = (b"Q", b"N", round_lot, b"N", b"C", b"Z ", b"P", b"N", b"N", b"1", b"N", 0, b"N")
    return _message(b"R", locate, ts, tracking, "8sccIcc2scccccIc", _stock(stock), *listing)


def trading_action(
    locate: int, ts: int, stock: str, state: bytes, *, reason: bytes = b"    ", tracking: int = 0
) -> bytes:
    """H: H halted, P paused, Q quotation only, T trading."""
    return _message(b"H", locate, ts, tracking, "8scc4s", _stock(stock), state, b" ", reason)


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
        return _message(b"A", locate, ts, tracking, "QcI8sI", *fields)
    return _message(b"F", locate, ts, tracking, "QcI8sI4s", *fields, attribution)


def order_executed(locate: int, ts: int, order: int, shares: int, match: int, *, tracking: int = 0) -> bytes:
    """E: at the order's own price."""
    return _message(b"E", locate, ts, tracking, "QIQ", order, shares, match)


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
    return _message(b"C", locate, ts, tracking, "QIQcI", order, shares, match, printable, price)


def order_cancel(locate: int, ts: int, order: int, shares: int, *, tracking: int = 0) -> bytes:
    """X: `shares` leave the order."""
    return _message(b"X", locate, ts, tracking, "QI", order, shares)


def order_delete(locate: int, ts: int, order: int, *, tracking: int = 0) -> bytes:
    """D: the order leaves."""
    return _message(b"D", locate, ts, tracking, "Q", order)


def order_replace(
    locate: int, ts: int, order: int, order_new: int, shares: int, price: int, *, tracking: int = 0
) -> bytes:
    """U: `order` leaves, `order_new` joins the same side."""
    return _message(b"U", locate, ts, tracking, "QQII", order, order_new, shares, price)


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
    return _message(b"P", locate, ts, tracking, "QcI8sIQ", order, side, shares, _stock(stock), price, match)
