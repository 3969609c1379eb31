"""Positions and the account against exact rational arithmetic."""

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from operators.execution.state import DESK, INSTRUMENT
from operators.kernel import State
from operators.portfolio.portfolio import book_fill, equity, mark, share
from tests.operators.execution.reference_venue import Holding, half_away
from tests.operators.execution.tape import GENEROUS, Tape, desk_of, run

CAPITAL = 10**14


def exact_share(amount: int, part: int, whole: int) -> int:
    return half_away(Fraction(amount * part, whole))


@st.composite
def shares(draw: st.DrawFn, largest: int) -> tuple[int, int, int]:
    whole = draw(st.one_of(st.integers(1, 20), st.integers(1, largest)))
    return draw(st.integers(-(2**62), 2**62)), draw(st.integers(0, whole)), whole


@settings(max_examples=400)
@given(shares(2**31 - 1))
@example((2**62, 2**31 - 2, 2**31 - 1))
@example((1, 1, 2))
@example((-1, 1, 2))
@example((-3, 1, 2))
@example((0, 0, 1))
def test_a_share_is_rounded_half_away_from_zero(case: tuple[int, int, int]) -> None:
    assert share(*case) == exact_share(*case)


@settings(max_examples=400)
@given(shares(2**61 - 1))
@example((2**62, 2**61 - 2, 2**61 - 1))
@example((2**62 - 1, 2**60, 2**61 - 2))
@example((2**31 + 1, 2**30, 2**31))
@example((-(2**62), 2**31, 2**31 + 1))
def test_so_is_a_share_of_a_huge_position(case: tuple[int, int, int]) -> None:
    assert share(*case) == exact_share(*case)


@dataclass
class Ledger:
    """What happened in one instrument, summed without any cost method: cash and lots."""

    cash: int = 0
    qty: int = 0
    fees: int = 0


@dataclass
class Fill:
    instrument: int
    side: int
    price: int
    qty: int
    fee: int


@dataclass
class Mark:
    instrument: int
    mid2: int


TICK_VALUES = (10**6, 2, 123_456)
FILLS = st.builds(
    Fill,
    instrument=st.integers(0, 2),
    side=st.sampled_from([-1, 1]),
    price=st.integers(1, 10_000),
    qty=st.one_of(st.integers(1, 9), st.integers(1, 30_000)),
    fee=st.integers(-(10**6), 10**7),
)
MARKS = st.builds(Mark, instrument=st.integers(0, 2), mid2=st.integers(1, 20_000))


