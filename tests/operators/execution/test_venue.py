"""The simulated venue, seen through the loop: lists of events in, lists of events out. Times are nanoseconds."""

from typing import Any

import pytest

from schemas.market import BookState
from schemas.trade import Liquidity
from schemas.trade import OrderEventKind as Kind
from tests.operators.execution.tape import GENEROUS, Rows, Tape, desk_of, run

DESK = desk_of(("0.01", "1"), ("0.01", "1"))
A, B = 0, 1
DEEP = ([(4_999, 1_000)], [(5_001, 1_000)])
CLOSED = [BookState.UNSYNCED, BookState.HALTED, BookState.CROSSED, BookState.STALE]
JOIN = dict(order="limit", price="join", tif="day", patience=100, retry=10**6)


def quoted(trader: dict[str, Any] | None = None, **venue: Any) -> tuple[Tape, dict[str, Any]]:
    """Two deep books around 50.00 at entry 1, time 0; orders take 10 ns to the venue and reports 5 ns back."""
    tape = Tape().at(0).book(A, *DEEP).book(B, *DEEP)
    return tape, dict(limits=GENEROUS, trader=trader or {}, venue=dict(latency=10, report=5) | venue)


def events(rows: Rows, order: int) -> list[tuple[Any, ...]]:
    """(cause, ts, kind, qty, remaining) of one order."""
    return [(r[0], r[1], Kind(r[6]), r[3], r[4]) for r in rows["order_events"] if r[2] == order]


def fills(rows: Rows, order: int) -> list[tuple[Any, ...]]:
    """(cause, ts, ts_venue, price, qty, liquidity) of one order."""
    return [(r[0], r[1], r[2], r[6], r[7], Liquidity(r[-1])) for r in rows["fills"] if r[4] == order]


def test_an_order_walks_the_levels_it_finds_when_it_arrives_and_the_rest_is_cancelled() -> None:
    tape, parameters = quoted()
    tape.enter(0, notional=1_000)
    tape.at(4).book(A, [(4_999, 9)], [(5_001, 2), (5_002, 3), (5_004, 4)])
    tape.at(20)
    rows = run(DESK, parameters, tape.frames)
    assert events(rows, 1) == [
        (1, 0, Kind.SENT, 10, 10),
        (3, 15, Kind.ACCEPTED, 10, 10),
        (3, 15, Kind.PARTIALLY_FILLED, 2, 8),
        (3, 15, Kind.PARTIALLY_FILLED, 3, 5),
        (3, 15, Kind.PARTIALLY_FILLED, 4, 1),
        (3, 15, Kind.CANCELLED, 1, 0),
    ]
    assert fills(rows, 1) == [
        (3, 15, 10, 5_001, 2, Liquidity.TAKER),
        (3, 15, 10, 5_002, 3, Liquidity.TAKER),
        (3, 15, 10, 5_004, 4, Liquidity.TAKER),
    ]


def test_a_limit_order_walks_no_further_than_its_price() -> None:
    tape, parameters = quoted(dict(order="limit", price="touch", cross_ticks=1))
    tape.enter(0, notional=1_000)
    tape.at(4).book(A, [(4_999, 9)], [(5_001, 2), (5_002, 3), (5_003, 4)])
    tape.at(20)
    rows = run(DESK, parameters, tape.frames)
    assert [fill[3:5] for fill in fills(rows, 1)] == [(5_001, 2), (5_002, 3)]
    assert events(rows, 1)[-1] == (3, 15, Kind.CANCELLED, 5, 0)


def test_what_was_taken_is_gone_until_the_feed_says_otherwise() -> None:
    tape, parameters = quoted()
    tape.book(A, [(4_999, 900)], [(5_001, 10), (5_002, 7)]).enter(0, notional=1_000)
    tape.at(20).leave(0)
    tape.at(40).enter(0, notional=1_000)  # takes at 50, when only the second level is left
    tape.at(60).level(A, 1, 5_001, 10)
    tape.leave(0)
    tape.at(80).enter(0, notional=1_000)
    tape.at(100)
    rows = run(DESK, parameters, tape.frames)
    assert [[fill[3:5] for fill in fills(rows, n)] for n in (1, 5, 9)] == [[(5_001, 10)], [(5_002, 7)], [(5_001, 10)]]


