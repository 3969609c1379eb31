"""Bands that read the traded set: a retired pair is left at once and not entered."""

import pytest

from schemas.errors import InvariantError
from schemas.signal import GATES, SPREADS, TRADED_PAIRS, Action, Gate, Membership
from tests.operators.signals.test_bands import SECOND, bands, rows

ENTER, EXIT = Action.ENTER, Action.EXIT
PROMOTED, RETIRED = int(Membership.PROMOTED), int(Membership.RETIRED)


def change(cause: int, state: int, pair: int = 0) -> tuple:
    return (cause, cause * SECOND, 0.0, 1.0, 1.0, 0.0, 0.0, 0.7, 0, pair, state)


def signals(operator, spreads, *changes: tuple, **others):
    """(cause, action, side, hedge, z) of every signal."""
    found = operator.process({"spreads": spreads, "traded": TRADED_PAIRS.rows(changes)} | others)
    names = ["cause", "action", "side", "hedge", "z"]
    return found["signals"][names].tolist() if found else []


def test_a_position_is_left_at_the_cause_of_its_retirement():
    spreads = rows((1, 2.5), (2, 2.4), (3, 2.3), (4, 2.3))
    found = signals(bands(min_hold="1h"), spreads, change(3, RETIRED))
    assert found == [(1, ENTER, -1, 1.0, 2.5), (3, EXIT, -1, 0.7, 0.0)]


def test_it_is_left_though_no_row_of_it_comes_any_more():
    operator = bands()
    assert signals(operator, rows((1, -2.5)), change(1, PROMOTED)) == [(1, ENTER, 1, 1.0, -2.5)]
    assert signals(operator, SPREADS.empty, change(7, RETIRED)) == [(7, EXIT, 1, 0.7, 0.0)]
    assert signals(operator, SPREADS.empty, change(8, RETIRED)) == []


def test_a_retired_pair_is_not_entered_until_it_is_promoted_again():
    spreads = rows((1, 2.5), (2, 2.5), (3, 2.5))
    assert signals(bands(), spreads, change(1, RETIRED)) == []
    assert signals(bands(), spreads, change(1, RETIRED), change(3, PROMOTED)) == [(3, ENTER, -1, 1.0, 2.5)]


def test_a_gate_does_not_undo_a_retirement_nor_the_other_way():
    gates = GATES.rows([(k, k * SECOND, 0.0, 1.0, 0.0, 1.0, 0, 0, g) for k, g in ((2, Gate.OPEN), (3, Gate.CLOSED))])
    spreads = rows((1, 2.5), (2, 2.5), (3, 2.5), (4, 2.5))
    assert signals(bands(), spreads, change(1, RETIRED), change(4, PROMOTED), gates=gates) == []
    opened = gates[:1]
    found = signals(bands(), spreads, change(1, RETIRED), change(4, PROMOTED), gates=opened)
    assert found == [(4, ENTER, -1, 1.0, 2.5)]


def test_other_pairs_keep_their_positions():
    spreads = rows((1, 2.5), (2, 2.5), (3, 0.0))
    spreads["pair"][1] = 1
    found = signals(bands(), spreads, change(3, RETIRED, pair=1))
    assert [s[:3] for s in found] == [(1, ENTER, -1), (2, ENTER, -1), (3, EXIT, -1), (3, EXIT, -1)]


def test_a_change_of_no_pair_is_a_broken_invariant():
    with pytest.raises(InvariantError, match=r"bands, input 4: expected a promotion or retirement of a pair .* 0 to 2"):
        signals(bands(), SPREADS.empty, change(4, RETIRED, pair=9))
