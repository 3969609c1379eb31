"""What the limits promise, read off the rows and the state, whatever happens."""

from collections import defaultdict
from typing import Any

import pytest
from hypothesis import given, settings

from operators.execution.loop import Loop
from schemas.trade import OrderEventKind, Reason, Rule
from tests.operators.execution.scenarios import Scenario, long_scenario, scenarios
from tests.operators.execution.tape import GENEROUS, Rows, Tape, cut, desk_of, new_loop, process, run

QUANTA = 10**8
EXPOSURE_RULES = {Rule.POSITION, Rule.NOTIONAL, Rule.GROSS, Rule.NET, Rule.DAILY_LOSS}
ORDER_ID, TRADE_ID, QTY, PAIR, INSTRUMENT, SIDE, REASON = 2, 3, 5, 6, 7, 8, 11
"""Columns of ORDERS; `order_id` is where it is in VERDICTS too."""


def entry_by_entry(scenario: Scenario) -> tuple[Rows, Loop]:
    """Rows of the whole input, with the books of the limits checked after every entry."""
    loop = new_loop(scenario.desk, scenario.parameters)
    rows: Rows = defaultdict(list)
    for piece in cut(scenario.frames, range(1, scenario.last)):
        new = process(loop, piece)
        for name, stream in new.items():
            rows[name] += stream
        assert_committed_adds_up(loop)
        assert_entries_fit(loop, new)
    return rows, loop


def assert_committed_adds_up(loop: Loop) -> None:
    """Committed is every trade's legs and the entries under way, valued at mid."""
    state = loop.snapshot()
    live = state["orders"][(state["orders"]["id"] > 0) & (state["orders"]["reason"] == Reason.ENTRY)]
    lots = [0] * len(state["instruments"])
    for pair in state["pairs"]:
        lots[pair["y"]] += abs(int(pair["qty_y"]))
        lots[pair["x"]] += abs(int(pair["qty_x"]))
    for order in live:
        lots[order["instrument"]] += int(order["open"])
    assert state["instruments"]["committed"].tolist() == lots
    desk = state["desk"][0]
    assert desk["committed"] == sum(
        qty * int(held["mid2"] * held["half_tick_value"]) for qty, held in zip(lots, state["instruments"], strict=True)
    )
    assert desk["working_net"] == sum(int(o["side"] * o["open"] * o["lot_value"]) for o in live)


def assert_entries_fit(loop: Loop, new: Rows) -> None:
    """Right after an entry was let through, what is committed is within the limits."""
    passed = {row[ORDER_ID] for row in new.get("verdicts", []) if row[-1] == Rule.PASSED}
    entries = [o for o in new.get("orders", []) if o[ORDER_ID] in passed and o[REASON] == Reason.ENTRY]
    if not entries:
        return
    state, limits = loop.snapshot(), loop.parameters.limits
    desk = state["desk"][0]
    assert desk["committed"] <= limits.gross
    assert abs(desk["net"] + desk["working_net"]) <= limits.net
    for order in entries:
        held = state["instruments"][order[INSTRUMENT]]
        lot_value = int(held["mid2"] * held["half_tick_value"])
        assert held["committed"] * lot_value <= limits.position
        assert order[QTY] * lot_value <= limits.order
        assert held["state"] == 0


def assert_verdicts(rows: Rows) -> None:
    """One verdict per order, in the same order; a denial shows what was too much; leaving is never too big."""
    orders, verdicts = rows.get("orders", []), rows.get("verdicts", [])
    assert [o[ORDER_ID] for o in orders] == [v[ORDER_ID] for v in verdicts] == list(range(1, len(orders) + 1))
    for order, (_, _, _, observed, limit, instrument, passed, rule) in zip(orders, verdicts, strict=True):
        assert passed == (rule == Rule.PASSED)
        assert instrument == order[INSTRUMENT]
        if rule in EXPOSURE_RULES:
            assert order[REASON] == Reason.ENTRY
        if rule == Rule.DAILY_LOSS:
            assert observed >= limit
        elif rule in EXPOSURE_RULES | {Rule.COLLAR, Rule.RATE, Rule.UNTRADABLE}:
            assert observed > limit
        else:
            assert observed <= limit


def assert_both_legs_or_none(rows: Rows) -> None:
    rules = {v[ORDER_ID]: v[-1] for v in rows.get("verdicts", [])}
    entries = [o[ORDER_ID] for o in rows.get("orders", []) if o[REASON] == Reason.ENTRY]
    for y, x in zip(entries[::2], entries[1::2], strict=True):
        assert (rules[y] == Rule.PASSED) == (rules[x] == Rule.PASSED)
        assert {rules[y], rules[x]} != {Rule.OTHER_LEG}


def assert_rate(rows: Rows, rate: int, window_ns: int) -> None:
    sent = [row[1] for row in rows.get("order_events", []) if row[-1] == OrderEventKind.SENT]
    assert all(later - earlier >= window_ns for earlier, later in zip(sent, sent[rate:], strict=False))


