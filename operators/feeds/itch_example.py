"""A made-up ITCH session for the contract suite: valid, foreign, repeated and damaged messages in one input log."""

from collections.abc import Sequence
from decimal import Decimal

import numpy as np

from operators.feeds import itch_encode as itch
from operators.framing.mold_output import Lost, Recovered, Repeated
from operators.framing.notice import encode_notice
from operators.framing.refused import Refused
from operators.operator import Desk, Example, Feed
from schemas.instrument import Instrument
from schemas.market import RAW, RawFrame, RawKind

_STOCKS = ("AAPL", "BRK.A", "OTHER")
"""The desk has the first two."""

_START_NS = 9 * 3600 * 10**9


def itch_example(seed: int) -> Example:
    """3,000 messages; one in twenty has a byte changed or is cut, and the log's other entries stand between them."""
    rng = np.random.default_rng(seed)
    instruments = tuple(
        Instrument(id=f"{symbol}.Q", venue="XNAS", symbol=symbol, tick=tick, lot=Decimal(1), currency="USD")
        for symbol, tick in zip(_STOCKS[:2], (Decimal("0.01"), Decimal("0.0001")), strict=True)
    )
    desk = Desk(id="example", instruments=instruments, feeds=(Feed("other"), Feed("nasdaq", ("AAPL.Q", "BRK.A.Q"))))
    messages = [itch.system_event(_START_NS, b"O")]
    messages += [itch.stock_directory(i + 1, _START_NS, stock) for i, stock in enumerate(_STOCKS)]
    messages += [_order_message(rng, _START_NS + i * 1000) for i in range(3000)]
    raw = raw_frame([_damaged(rng, m) if rng.random() < 0.05 else m for m in messages], feed=1)
    elsewhere = rng.random(len(raw.rows))
    raw.rows["feed"][elsewhere < 0.05] = 0
    raw.rows["kind"][elsewhere > 0.95] = RawKind.TICK
    return Example(desk, {"feed": "nasdaq", "date": "2019-12-30"}, {"raw": raw})


def raw_frame(messages: Sequence[bytes], feed: int, first: int = 1) -> RawFrame:
    """`messages` of one feed as entries `first`, `first + 1`, … of an input log, one microsecond apart."""
    rows = np.zeros(len(messages), RAW.dtype)
    rows["cause"] = np.arange(first, first + len(messages))
    rows["ts"] = 1_577_700_000_000_000_000 + rows["cause"] * 1000
    rows["feed"] = feed
    rows["size"] = [len(m) for m in messages]
    rows["start"] = np.cumsum(rows["size"]) - rows["size"]
    return RawFrame(rows, np.frombuffer(b"".join(messages), np.uint8))


def _order_message(rng: np.random.Generator, ts: int) -> bytes:
    """Any type, of any of the three stocks or of a locate that nothing defines, in a book that makes no sense."""
    number = int(rng.integers(1, 4)) if rng.random() < 0.98 else 9
    stock = _STOCKS[min(number, 3) - 1]
    order, new, match = (int(n) for n in rng.integers(1, 1 << 63, 3))
    shares, price = int(rng.integers(1, 1000)), int(rng.integers(1, 10_000)) * 100
    side = b"BS"[int(rng.integers(2)) :][:1]
    messages = (
        itch.add_order(number, ts, order, side, shares, stock, price),
        itch.add_order(number, ts, order, side, shares, stock, price, attribution=b"GSCO"),
        itch.order_executed(number, ts, order, shares, match),
        itch.order_executed_with_price(number, ts, order, shares, match, price),
        itch.order_cancel(number, ts, order, shares),
        itch.order_delete(number, ts, order),
        itch.order_replace(number, ts, order, new, shares, price),
        itch.trade(number, ts, shares, stock, price + int(rng.integers(2)) * 50, match),
        itch.trading_action(number, ts, stock, b"THPQ"[int(rng.integers(4)) :][:1]),
        itch.stock_directory(number, ts, stock),
        itch.operational_halt(
            number, ts, stock, b"QQX"[int(rng.integers(3)) :][:1], b"HTT"[int(rng.integers(3)) :][:1]
        ),
        itch.cross_trade(number, ts, shares * int(rng.integers(2)), stock, price, match),
        itch.broken_trade(number, ts, match),
        itch.circuit_breaker(ts, b"123"[int(rng.integers(3)) :][:1]),
        encode_notice(Lost(order, order + shares)),
        encode_notice(Recovered(order, order + shares)),
        encode_notice(Repeated(shares)),
        encode_notice(Refused("packet: expected something else", b"?")),
    )
    return messages[int(rng.integers(len(messages)))]


def _damaged(rng: np.random.Generator, message: bytes) -> bytes:
    at = int(rng.integers(len(message)))
    if rng.random() < 0.5:
        return message[:at]
    return message[:at] + bytes([int(rng.integers(256))]) + message[at + 1 :]
