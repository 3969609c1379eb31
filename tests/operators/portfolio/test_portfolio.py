"""Positions and the account against exact rational arithmetic."""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from operators.execution.state import DESK, INSTRUMENT
from operators.kernel import State
from operators.portfolio.portfolio import book_fill, equity, mark, share
from tests.operators.execution.reference_venue import Holding, half_away

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


@settings(max_examples=250)
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
