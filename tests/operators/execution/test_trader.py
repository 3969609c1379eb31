"""Trades of a pair from signal to flat: lists of events in, lists of events out. Times are nanoseconds."""

from typing import Any

import pytest

from operators.execution.loop import Loop
from schemas.market import BookState
from schemas.trade import OrderEventKind as Kind
from schemas.trade import OrderType, Reason, Rule, TimeInForce
from tests.operators.execution.tape import GENEROUS, Rows, Tape, desk_of, new_loop, process, run

DESK = desk_of(("0.01", "1"), ("0.01", "1"))
A, B = 0, 1
BUY, SELL = 1, -1
DEEP = ([(4_999, 1_000)], [(5_001, 1_000)])


def quoted(**parameters: Any) -> tuple[Tape, dict[str, Any]]:
    """Two deep books around 50.00 at entry 1, time 0; orders take 10 ns to the venue and reports 5 ns back."""
    tape = Tape().at(0).book(A, *DEEP).book(B, *DEEP)
    venue = dict(latency=10, report=5)
    return tape, dict(limits=GENEROUS, venue=venue) | parameters


def orders(rows: Rows) -> list[tuple[Any, ...]]:
    """(cause, ts, order, trade, instrument, side, qty, price, reason)."""
    return [(r[0], r[1], r[2], r[3], r[7], r[8], r[5], r[4], Reason(r[11])) for r in rows["orders"]]


def events(rows: Rows, *order_ids: int) -> list[tuple[Any, ...]]:
    """(cause, ts, order, kind, qty, remaining), of some orders or all."""
    found = [(r[0], r[1], r[2], Kind(r[6]), r[3], r[4]) for r in rows["order_events"]]
    return [event for event in found if event[2] in order_ids or not order_ids]


def fills(rows: Rows) -> list[tuple[Any, ...]]:
    """(cause, ts, ts_venue, order, side, price, qty)."""
    return [(r[0], r[1], r[2], r[4], r[11], r[6], r[7]) for r in rows["fills"]]


def test_a_round_trip_tells_when_the_venue_acted_when_we_learned_and_which_entry_released_it() -> None:
    tape, parameters = quoted()
    tape.enter(0, notional=1_000)
    tape.at(3)
    tape.at(12).book(A, [(5_019, 9)], [(5_021, 9)])  # 2: too late for the order that arrived at 10
    tape.at(20).leave(0)
    tape.at(40)
    rows = run(DESK, parameters, tape.frames)
    assert orders(rows) == [
        (1, 0, 1, 1, A, BUY, 10, 0, Reason.ENTRY),
        (1, 0, 2, 1, B, SELL, 10, 0, Reason.ENTRY),
        (4, 20, 3, 1, A, SELL, 10, 0, Reason.EXIT),
        (4, 20, 4, 1, B, BUY, 10, 0, Reason.EXIT),
    ]
    assert events(rows) == [
        (1, 0, 1, Kind.SENT, 10, 10),
        (1, 0, 2, Kind.SENT, 10, 10),
        (4, 15, 1, Kind.ACCEPTED, 10, 10),
        (4, 15, 1, Kind.FILLED, 10, 0),
        (4, 15, 2, Kind.ACCEPTED, 10, 10),
        (4, 15, 2, Kind.FILLED, 10, 0),
        (4, 20, 3, Kind.SENT, 10, 10),
        (4, 20, 4, Kind.SENT, 10, 10),
        (5, 35, 3, Kind.ACCEPTED, 10, 10),
        (5, 35, 3, Kind.PARTIALLY_FILLED, 9, 1),
        (5, 35, 3, Kind.CANCELLED, 1, 0),
        (5, 35, 4, Kind.ACCEPTED, 10, 10),
        (5, 35, 4, Kind.FILLED, 10, 0),
    ]
    assert fills(rows) == [
        (4, 15, 10, 1, BUY, 5_001, 10),
        (4, 15, 10, 2, SELL, 4_999, 10),
        (5, 35, 30, 3, SELL, 5_019, 9),
        (5, 35, 30, 4, BUY, 5_001, 10),
    ]
    assert [row[:4] for row in rows["positions"]] == [
        (4, 15, 10, 10 * 5_001 * 10**6),
        (4, 15, -10, -10 * 4_999 * 10**6),
        (5, 35, 1, 5_001 * 10**6),
        (5, 35, 0, 0),
    ]