def assert_one_trade_per_pair(rows: Rows) -> None:
    """When a pair enters, its trade before has no order open and no lots left."""
    orders = {row[ORDER_ID]: row for row in rows.get("orders", [])}
    trade: dict[int, int] = {}
    open_orders: dict[int, set[int]] = defaultdict(set)
    lots: dict[tuple[int, int], int] = defaultdict(int)
    for _, _, order_id, qty, remaining, instrument, kind in rows.get("order_events", []):
        if kind in {OrderEventKind.DENIED, OrderEventKind.SKIPPED}:
            continue
        pair, trade_id = orders[order_id][PAIR], orders[order_id][TRADE_ID]
        if trade.setdefault(pair, trade_id) != trade_id:
            assert not open_orders[pair]
            assert all(held == 0 for (owner, _), held in lots.items() if owner == pair)
            trade[pair] = trade_id
        if kind in {OrderEventKind.PARTIALLY_FILLED, OrderEventKind.FILLED}:
            lots[pair, instrument] += orders[order_id][SIDE] * qty
        (open_orders[pair].add if remaining else open_orders[pair].discard)(order_id)


def assert_promises(scenario: Scenario) -> None:
    rows, loop = entry_by_entry(scenario)
    limits = loop.parameters.limits
    assert_verdicts(rows)
    assert_both_legs_or_none(rows)
    assert_rate(rows, limits.rate, limits.rate_window)
    assert_one_trade_per_pair(rows)


@settings(max_examples=120)
@given(scenarios())
def test_the_promises_hold_in_any_scenario(scenario: Scenario) -> None:
    assert_promises(scenario)


@pytest.mark.parametrize("seed", range(12))
def test_the_promises_hold_in_long_scenarios(seed: int) -> None:
    assert_promises(long_scenario(seed))


# Two shares at 49.99 / 50.01: a lot is worth 50. Entering 1,000 with hedge 1 buys 10 lots of y and sells 10 of x.

DESK = desk_of(("0.01", "1"), ("0.01", "1"))
DAY_NS = 86_400 * 10**9


def quoted(states: tuple[int, int] = (0, 0)) -> Tape:
    tape = Tape().at(0)
    for instrument, state in enumerate(states):
        tape.book(instrument, [(4_999, 1_000)], [(5_001, 1_000)], state)
    return tape


def judged(tape: Tape, **limits: Any) -> list[tuple[int, float, float]]:
    """(rule, observed, limit) of every order."""
    parameters = dict(limits=GENEROUS | limits, venue=dict(latency=0, report=0))
    return [(v[-1], v[3], v[4]) for v in run(DESK, parameters, tape.frames)["verdicts"]]


OTHER = (Rule.OTHER_LEG, 0.0, 0.0)


@pytest.mark.parametrize(
    ("limit", "hedge", "verdicts"),
    [
        (dict(order="500"), 1.0, [(Rule.PASSED, 500.0, 500.0)] * 2),
        (dict(order="499.99999999"), 1.0, [(Rule.NOTIONAL, 500.0, 499.99999999)] * 2),
        (dict(position="499.99999999"), 1.0, [(Rule.POSITION, 500.0, 499.99999999)] * 2),
        (dict(gross="999.99999999"), 1.0, [OTHER, (Rule.GROSS, 1000.0, 999.99999999)]),
        (dict(net="349.99999999"), 0.5, [OTHER, (Rule.NET, 350.0, 349.99999999)]),
        (dict(collar_bps=1.99), 1.0, [(Rule.COLLAR, 2.0, 1.99)] * 2),
        (dict(position=500, gross=1000, net="1e-8", collar_bps=2), 1.0, [(Rule.PASSED, 500.0, 10.0**9)] * 2),
    ],
)
def test_a_limit_allows_what_equals_it_and_denies_the_next_quantum(
    limit: dict[str, Any], hedge: float, verdicts: list[tuple[int, float, float]]
) -> None:
    tape = quoted().enter(0, notional=1_000, hedge=hedge)
    assert judged(tape, **limit) == verdicts


def test_a_net_limit_allows_what_equals_it() -> None:
    assert [v[0] for v in judged(quoted().enter(0, 1_000, hedge=0.5), net=350)] == [Rule.PASSED] * 2


def test_a_sum_that_floating_point_of_the_currency_would_overstate_is_allowed() -> None:
    """Three lots of 0.1 are 0.30000000000000004 in floating point, and exactly 0.3 in quanta."""
    desk = desk_of(("0.01", "1"), ("0.01", "1"))
    tape = Tape().at(0)
    for instrument in range(2):
        tape.book(instrument, [(9, 100)], [(11, 100)])
    frames = tape.signal(0, action=1, notional=1).frames
    frames["signals"]["notional"] = 60_000_000
    parameters = dict(limits=GENEROUS | dict(order="0.3", position="0.3", gross="0.6"))
    assert [v[-1] for v in run(desk, parameters, frames)["verdicts"]] == [Rule.PASSED] * 2


