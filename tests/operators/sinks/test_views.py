"""The views, against trades worked out by hand."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from operators.sinks.address import Address
from operators.sinks.columns import Columns
from operators.sinks.connection import client
from operators.sinks.target import Target
from schemas.trade import FILLS, POSITIONS
from tests.operators.sinks.samples import DESK

S = 10**9
BUY, SELL, A, B, F = 1, -1, 0, 1, 2


def fill(n, ts_s, trade, instrument, side, qty, price, fee, pair):
    return (n, ts_s * S, ts_s * S, n, n, trade, price, qty, fee, pair, instrument, side, 1)


ROWS = FILLS.rows(
    [
        # trade 1, A-B: buys 10 A at 100.00 in two fills, sells 20 lots (0.020) of B at 5000.0; closed 60 s later
        fill(1, 100, 1, A, BUY, 4, 10_000, 100, 0),
        fill(2, 100, 1, B, SELL, 20, 10_000, 300, 0),
        fill(3, 101, 1, A, BUY, 6, 10_010, 100, 0),
        fill(4, 160, 1, A, SELL, 10, 10_050, 100, 0),
        fill(5, 160, 1, B, BUY, 20, 10_100, 300, 0),
        # trade 2, A-F: still open in F
        fill(6, 200, 2, A, SELL, 50, 10_000, 0, 1),
        fill(7, 200, 2, F, BUY, 1, 20_000, -50, 1),
        fill(8, 230, 2, A, BUY, 50, 9_990, 0, 1),
        # trade 3, A-F: closed after 10 s, gains 50 * (0.25 * 4) on the future
        fill(9, 300, 3, F, SELL, 1, 20_000, 10, 1),
        fill(10, 310, 3, F, BUY, 1, 19_996, 10, 1),
    ]
)


@pytest.fixture(scope="module")
def dsn(clickhouse):
    dsn = clickhouse.new_database("views")
    target = Target(dsn)
    target.prepare([FILLS, POSITIONS])
    target.register_run("r", {"eu": DESK}, "d", "", version="0")
    target.insert("fills", Columns(FILLS, "r", DESK).table(1, ROWS), "a")
    target.insert("fills", Columns(FILLS, "r", DESK).table(1, ROWS), "b")  # as a crash in the middle may leave it
    return dsn


@pytest.fixture
def ask(dsn):
    return lambda sql: client(Address.parse(dsn)).query(sql).result_rows


def test_trades(ask):
    rows = ask("SELECT trade_id, pair, entered, closed, fills, gross, fee, pnl FROM trades ORDER BY trade_id")
    at = lambda s: datetime.fromtimestamp(s, UTC).replace(tzinfo=None)  # noqa: E731
    gross = 10 * Decimal("100.50") - 4 * Decimal(100) - 6 * Decimal("100.10") - Decimal("0.020") * 50
    fee = Decimal("900").scaleb(-8)
    assert rows == [
        (1, "A-B", at(100), at(160), 5, gross, fee, gross - fee),
        (2, "A-F", at(200), None, 3, None, Decimal("-50").scaleb(-8), None),
        (3, "A-F", at(300), at(310), 2, Decimal(50), Decimal("20").scaleb(-8), Decimal("49.99999980")),
    ]


def test_legs_of_a_trade(ask):
    ((legs,),) = ask("SELECT legs FROM trades WHERE trade_id = 1")
    assert [leg[:3] for leg in legs] == [("A", "buy", Decimal(10)), ("B", "sell", Decimal("0.02"))]
    assert [leg[3] for leg in legs] == pytest.approx([100.06, 5000.0])
    assert [leg[4] for leg in legs] == pytest.approx([100.5, 5050.0])


def test_pnl_by_pair(ask):
    assert ask(
        "SELECT pair, trades, open_trades, wins, gross, fees, pnl, mean_holding_s FROM pnl_by_pair ORDER BY pair"
    ) == [
        ("A-B", 1, 0, 1, Decimal("3.40"), Decimal("0.000009"), Decimal("3.399991"), 60.0),
        ("A-F", 2, 1, 1, Decimal(50), Decimal("0.0000002"), Decimal("49.9999998"), 10.0),
    ]


def test_latest_positions(dsn, ask):
    rows = POSITIONS.rows([(1, S, 5, 500, 0, 1, A), (2, 2 * S, -3, -9, 7, 2, B), (3, 3 * S, 0, 0, 11, 3, A)])
    Target(dsn).insert("positions", Columns(POSITIONS, "r", DESK).table(1, rows), "p")
    assert ask(
        "SELECT instrument, toUnixTimestamp(ts), qty, realised, fees FROM latest_positions ORDER BY instrument"
    ) == [
        ("A", 3, Decimal(0), Decimal("0.00000011"), Decimal("0.00000003")),
        ("B", 2, Decimal("-0.003"), Decimal("0.00000007"), Decimal("0.00000002")),
    ]