def test_what_could_not_be_closed_is_tried_again() -> None:
    tape, parameters = quoted(trader=dict(retry=100))
    tape.enter(0, notional=1_000)
    tape.at(20).book(A, [(4_999, 4)], [(5_001, 4)]).leave(0)
    tape.at(60).book(A, [(4_998, 50)], [(5_000, 50)])
    tape.at(134).at(135).at(200)  # the last order is done at 35
    rows = run(DESK, parameters, tape.frames)
    assert [row for row in orders(rows) if row[2] > 2] == [
        (2, 20, 3, 1, A, SELL, 10, 0, Reason.EXIT),
        (2, 20, 4, 1, B, BUY, 10, 0, Reason.EXIT),
        (5, 135, 5, 1, A, SELL, 6, 0, Reason.EXIT),
    ]
    assert fills(rows)[-1] == (6, 150, 145, 5, SELL, 4_998, 6)


def test_a_denied_exit_is_tried_again_until_the_instrument_trades() -> None:
    tape, parameters = quoted(trader=dict(retry=100))
    tape.enter(0, notional=1_000)
    tape.at(20)
    tape.at(30).book(A, *DEEP, BookState.HALTED).book(B, *DEEP, BookState.HALTED).stop(0)
    tape.at(129).at(130)
    tape.at(140).book(A, *DEEP).book(B, *DEEP)
    tape.at(240).at(260)
    rows = run(DESK, parameters, tape.frames)
    assert [(v[0], v[1], v[2], Rule(v[-1])) for v in rows["verdicts"] if v[2] > 2] == [
        (3, 30, 3, Rule.UNTRADABLE),
        (3, 30, 4, Rule.UNTRADABLE),
        (5, 130, 5, Rule.UNTRADABLE),
        (5, 130, 6, Rule.UNTRADABLE),
        (7, 230, 7, Rule.PASSED),
        (7, 230, 8, Rule.PASSED),
    ]
    assert {row[-1] for row in orders(rows)[2:]} == {Reason.STOP}
    assert events(rows, 3, 5, 7) == [
        (3, 30, 3, Kind.DENIED, 10, 0),
        (5, 130, 5, Kind.DENIED, 10, 0),
        (7, 230, 7, Kind.SENT, 10, 10),
        (8, 245, 7, Kind.ACCEPTED, 10, 10),
        (8, 245, 7, Kind.FILLED, 10, 0),
    ]


def test_one_denied_leg_does_not_keep_the_other_from_leaving() -> None:
    tape, parameters = quoted(trader=dict(retry=100))
    tape.enter(0, notional=1_000)
    tape.at(20)
    tape.at(30).book(B, *DEEP, BookState.UNSYNCED).leave(0)
    tape.at(50).book(B, *DEEP)
    tape.at(150).at(200)
    rows = run(DESK, parameters, tape.frames)
    assert [(v[1], v[2], Rule(v[-1])) for v in rows["verdicts"] if v[2] > 2] == [
        (30, 3, Rule.PASSED),
        (30, 4, Rule.UNTRADABLE),
        (145, 5, Rule.PASSED),
    ]
    assert fills(rows)[-1] == (6, 160, 155, 5, BUY, 5_001, 10)