def test_a_day_order_rests_and_is_cancelled_when_patience_ends() -> None:
    tape, parameters = quoted(JOIN)
    tape.enter(0, notional=1_000)
    tape.at(20).at(109).at(114).at(115)
    rows = run(DESK, parameters, tape.frames)
    assert events(rows, 1) == [
        (1, 0, Kind.SENT, 10, 10),
        (2, 15, Kind.ACCEPTED, 10, 10),
        (5, 115, Kind.CANCELLED, 10, 0),
    ]
    assert "fills" not in rows


def test_a_resting_order_fills_at_its_own_price_as_a_maker_once_the_other_side_reaches_it() -> None:
    tape, parameters = quoted(JOIN)
    tape.enter(0, notional=1_000)
    tape.at(20).book(A, [(4_990, 9)], [(5_000, 9)])
    tape.at(30).book(A, [(4_990, 9)], [(4_998, 2), (4_999, 3), (5_000, 9)])
    tape.at(40).level(A, 1, 4_997, 50)
    tape.at(200)
    rows = run(DESK, parameters, tape.frames)
    assert fills(rows, 1) == [
        (4, 35, 30, 4_999, 2, Liquidity.MAKER),
        (4, 35, 30, 4_999, 3, Liquidity.MAKER),
        (5, 45, 40, 4_999, 5, Liquidity.MAKER),
    ]
    assert events(rows, 1)[-1] == (5, 45, Kind.FILLED, 5, 0)


@pytest.mark.parametrize(("reached_at", "end"), [(109, (114, Kind.FILLED)), (110, (115, Kind.CANCELLED))])
def test_a_cancel_is_too_late_for_what_filled_before_it_arrived(reached_at: int, end: tuple[int, Kind]) -> None:
    """Both cancels arrive at 110; what arrives at the time of an entry comes before the entry's own data."""
    tape, parameters = quoted(JOIN)
    tape.enter(0, notional=1_000)
    tape.at(reached_at).book(A, [(4_990, 9)], [(4_999, 50)]).book(B, [(5_001, 50)], [(5_010, 9)])
    tape.at(300)
    rows = run(DESK, parameters, tape.frames)
    assert [events(rows, order)[-1][1:3] for order in (1, 2)] == [end] * 2


@pytest.mark.parametrize("state", CLOSED)
def test_a_closed_book_fills_nothing_that_rests_until_it_opens(state: BookState) -> None:
    tape, parameters = quoted(JOIN)
    tape.enter(0, notional=1_000)
    tape.at(20).book(A, [(4_990, 9)], [(4_999, 4)], state)
    tape.at(30).level(A, 1, 4_998, 2)
    tape.at(40).quote(A, (4_990, 9), (4_998, 2))
    tape.at(60)
    rows = run(DESK, parameters, tape.frames)
    assert fills(rows, 1) == [(5, 45, 40, 4_999, 2, Liquidity.MAKER), (5, 45, 40, 4_999, 4, Liquidity.MAKER)]


@pytest.mark.parametrize("state", CLOSED)
def test_a_closed_book_rejects_what_arrives(state: BookState) -> None:
    tape, parameters = quoted()
    tape.enter(0, notional=1_000)
    tape.at(5).quote(A, (4_999, 1_000), (5_001, 1_000), state)
    tape.at(20)
    rows = run(DESK, parameters, tape.frames)
    assert events(rows, 1) == [(1, 0, Kind.SENT, 10, 10), (3, 15, Kind.REJECTED, 10, 0)]
    assert {fill[4] for fill in rows["fills"]} == {2}


