"""The compiled loop against the plain one, and the rules of determinism."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import typeof

from operators.book.ladder import new_levels
from operators.execution import loop as loop_module
from operators.execution.loop import Loop, _add_slots
from operators.execution.rows import MOST_ROWS_PER_STEP, scratch
from operators.execution.run import Stopped
from operators.execution.state import ORDER, PENDING
from operators.kernel import State
from operators.operator import Desk, Frames, copy_state
from schemas.record import Frame
from schemas.trade import Liquidity, OrderEventKind, Reason, Rule
from tests.operators.execution.scenarios import Scenario, long_scenario, scenarios
from tests.operators.execution.tape import (
    GENEROUS,
    Rows,
    Tape,
    cut,
    desk_of,
    expect,
    joined,
    new_loop,
    process,
    run,
    until,
)

SEEDS = range(40)
DONE = {OrderEventKind.FILLED, OrderEventKind.CANCELLED, OrderEventKind.REJECTED}


class Cramped(Loop):
    """A loop whose tables start far too small, each in front of memory that nothing may touch."""

    def __init__(self, parameters: Any, desk: Desk) -> None:
        super().__init__(parameters, desk)
        self.stops: list[Stopped] = []
        self.guards: list[Frame] = []
        self._state.replace("pending", np.zeros(1, PENDING))
        self._state.replace("orders", np.zeros(0, ORDER))
        self._state["desk"]["free_order"], self._state["desk"]["free_orders"] = -1, 0
        _add_slots(self._state, 1)
        if parameters.levels:
            self._state.replace("levels", new_levels(1))
        self._out = scratch(MOST_ROWS_PER_STEP)
        self._guard(self._out, *(name for name in self._out.snapshot() if name != "counts"))
        self._guard(self._state, "pending", "orders", "levels")

    def _guard(self, state: State, *names: str) -> None:
        for name in names:
            table = state[name]
            room = np.zeros(len(table) + 4_096, table.dtype)
            room[: len(table)] = table
            state.replace(name, room[: len(table)])
            self.guards.append(room[len(table) :])

    def make_room(self, stopped: int) -> dict[str, Frame]:
        self.stops.append(Stopped(stopped))
        written = super().make_room(stopped)
        if stopped != Stopped.ROWS:
            self._guard(self._state, Stopped(stopped).name.lower())
        return written

    def process(self, frames: Frames) -> Frames:
        rows = super().process(frames)
        assert not any(guard.tobytes().strip(b"\0") for guard in self.guards)
        return rows


def whole(scenario: Scenario) -> Rows:
    return run(scenario.desk, scenario.parameters, scenario.frames)


def in_cuts(loop: Loop, scenario: Scenario, after: list[int]) -> Rows:
    return joined([process(loop, piece) for piece in cut(scenario.frames, after)])


@settings(max_examples=200)
@given(scenarios())
def test_any_scenario_gives_the_rows_of_the_reference(scenario: Scenario) -> None:
    assert whole(scenario) == expect(scenario.desk, scenario.parameters, scenario.frames)


@pytest.mark.parametrize("seed", SEEDS)
def test_long_scenarios_give_the_rows_of_the_reference(seed: int) -> None:
    scenario = long_scenario(seed)
    assert whole(scenario) == expect(scenario.desk, scenario.parameters, scenario.frames)


def test_long_scenarios_reach_every_rule_reason_event_and_liquidity() -> None:
    rows = joined([whole(long_scenario(seed)) for seed in SEEDS])
    assert {row[-1] for row in rows["verdicts"]} == set(Rule)
    assert {row[-1] for row in rows["orders"]} == set(Reason)
    assert {row[-1] for row in rows["order_events"]} == set(OrderEventKind)
    assert {row[-1] for row in rows["fills"]} == set(Liquidity)


@settings(max_examples=60)
@given(scenarios(), st.data())
def test_cuts_do_not_matter(scenario: Scenario, data: st.DataObject) -> None:
    after = data.draw(st.lists(st.integers(1, scenario.last), unique=True))
    rows = whole(scenario)
    for cuts in (list(range(1, scenario.last)), list(range(7, scenario.last, 7)), after):
        assert in_cuts(new_loop(scenario.desk, scenario.parameters), scenario, cuts) == rows


@settings(max_examples=60)
@given(scenarios(), st.data())
def test_a_snapshot_continues_in_another_loop(scenario: Scenario, data: st.DataObject) -> None:
    after = data.draw(st.integers(0, scenario.last - 1))
    first, second = (new_loop(scenario.desk, scenario.parameters) for _ in range(2))
    head, tail = cut(scenario.frames, [after])[:1] if after else [], cut(scenario.frames, [after])[-1:]
    parts = [process(first, piece) for piece in head]
    state = first.snapshot()
    saved = copy_state(state)
    rest = [process(first, piece) for piece in tail]
    for name, table in saved.items():
        np.testing.assert_array_equal(state[name], table)
    second.restore(saved)
    assert [process(second, piece) for piece in tail] == rest
    assert joined([*parts, *rest]) == whole(scenario)


@settings(max_examples=60)
@given(scenarios(), scenarios(), st.data())
def test_the_future_does_not_change_the_past(scenario: Scenario, other: Scenario, data: st.DataObject) -> None:
    n = data.draw(st.integers(1, scenario.last))
    past = until(whole(scenario), n)
    head = cut(scenario.frames, [n])[0]
    assert until(run(scenario.desk, scenario.parameters, head), n) == past
    spliced = splice(head, other, n)
    assert until(run(scenario.desk, scenario.parameters, spliced), n) == past


def splice(head: dict[str, Any], other: Scenario, n: int) -> dict[str, Any]:
    """`head`, which ends with entry `n`, followed by another scenario's whole input."""
    tail = {name: rows.copy() for name, rows in other.frames.items()}
    shift = int(head["raw"]["ts"][-1]) - int(tail["raw"]["ts"][0])
    for rows in tail.values():
        rows["cause"] += n
        rows["ts"] += shift
    return {name: np.concatenate([head[name], rows]) if name in head else rows for name, rows in tail.items()}