@pytest.mark.parametrize("state", [1, 2, 4, 8, 3])
def test_an_untradable_leg_denies_both(state: int) -> None:
    tape = quoted().at(1).book(1, [(4_999, 9)], [(5_001, 9)], state).enter(0, 1_000)
    assert judged(tape) == [OTHER, (Rule.UNTRADABLE, float(state), 0.0)]


def test_an_instrument_never_quoted_is_untradable_and_has_no_size() -> None:
    tape = Tape().at(0).book(0, [(4_999, 9)], [(5_001, 9)]).enter(0, 1_000)
    rows = run(DESK, dict(limits=GENEROUS), tape.frames)
    assert rows == {"order_events": [(1, 0, 0, 0, 0, 0, OrderEventKind.SKIPPED)]}


def test_the_rate_counts_a_sliding_window_and_holds_back_exits_too() -> None:
    tape = quoted().enter(0, 1_000)
    tape.at(1).at(9).leave(0)
    tape.at(10).at(11)
    passed = (Rule.PASSED, 500.0, 10.0**9)
    left = (Rule.PASSED, 0.0, 0.0)
    parameters = dict(
        limits=GENEROUS | dict(rate=2, rate_window=10), venue=dict(latency=0, report=0), trader=dict(retry=1)
    )
    rows = run(DESK, parameters, tape.frames)
    verdicts = [(v[1], v[-1], v[3], v[4]) for v in rows["verdicts"]]
    denied = (9, Rule.RATE, 3.0, 2.0)
    assert verdicts == [(0, *passed), (0, *passed), denied, denied, (10, *left), (10, *left)]


def test_a_rate_that_lets_one_leg_through_lets_none_through() -> None:
    tape = quoted().enter(0, 1_000)
    tape.at(1).at(5).leave(0)
    tape.at(6).at(7).enter(0, 1_000)
    assert [v[0] for v in judged(tape, rate=5, rate_window=100)][-2:] == [Rule.OTHER_LEG, Rule.RATE]


@pytest.mark.parametrize(("most", "rule"), [("0.4", Rule.DAILY_LOSS), ("0.40000001", Rule.PASSED)])
def test_a_loss_that_reaches_the_limit_stops_entries_until_the_day_is_over(most: str, rule: Rule) -> None:
    """A round trip across a spread of two ticks loses 0.20 in each leg."""
    tape = quoted().enter(0, 1_000)
    tape.at(1).at(2).leave(0)
    tape.at(3).at(4).enter(0, 1_000)
    tape.at(5).leave(0)
    tape.at(6).at(DAY_NS).enter(0, 1_000)
    verdicts = run(DESK, dict(limits=GENEROUS | dict(daily_loss=most), venue=dict(latency=0, report=0)), tape.frames)
    rules = {ts: [v[-1] for v in verdicts["verdicts"] if v[1] == ts] for ts in (4, DAY_NS)}
    assert rules == {4: [rule] * 2, DAY_NS: [Rule.PASSED] * 2}


def test_opposite_trades_in_one_instrument_do_not_offset_each_other() -> None:
    """B is sold for A/B and bought for B/C: flat in B, and twice committed to it."""
    desk = desk_of(("0.01", "1"), ("0.01", "1"), ("0.01", "1"), pairs=((0, 1), (1, 2)))
    tape = Tape().at(0)
    for instrument in range(3):
        tape.book(instrument, [(4_999, 1_000)], [(5_001, 1_000)])
    tape.enter(0, 1_000)
    tape.at(1).at(2).enter(1, 1_000)
    parameters = dict(limits=GENEROUS | dict(position=999), venue=dict(latency=0, report=0))
    rows = run(desk, parameters, tape.frames)
    assert [(v[-1], v[3]) for v in rows["verdicts"][2:]] == [(Rule.POSITION, 1_000.0), (Rule.OTHER_LEG, 0.0)]


def test_nothing_is_committed_when_everything_is_closed() -> None:
    tape = quoted().enter(0, 1_000)
    tape.at(1).book(0, [(5_099, 1_000)], [(5_101, 1_000)])
    tape.at(2).leave(0)
    tape.at(3).at(4)
    loop = new_loop(DESK, dict(limits=GENEROUS, venue=dict(latency=0, report=0)))
    held, closed = cut(tape.frames, [2])
    process(loop, held)
    desk = loop.snapshot()["desk"][0]
    assert (desk["committed"], desk["working_net"]) == (10 * 51 * QUANTA + 10 * 50 * QUANTA, 0)
    process(loop, closed)
    state = loop.snapshot()
    assert (state["desk"][0]["committed"], state["desk"][0]["working_net"]) == (0, 0)
    assert not state["instruments"]["committed"].any()
    assert not state["instruments"]["qty"].any()
