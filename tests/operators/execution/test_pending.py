"""The queue of what is pending against a sorted list."""

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from operators.execution.pending import drop_first, push
from operators.execution.state import DESK, PENDING, Table
from operators.kernel import State

PUSHES = st.tuples(st.integers(-5, 12), st.integers(1, 7), st.integers(0, 99))


def queue(size: int) -> State:
    tables: dict[str, Any] = {t.name.lower(): np.zeros(1, DESK) for t in Table if t <= Table.PENDING}
    return State(**tables | {"pending": np.zeros(size, PENDING)})


def first(state: State) -> tuple[int, ...]:
    names = ("ts", "due", "slot", "order", "price", "qty", "ts_venue", "liquidity")
    return tuple(int(state["pending"][0][name]) for name in names)


@settings(max_examples=150)
@given(st.lists(st.one_of(PUSHES, st.none()), max_size=80))
def test_items_leave_by_time_and_then_in_the_order_they_came(steps: list[tuple[int, int, int] | None]) -> None:
    state = queue(len(steps) + 1)
    waiting: list[tuple[int, ...]] = []
    for number, step in enumerate(steps):
        if step is not None:
            ts, due, slot = step
            rest = (number, 2 * number, 3 * number, ts - 1, 1)
            push(state.ctx, ts, due, slot, *rest)
            waiting.append((ts, due, slot, *rest))
            waiting.sort(key=lambda item: (item[0], item[3]))
        elif waiting:
            assert first(state) == waiting.pop(0)
            drop_first(state.ctx)
        assert state["desk"][0]["pending"] == len(waiting)
    while waiting:
        assert first(state) == waiting.pop(0)
        drop_first(state.ctx)
    assert state["desk"][0]["pending"] == 0