@settings(max_examples=60)
@given(scenarios())
def test_at_the_end_no_order_stays_open(scenario: Scenario) -> None:
    loop = new_loop(scenario.desk, scenario.parameters)
    events = process(loop, scenario.frames).get("order_events", [])
    sent = {row[2] for row in events if row[-1] == OrderEventKind.SENT}
    last = {row[2]: row for row in events if row[2] in sent}
    assert all(row[-1] in DONE and row[4] == 0 for row in last.values())
    state = loop.snapshot()
    assert state["desk"]["pending"][0] == state["desk"]["resting"][0] == 0
    assert state["desk"]["free_orders"][0] == len(state["orders"])
    assert not state["pairs"]["live"].any()


@settings(max_examples=60)
@given(scenarios())
def test_times_and_causes_never_go_back(scenario: Scenario) -> None:
    for rows in whole(scenario).values():
        stamps = [row[:2] for row in rows]
        assert stamps == sorted(stamps)
        assert [row[1] for row in rows] == sorted(row[1] for row in rows)


@settings(max_examples=60)
@given(scenarios(), st.data())
def test_tables_that_start_too_small_grow_unnoticed(scenario: Scenario, data: st.DataObject) -> None:
    loop = new_loop(scenario.desk, scenario.parameters, Cramped)
    parts = []
    for piece in cut(scenario.frames, data.draw(st.lists(st.integers(1, scenario.last), unique=True))):
        parts.append(process(loop, piece))
        state = copy_state(loop.snapshot())
        loop = new_loop(scenario.desk, scenario.parameters, Cramped)
        loop.restore(state)
    assert joined(parts) == whole(scenario)


def test_every_table_grows_in_the_middle_of_a_frame() -> None:
    stops: set[Stopped] = set()
    for seed in range(8):
        scenario = long_scenario(seed)
        loop = new_loop(scenario.desk, {**scenario.parameters, "levels": True}, Cramped)
        assert isinstance(loop, Cramped)
        assert process(loop, scenario.frames) == run(
            scenario.desk, {**scenario.parameters, "levels": True}, scenario.frames
        )
        stops |= set(loop.stops)
    assert stops == set(Stopped) - {Stopped.DONE}


def test_an_entry_that_fills_thousands_of_levels_grows_the_queue_first() -> None:
    """The number of reports that one entry causes is known only when its levels are applied."""
    levels = 3_000
    desk = desk_of(("0.01", "1"), ("0.01", "1"))
    tape = Tape().at(0).book(0, [(5_000, 9)], [(5_010, 9)]).book(1, [(5_000, 9)], [(5_010, 9)])
    tape.at(1).enter(0, notional=2 * 51 * levels)
    tape.at(10).book(0, [(900, 1)], [(5_000 - i, 1) for i in reversed(range(levels))])
    tape.end(20)
    parameters = dict(trader=dict(order="limit", price="join", tif="day"), venue=dict(latency=0), limits=GENEROUS)
    rows = process(new_loop(desk, parameters, Cramped), tape.frames)
    makers = [row for row in rows["fills"] if row[-1] == Liquidity.MAKER]
    assert len(makers) == levels
    assert rows == expect(desk, parameters, tape.frames) == run(desk, parameters, tape.frames)


def test_an_absent_port_is_to_the_compiler_what_an_empty_one_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another type would be compiled again, which takes seconds in the middle of a run."""
    kernel, seen = loop_module.run_loop, set()

    def recorded(*args: Any) -> Any:
        seen.add(tuple(map(typeof, args)))
        return kernel(*args)

    monkeypatch.setattr(loop_module, "run_loop", recorded)
    scenario = long_scenario(0)
    loop = new_loop(scenario.desk, scenario.parameters)
    pieces = cut(scenario.frames, range(1, scenario.last))
    assert {len(piece) for piece in pieces} == {1, 3, 4}
    for piece in pieces:
        loop.process(piece)
    assert len(seen) == 1