def account() -> State:
    desk, instruments = np.zeros(1, DESK), np.zeros(len(TICK_VALUES), INSTRUMENT)
    desk["capital"] = CAPITAL
    instruments["half_tick_value"] = [value // 2 for value in TICK_VALUES]
    return State(desk=desk, instruments=instruments)


@settings(max_examples=200)
@given(st.lists(st.one_of(FILLS, FILLS, MARKS), max_size=60))
def test_profit_is_cash_plus_what_is_held(steps: list[Fill | Mark]) -> None:
    state = account()
    ledgers, holdings = [Ledger() for _ in TICK_VALUES], [Holding(value) for value in TICK_VALUES]
    for i in range(len(TICK_VALUES)):
        mark(state.ctx, i, 1_000)
    for step in steps:
        if isinstance(step, Mark):
            mark(state.ctx, step.instrument, step.mid2)
        else:
            book_fill(state.ctx, step.instrument, step.side, step.price, step.qty, step.fee)
            holdings[step.instrument].book(step.side, step.price, step.qty, step.fee)
            ledger = ledgers[step.instrument]
            ledger.cash -= step.side * step.price * TICK_VALUES[step.instrument] * step.qty
            ledger.qty += step.side * step.qty
            ledger.fees += step.fee
        assert_consistent(state, ledgers, holdings)


def assert_consistent(state: State, ledgers: list[Ledger], holdings: list[Holding]) -> None:
    """Instruments agree with cash and with average cost; the desk is their sum."""
    desk, total = state["desk"][0], dict.fromkeys(("realised", "unrealised", "fees", "gross", "net"), 0)
    for held, ledger, holding in zip(state["instruments"], ledgers, holdings, strict=True):
        value = int(held["qty"]) * int(held["mid2"]) * int(held["half_tick_value"])
        unrealised = value - int(held["cost"])
        assert int(held["realised"]) + unrealised == ledger.cash + value
        assert (held["qty"], held["fees"]) == (ledger.qty, ledger.fees)
        assert (held["qty"], held["cost"], held["realised"]) == (holding.qty, holding.cost, holding.realised)
        assert held["qty"] != 0 or held["cost"] == 0
        for name, part in zip(total, (held["realised"], unrealised, held["fees"], abs(value), value), strict=True):
            total[name] += int(part)
    assert {name: int(desk[name]) for name in total} == total
    assert equity(state.ctx) == CAPITAL + total["realised"] + total["unrealised"] - total["fees"]


def test_rounding_stays_in_the_cost_of_what_is_still_open() -> None:
    """Three lots for 10 quanta a lot and one more quantum: closing one takes 10, closing two takes 21."""
    state = account()
    state["instruments"]["half_tick_value"] = 1
    mark(state.ctx, 0, 10)
    state["instruments"]["qty"][0], state["instruments"]["cost"][0] = 3, 31
    state["desk"]["unrealised"], state["desk"]["net"], state["desk"]["gross"] = 30 - 31, 30, 30
    seen = []
    for _ in range(3):
        book_fill(state.ctx, 0, -1, 5, 1, 0)
        held = state["instruments"][0]
        seen.append((int(held["qty"]), int(held["cost"]), int(held["realised"])))
    assert seen == [(2, 21, 0), (1, 10, -1), (0, 0, -1)]


@pytest.mark.parametrize("side", [-1, 1])
def test_a_position_of_trillions_of_lots_is_closed_exactly(side: int) -> None:
    """A coin of a millionth: thousands of billions of lots are worth no more than a billion."""
    state = account()
    state["instruments"]["half_tick_value"] = 1
    mark(state.ctx, 0, 8)
    lots = 10**13 + 7
    book_fill(state.ctx, 0, side, 4, lots, 0)
    book_fill(state.ctx, 0, -side, 5, lots // 3, 0)
    held = state["instruments"][0]
    assert held["cost"] == side * 8 * lots - side * 8 * (lots // 3)
    assert held["realised"] == side * 2 * (lots // 3)
    book_fill(state.ctx, 0, -side, 3, lots, 0)
    assert (held["qty"], held["cost"]) == (-side * (lots // 3), -side * 6 * (lots // 3))


def test_a_fill_that_turns_the_position_opens_the_rest_at_its_own_price() -> None:
    state = account()
    mark(state.ctx, 0, 2_001)
    book_fill(state.ctx, 0, 1, 1_000, 4, 50)
    book_fill(state.ctx, 0, -1, 1_002, 10, -20)
    held, desk = state["instruments"][0], state["desk"][0]
    assert (held["qty"], held["cost"], held["realised"], held["fees"]) == (-6, -6 * 1_002 * 10**6, 4 * 2 * 10**6, 30)
    assert desk["unrealised"] == 6 * 1_002 * 10**6 - 6 * 2_001 * 10**6 // 2
    assert (desk["gross"], desk["net"]) == (6 * 2_001 * 10**6 // 2, -6 * 2_001 * 10**6 // 2)


FLAT = (CAPITAL, 0, 0, 0, 0, 0)


def equity_rows(tape: Tape, every: int) -> list[tuple[Any, ...]]:
    desk = replace(desk_of(("0.01", "1"), ("0.01", "1")), capital=CAPITAL)
    parameters = dict(limits=GENEROUS, venue=dict(latency=0, report=0, per_lot=1), portfolio=dict(every=every))
    return run(desk, parameters, tape.frames).get("equity", [])


def test_equity_is_written_once_for_every_interval_that_saw_an_entry() -> None:
    tape = Tape()
    for ts in (1_003, 1_009, 1_010, 1_010, 1_019, 1_055, 1_060):
        tape.at(ts)
    assert equity_rows(tape, every=10) == [(3, 1_010, *FLAT), (6, 1_055, *FLAT), (7, 1_060, *FLAT)]


def test_equity_of_an_interval_is_before_the_entry_that_ends_it_and_after_what_was_due() -> None:
    """Ten lots each way: bought at 50.01, sold at 49.99, marked at 50.00, then A at 51.00."""
    tape = Tape().at(100)
    for instrument in range(2):
        tape.book(instrument, [(4_999, 99)], [(5_001, 99)])
    tape.enter(0, notional=1_000)
    tape.at(200).book(0, [(5_099, 99)], [(5_101, 99)])
    tape.at(300)
    quanta, lot, fee = 10**8, 50 * 10**8, 10 * 10**8
    assert equity_rows(tape, every=100) == [
        (2, 100, CAPITAL - 10 * quanta - quanta // 10, 0, -quanta // 10, fee, 10 * lot, 10 * lot),
        (2, 100, CAPITAL - 20 * quanta - quanta // 5, 0, -quanta // 5, 2 * fee, 20 * lot, 0),
        (2, 200, CAPITAL - 20 * quanta - quanta // 5, 0, -quanta // 5, 2 * fee, 20 * lot, 0),
        (3, 300, CAPITAL - 10 * quanta - quanta // 5, 0, 10 * quanta - quanta // 5, 2 * fee, 20 * lot + 10 * quanta,
         10 * quanta),
    ]  # fmt: skip
