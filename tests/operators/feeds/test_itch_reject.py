import re

import pytest

from operators.feeds import itch_encode as itch
from operators.feeds.itch_reject import Reason, explain, is_truncated
from tests.operators.feeds.itch_session import AAPL, MSFT, decode

TEN = 10 * 3600 * 10**9
ADD = itch.add_order(AAPL, TEN, 1, b"B", 100, "AAPL", 1_502_500)

REJECTED = [
    (b"", Reason.EMPTY, "message: expected at least a type, came 0 bytes"),
    (b"z" + ADD[1:], Reason.TYPE, "type: expected one of S R H Y L V W K J h A F E C X D U P Q B I N O, came b'z'"),
    (ADD[:35], Reason.LENGTH, "A, length: expected 36 bytes, came 35"),
    (ADD + b"\0", Reason.LENGTH, "A, length: expected 36 bytes, came 37"),
    (
        itch.order_delete(AAPL, 86_400_000_000_000, 1),
        Reason.CLOCK,
        "D, timestamp: expected less than 86400000000000 ns, came 86400000000000",
    ),
    (
        itch.order_delete(9, TEN, 1),
        Reason.UNDEFINED,
        "D, stock locate: expected one that a stock directory message defined, came 9",
    ),
    (
        itch.stock_directory(9, TEN, "AAPL"),
        Reason.REDEFINED,
        "R, stock locate: expected one stock per locate and one locate per stock, came 9 for b'AAPL    '",
    ),
    (
        itch.trading_action(AAPL, TEN, "A\nPL", b"T"),
        Reason.STOCK,
        r"H, stock: expected printable ASCII, came b'A\nPL    '",
    ),
    (itch.add_order(AAPL, TEN, 1, b"b", 1, "AAPL", 100), Reason.SIDE, "A, side: expected B or S, came b'b'"),
    (
        itch.order_cancel(AAPL, TEN, 1, 0),
        Reason.SHARES,
        "X, shares: expected more than 0 and at most 4294967295, came 0",
    ),
    (
        itch.order_executed(MSFT, TEN, 1, 15, 1),
        Reason.LOT,
        "E, shares: expected a multiple of the lot 10, came 15",
    ),
    (
        itch.order_replace(AAPL, TEN, 1, 2, 10, 0),
        Reason.PRICE,
        "U, price: expected more than 0 and at most 200000, came 0.0000",
    ),
    (
        itch.order_replace(AAPL, TEN, 1, 2, 10, 2_000_000_100),
        Reason.PRICE,
        "U, price: expected more than 0 and at most 200000, came 200000.0100",
    ),
    (
        itch.trade(AAPL, TEN, 10, "AAPL", 1_502_550, 1),
        Reason.TICK,
        "P, price: expected a multiple of the tick 0.01, came 150.2550",
    ),
    (
        itch.cross_trade(AAPL, TEN, 2**32, "AAPL", 1_502_500, 1),
        Reason.SHARES,
        "Q, shares: expected more than 0 and at most 4294967295, came 4294967296",
    ),
    (
        itch.operational_halt(AAPL, TEN, "AAPL", b"Q", b"?"),
        Reason.CODE,
        "h, action: expected one of H T, came b'?'",
    ),
    (itch.circuit_breaker(TEN, b"4"), Reason.CODE, "W, level: expected one of 1 2 3, came b'4'"),
]


@pytest.mark.parametrize(("message", "reason", "text"), REJECTED, ids=[text for _, _, text in REJECTED])
def test_a_dead_letter_says_field_expected_and_came(message: bytes, reason: Reason, text: str) -> None:
    assert decode(message)["dead_letters"] == [(5, 1_577_700_000_000_005_000, 1, text, message)]
    assert text == explain(reason, message, None) or reason in (Reason.LOT, Reason.TICK)


def test_every_reason_is_shown_above() -> None:
    assert {reason for _, reason, _ in REJECTED} == set(Reason) - {Reason.REMARK, Reason.NOTICE, Reason.RECONNECT}


def test_only_what_ends_early_is_truncated() -> None:
    truncated = [text for message, reason, text in REJECTED if is_truncated(reason, message)]
    assert [re.sub(r".*came ", "", text) for text in truncated] == ["0 bytes", "35"]
