"""Ladders against dictionaries."""

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from operators.book.ladder import (
    NEEDS_ROOM,
    add_to_level,
    best,
    clear,
    new_ladders,
    new_levels,
    reserve,
    row_of,
    set_level,
)
from operators.kernel import State


class Ladders:
    """Ladders of a few instruments whose pool starts far too small."""

    def __init__(self, instruments: int, size: int) -> None:
        self.state = State(levels=new_levels(size), ladders=new_ladders(instruments))
        self.times_grown = 0

    def do(self, change: Any, *args: int) -> int:
        while True:
            before = self.state.snapshot()
            result = change(self.state["levels"], self.state["ladders"], *args)
            if result != NEEDS_ROOM:
                return int(result)
            assert all(np.array_equal(before[name], self.state[name]) for name in before)
            self.state.grow("levels", 2 * len(self.state["levels"]))
            self.times_grown += 1

    def from_best(self, ladder: int) -> list[tuple[int, int]]:
        levels, ladders = self.state["levels"], self.state["ladders"]
        return [levels[row_of(ladders, ladder, depth)].item() for depth in range(ladders[ladder]["count"])]


def sorted_from_best(totals: dict[int, int], ladder: int) -> list[tuple[int, int]]:
    return sorted(totals.items(), reverse=ladder % 2 == 0)


CHANGES = st.lists(
    st.tuples(
        st.sampled_from(["set", "set", "add", "add", "add", "clear"]),
        st.integers(0, 5),
        st.integers(-12, 12),
        st.integers(-4, 9),
    ),
    max_size=150,
)


@settings(max_examples=150)
@given(CHANGES)
def test_any_changes_give_what_dictionaries_give(changes: list[tuple[str, int, int, int]]) -> None:
    ladders = Ladders(instruments=3, size=1)
    totals: list[dict[int, int]] = [{} for _ in range(6)]
    for what, ladder, price, qty in changes:
        side = totals[ladder]
        if what == "clear":
            clear(ladders.state["ladders"], ladder)
            side.clear()
        elif what == "set":
            assert ladders.do(set_level, ladder, price, max(qty, 0)) == side.get(price, 0)
            side[price] = max(qty, 0)
        else:
            side[price] = max(side.get(price, 0) + qty, 0)
            assert ladders.do(add_to_level, ladder, price, qty) == side[price]
        if side.get(price) == 0:
            del side[price]
        expected = sorted_from_best(side, ladder)
        assert ladders.from_best(ladder) == expected
        assert best(ladders.state["levels"], ladders.state["ladders"], ladder) == (expected or [(0, 0)])[0]
    for ladder in range(6):
        assert ladders.from_best(ladder) == sorted_from_best(totals[ladder], ladder)


def test_a_deep_ladder_among_many_shallow_ones_costs_only_its_own_depth() -> None:
    ladders = Ladders(instruments=400, size=8)
    for instrument in range(400):
        ladders.do(set_level, 2 * instrument, 100, 1)
    for price in range(1000):
        ladders.do(set_level, 7, price, price + 1)
    assert ladders.from_best(7) == [(price, price + 1) for price in range(1000)]
    assert all(ladders.from_best(2 * instrument) == [(100, 1)] for instrument in range(400))
    assert ladders.times_grown > 5
    assert ladders.state["levels"].nbytes < 16 * 20_000


def test_blocks_left_behind_are_fewer_than_blocks_in_use() -> None:
    ladders = Ladders(instruments=4, size=1)
    for price in range(200):
        for ladder in range(8):
            ladders.do(set_level, ladder, price, 1)
    table = ladders.state["ladders"]
    assert table[-1]["start"] < 2 * table["room"].sum()


def test_reserve_leaves_room_for_one_level_and_says_when_it_cannot() -> None:
    state = State(levels=new_levels(8), ladders=new_ladders(1))
    for price in range(8):
        assert reserve(state["levels"], state["ladders"], 0)
        assert set_level(state["levels"], state["ladders"], 0, price, 1) == 0
    assert not reserve(state["levels"], state["ladders"], 0)
    assert not reserve(state["levels"], state["ladders"], 1)
    assert add_to_level(state["levels"], state["ladders"], 1, 5, 1) == NEEDS_ROOM
    assert set_level(state["levels"], state["ladders"], 0, 3, 0) == 1
    assert reserve(state["levels"], state["ladders"], 0)
