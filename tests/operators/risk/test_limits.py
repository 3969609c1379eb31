"""Every rule at its limit and one quantum beyond."""

from typing import Any

import pytest

from schemas.trade import OrderEventKind, Rule
from tests.operators.execution.tape import GENEROUS, Tape, cut, desk_of, new_loop, process, run

QUANTA = 10**8
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


@pytest.mark.parametrize("state", [1, 2, 4, 8, 16, 3])
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