def test_a_leg_rejected_by_a_halted_book_unwinds_the_other() -> None:
    tape, parameters = quoted()
    tape.enter(0, notional=1_000)
    tape.at(5).book(B, *DEEP, BookState.HALTED)
    tape.at(20).at(40)
    rows = run(DESK, parameters, tape.frames)
    assert events(rows) == [
        (1, 0, 1, Kind.SENT, 10, 10),
        (1, 0, 2, Kind.SENT, 10, 10),
        (3, 15, 1, Kind.ACCEPTED, 10, 10),
        (3, 15, 1, Kind.FILLED, 10, 0),
        (3, 15, 2, Kind.REJECTED, 10, 0),
        (3, 15, 3, Kind.SENT, 10, 10),
        (4, 30, 3, Kind.ACCEPTED, 10, 10),
        (4, 30, 3, Kind.FILLED, 10, 0),
    ]
    assert orders(rows)[2:] == [(3, 15, 3, 1, A, SELL, 10, 0, Reason.UNWIND)]
    assert fills(rows) == [(3, 15, 10, 1, BUY, 5_001, 10), (4, 30, 25, 3, SELL, 4_999, 10)]


def test_a_trade_that_got_nothing_leaves_the_pair_free() -> None:
    tape, parameters = quoted()
    tape.enter(0, notional=1_000)
    tape.at(5).book(A, *DEEP, BookState.HALTED).book(B, *DEEP, BookState.HALTED)
    tape.at(20).book(A, *DEEP).book(B, *DEEP).enter(0, notional=1_000)
    rows = run(DESK, parameters, tape.frames)
    assert [(row[2], row[3]) for row in orders(rows)] == [(1, 1), (2, 1), (3, 2), (4, 2)]


def test_an_exit_that_comes_while_entering_leaves_as_soon_as_the_entry_is_done() -> None:
    tape, parameters = quoted()
    tape.enter(0, notional=1_000)
    tape.at(2).leave(0)
    tape.at(14).at(15).at(40)
    rows = run(DESK, parameters, tape.frames)
    assert orders(rows)[2:] == [
        (4, 15, 3, 1, A, SELL, 10, 0, Reason.EXIT),
        (4, 15, 4, 1, B, BUY, 10, 0, Reason.EXIT),
    ]


def test_exits_of_a_flat_pair_are_forgotten() -> None:
    tape, parameters = quoted()
    tape.leave(0).stop(0).enter(0, notional=1_000)
    tape.at(20).at(40)
    rows = run(DESK, parameters, tape.frames)
    assert [row[-1] for row in orders(rows)] == [Reason.ENTRY, Reason.ENTRY]


def test_signals_that_lead_to_no_order_say_so() -> None:
    tape, parameters = quoted()
    tape.enter(0, notional=99)  # 2: less than a lot of each
    tape.at(1).enter(0, notional=1_000, hedge=0.01)  # 3: less than half a lot of x
    tape.at(2).enter(0, notional=1_000).enter(0, notional=1_000)
    tape.at(30).enter(0, notional=1_000, side=SELL)
    rows = run(DESK, parameters, tape.frames)
    assert [e for e in events(rows) if e[3] == Kind.SKIPPED] == [
        (1, 0, 0, Kind.SKIPPED, 0, 0),
        (2, 1, 0, Kind.SKIPPED, 0, 0),
        (3, 2, 0, Kind.SKIPPED, 0, 0),
        (4, 30, 0, Kind.SKIPPED, 0, 0),
    ]
    assert len(rows["orders"]) == 2


def test_an_exit_at_the_very_end_is_still_carried_out() -> None:
    tape, parameters = quoted()
    tape.enter(0, notional=1_000)
    tape.at(20)
    tape.end(30).leave(0)
    rows = run(DESK, parameters, tape.frames)
    assert fills(rows)[2:] == [(3, 45, 40, 3, SELL, 4_999, 10), (3, 45, 40, 4, BUY, 5_001, 10)]


