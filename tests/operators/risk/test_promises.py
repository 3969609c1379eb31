"""What the limits promise, read off the rows and the state, whatever happens."""

from collections import defaultdict

import pytest
from hypothesis import given, settings

from operators.execution.loop import Loop
from schemas.trade import OrderEventKind, Reason, Rule
from tests.operators.execution.scenarios import Scenario, long_scenario, scenarios
from tests.operators.execution.tape import Rows, cut, new_loop, process

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


@settings(max_examples=80)
@given(scenarios())
def test_the_promises_hold_in_any_scenario(scenario: Scenario) -> None:
    assert_promises(scenario)


@pytest.mark.parametrize("seed", range(12))
def test_the_promises_hold_in_long_scenarios(seed: int) -> None:
    assert_promises(long_scenario(seed))