def test_of_two_resting_orders_the_better_price_goes_first_and_then_the_older() -> None:
    """A/B, A/C and A/D all buy A: at 4,999, at 4,999 again and at 5,000."""
    desk = desk_of(*[("0.01", "1")] * 4, pairs=((0, 1), (0, 2), (0, 3)))
    tape = Tape().at(0)
    for instrument in range(4):
        tape.book(instrument, *DEEP)
    tape.enter(0, notional=1_000)
    tape.at(1).enter(1, notional=1_000)
    tape.at(2).book(A, [(5_000, 9)], [(5_002, 9)]).enter(2, notional=1_000)
    tape.at(40).book(A, [(4_990, 9)], [(4_995, 25)])
    tape.at(60)
    rows = run(desk, dict(limits=GENEROUS, trader=JOIN, venue=dict(latency=10, report=5)), tape.frames)
    bought = [(row[4], row[6], row[7]) for row in rows["fills"]]
    assert bought == [(5, 5_000, 9), (1, 4_999, 10), (3, 4_999, 6)]


def test_with_quotes_alone_the_touch_is_the_whole_book() -> None:
    tape = Tape().at(0).quote(A, (4_999, 7), (5_001, 7)).quote(B, (4_999, 20), (5_001, 20)).enter(0, notional=1_000)
    tape.at(20).at(30).quote(A, (4_999, 6), (5_001, 6)).leave(0)
    tape.at(60)
    rows = run(DESK, dict(limits=GENEROUS, levels=False, venue=dict(latency=10, report=5)), tape.frames)
    assert fills(rows, 1) == [(2, 15, 10, 5_001, 7, Liquidity.TAKER)]
    assert fills(rows, 3) == [(4, 45, 40, 4_999, 6, Liquidity.TAKER)]


@pytest.mark.parametrize(
    ("given", "fee"),
    [
        (dict(taker_bps="1"), 10 * 50_01 * 10**6 // 10_000),
        (dict(taker_bps="0", per_lot="0.005"), 10 * 500_000),
        (dict(taker_bps="-0.5", per_lot="0.001"), -2_500_500 + 10 * 100_000),
        (dict(maker_bps="30"), 0),
    ],
)
def test_a_taker_pays_on_value_and_per_lot(given: dict[str, Any], fee: int) -> None:
    tape, parameters = quoted(None, **given)
    tape.enter(0, notional=1_000)
    tape.at(20)
    rows = run(DESK, parameters, tape.frames)
    assert rows["fills"][0][6:9] == (5_001, 10, fee)
    assert rows["positions"][0][5] == fee


def test_a_maker_gets_its_rebate_rounded_half_away_from_zero() -> None:
    desk = desk_of(("0.00000002", "1"), ("0.00000002", "1"))  # a tick of a lot is 2 quanta
    tape = Tape().at(0).book(A, [(25, 9)], [(27, 9)]).book(B, [(25, 9)], [(27, 9)]).enter(0, notional=0)
    tape.at(20).book(A, [(20, 9)], [(25, 1)])
    frames = tape.at(40).frames
    frames["signals"]["notional"] = 110
    parameters = dict(limits=GENEROUS, trader=JOIN, venue=dict(latency=10, report=5, maker_bps="-100"))
    fill = run(desk, parameters, frames)["fills"][0]
    assert fill[6:9] == (25, 1, -1)  # 50 quanta of value, half a quantum of rebate


def test_jitter_adds_to_the_latency_of_each_order_and_comes_from_the_seed_of_the_desk() -> None:
    def delays(seed: int) -> list[int]:
        desk = desk_of(("0.01", "1"), ("0.01", "1"), seed=seed)
        tape = Tape().at(0).book(A, *DEEP).book(B, *DEEP)
        for k in range(40):
            tape.at(1_000 * k).enter(0, notional=1_000)
            tape.at(1_000 * k + 500).leave(0)
        tape.end(10**6)
        parameters = dict(limits=GENEROUS | dict(rate_window=1), venue=dict(latency=10, jitter=5, report=0))
        rows = run(desk, parameters, tape.frames)
        sent = {row[2]: row[1] for row in rows["order_events"] if row[-1] == Kind.SENT}
        return [row[2] - sent[row[4]] for row in sorted(rows["fills"], key=lambda fill: fill[4])]

    first = delays(seed=1)
    assert len(first) == 160
    assert set(first) == set(range(10, 16))
    assert delays(seed=1) == first != delays(seed=2)