@pytest.mark.parametrize(
    ("given", "side", "price_y", "price_x", "is_filled"),
    [
        (dict(order="market", tif="day", price="join", cross_ticks=3), BUY, 0, 0, True),
        (dict(order="limit", price="touch"), BUY, 5_001, 4_999, True),
        (dict(order="limit", price="touch"), SELL, 4_999, 5_001, True),
        (dict(order="limit", price="join"), BUY, 4_999, 5_001, False),
        (dict(order="limit", price="join", tif="day"), SELL, 5_001, 4_999, False),
        (dict(order="limit", price="touch", tif="day", cross_ticks=2), BUY, 5_003, 4_997, True),
        (dict(order="limit", price="join", cross_ticks=2), BUY, 5_001, 4_999, True),
    ],
)
def test_entries_are_priced_as_configured_and_exits_at_market(
    given: dict[str, Any], side: int, price_y: int, price_x: int, is_filled: bool
) -> None:
    tape, parameters = quoted(trader=given)
    tape.enter(0, notional=1_000, side=side)
    tape.leave(0)
    tape.end(10**6)
    rows = run(DESK, parameters, tape.frames)
    priced = [(row[4], OrderType(row[9]), TimeInForce(row[10])) for row in rows["orders"]]
    how = OrderType[given["order"].upper()], TimeInForce[given.get("tif", "ioc").upper()]
    at_market = OrderType.MARKET, TimeInForce.IOC
    how = at_market if how[0] == OrderType.MARKET else how
    assert priced[:2] == [(price_y, *how), (price_x, *how)]
    assert priced[2:] == ([(0, *at_market)] * 2 if is_filled else [])


@pytest.mark.parametrize(
    ("hedge_counts", "hedge", "notional", "lots"),
    [
        # y: 200.00 in lots of 10; x: 50.00 in lots of 4: 2,000 and 200 a lot, and 2.5 lots of x to a lot of y
        ("units", 1.0, 25_000, (10, -25)),  # 10 shares for 10 shares
        ("units", 2.0, 29_999, (9, -45)),  # 18 shares for 9; one more of y would cost 30,000
        ("units", -0.5, 24_999, (11, 14)),  # both bought: 13.75 lots are 14
        ("notional", 1.0, 40_000, (10, -100)),  # as much of x as of y
        ("notional", 0.25, 5_000, (2, -5)),
    ],
)
def test_legs_are_sized_in_lots_by_hedge_and_lot_ratio(
    hedge_counts: str, hedge: float, notional: int, lots: tuple[int, int]
) -> None:
    desk = desk_of(("0.01", "10"), ("0.01", "4"))
    tape = Tape().at(0).book(A, [(19_999, 9)], [(20_001, 9)]).book(B, [(4_999, 9)], [(5_001, 9)])
    tape.enter(0, notional=notional, hedge=hedge)
    rows = run(desk, dict(limits=GENEROUS, trader=dict(hedge=hedge_counts)), tape.frames)
    assert tuple(row[8] * row[5] for row in rows["orders"]) == lots


@pytest.mark.parametrize("hedge", [float("nan"), float("inf"), 1e300, 0.0])
def test_a_senseless_hedge_is_skipped(hedge: float) -> None:
    tape, parameters = quoted()
    tape.enter(0, notional=10_000, hedge=hedge)
    assert events(run(DESK, parameters, tape.frames)) == [(1, 0, 0, Kind.SKIPPED, 0, 0)]


def test_a_pair_in_mid_trade_goes_on_from_a_snapshot() -> None:
    tape, parameters = quoted()
    tape.enter(0, notional=1_000)
    tape.at(12)
    loop = new_loop(DESK, parameters)
    process(loop, tape.frames)
    later: Loop = new_loop(DESK, parameters)
    later.restore(loop.snapshot())
    rest = Tape(20).at(20).leave(0)
    rest.at(40)
    assert [row[3] for row in events(process(later, rest.frames))][:4] == [Kind.ACCEPTED, Kind.FILLED] * 2
