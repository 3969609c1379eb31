"""encode(decode(message)) == message, for every field the events carry."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operators.feeds import itch_encode as itch
from schemas.market import EventKind, Side
from tests.operators.feeds.itch_reference import FORMATS
from tests.operators.feeds.itch_session import AAPL, MIDNIGHT, decode

PRICE_PER_TICK = 100

clocks = st.integers(0, 86_400 * 10**9 - 1)
orders = st.integers(0, 2**64 - 1)
shares = st.integers(1, 2**32 - 1)
prices = st.integers(1, 20_000_000).map(lambda ticks: ticks * PRICE_PER_TICK)
sides = st.sampled_from([b"B", b"S"])
aapl, locate = st.just("AAPL"), st.just(AAPL)

messages = st.one_of(
    st.builds(itch.trading_action, locate, clocks, aapl, st.sampled_from([b"T", b"H"])),
    st.builds(itch.add_order, locate, clocks, orders, sides, shares, aapl, prices),
    st.builds(itch.add_order, locate, clocks, orders, sides, shares, aapl, prices, attribution=st.just(b"GSCO")),
    st.builds(itch.order_executed, locate, clocks, orders, shares, st.just(0)),
    st.builds(itch.order_executed_with_price, locate, clocks, orders, shares, st.just(0), prices),
    st.builds(itch.order_cancel, locate, clocks, orders, shares),
    st.builds(itch.order_delete, locate, clocks, orders),
    st.builds(itch.order_replace, locate, clocks, orders, orders, shares, prices),
    st.builds(itch.trade, locate, clocks, shares, aapl, prices, st.just(0), order=orders, side=sides),
)


def encode(event: tuple, attributed: bool) -> bytes:
    _, _, ts_event, order, order_new, ticks, qty, _, kind, side, _ = event
    ts, price = ts_event - MIDNIGHT, ticks * PRICE_PER_TICK
    order, order_new, sign = order % 2**64, order_new % 2**64, b"S" if side == Side.ASK else b"B"
    match EventKind(kind):
        case EventKind.STATUS:
            return itch.trading_action(AAPL, ts, "AAPL", b"T" if qty else b"H")
        case EventKind.ADD:
            mpid = b"GSCO" if attributed else None
            return itch.add_order(AAPL, ts, order, sign, qty, "AAPL", price, attribution=mpid)
        case EventKind.EXECUTE if price:
            return itch.order_executed_with_price(AAPL, ts, order, qty, 0, price)
        case EventKind.EXECUTE:
            return itch.order_executed(AAPL, ts, order, qty, 0)
        case EventKind.CANCEL:
            return itch.order_cancel(AAPL, ts, order, qty)
        case EventKind.DELETE:
            return itch.order_delete(AAPL, ts, order)
        case EventKind.REPLACE:
            return itch.order_replace(AAPL, ts, order, order_new, qty, price)
        case EventKind.TRADE:
            return itch.trade(AAPL, ts, qty, "AAPL", price, 0, order=order, side=sign)
    raise AssertionError(f"unexpected event {event}")


@given(messages)
def test_an_event_encodes_to_the_message_it_came_from(message: bytes) -> None:
    produced = decode(message)
    assert list(produced) == ["events"]
    (event,) = produced["events"]
    assert encode(event, attributed=message[:1] == b"F") == message


@given(clocks, orders)
def test_messages_have_the_fields_of_the_specification(ts: int, order: int) -> None:
    header, clock = (7, 2), ts.to_bytes(6, "big")
    assert [struct.unpack(FORMATS[chr(m[0])], m) for m in _tracked(ts, order)] == [
        (b"S", 0, 2, clock, b"O"),
        (b"R", *header, clock, b"AAPL    ", b"Q", b"N", 100, b"N", b"C", b"Z ", b"P", b"N", b"N", b"1", b"N", 0, b"N"),
        (b"H", *header, clock, b"AAPL    ", b"P", b" ", b"LUDP"),
        (b"A", *header, clock, order, b"S", 100, b"AAPL    ", 1_502_500),
        (b"F", *header, clock, order, b"S", 100, b"AAPL    ", 1_502_500, b"GSCO"),
        (b"E", *header, clock, order, 100, 5),
        (b"C", *header, clock, order, 100, 5, b"N", 1_502_500),
        (b"X", *header, clock, order, 100),
        (b"D", *header, clock, order),
        (b"U", *header, clock, order, 6, 100, 1_502_500),
        (b"P", *header, clock, order, b"S", 100, b"AAPL    ", 1_502_500, 5),
        (b"h", *header, clock, b"AAPL    ", b"Q", b"H"),
        (b"Q", *header, clock, 100, b"AAPL    ", 1_502_500, 5, b"C"),
        (b"B", *header, clock, 5),
        (b"W", 0, 2, clock, b"2"),
    ]


def _tracked(ts: int, order: int) -> list[bytes]:
    return [
        itch.system_event(ts, b"O", tracking=2),
        itch.stock_directory(7, ts, "AAPL", tracking=2),
        itch.trading_action(7, ts, "AAPL", b"P", reason=b"LUDP", tracking=2),
        itch.add_order(7, ts, order, b"S", 100, "AAPL", 1_502_500, tracking=2),
        itch.add_order(7, ts, order, b"S", 100, "AAPL", 1_502_500, attribution=b"GSCO", tracking=2),
        itch.order_executed(7, ts, order, 100, 5, tracking=2),
        itch.order_executed_with_price(7, ts, order, 100, 5, 1_502_500, printable=b"N", tracking=2),
        itch.order_cancel(7, ts, order, 100, tracking=2),
        itch.order_delete(7, ts, order, tracking=2),
        itch.order_replace(7, ts, order, 6, 100, 1_502_500, tracking=2),
        itch.trade(7, ts, 100, "AAPL", 1_502_500, 5, order=order, side=b"S", tracking=2),
        itch.operational_halt(7, ts, "AAPL", b"Q", b"H", tracking=2),
        itch.cross_trade(7, ts, 100, "AAPL", 1_502_500, 5, cross=b"C", tracking=2),
        itch.broken_trade(7, ts, 5, tracking=2),
        itch.circuit_breaker(ts, b"2", tracking=2),
    ]


def test_what_a_field_cannot_hold_is_refused() -> None:
    with pytest.raises(struct.error):
        itch.order_cancel(1, 0, 1, 2**32)
    with pytest.raises(struct.error):
        itch.order_delete(1, 2**48, 1)
    with pytest.raises(UnicodeEncodeError):
        itch.stock_directory(1, 0, "Ä")
    with pytest.raises(struct.error):
        itch.order_delete(2**16, 0, 1)
