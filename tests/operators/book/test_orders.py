"""The order table against a dictionary, also when every order wants the same slot."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from operators.book.orders import _home, find, most_orders, new_orders, rehash, remove, slots_for
from schemas.record import Frame

SLOTS = 32
COLLIDING = [
    [ref for ref in range(40_000) if _home(3, ref, SLOTS - 1) == home][:12] for home in (SLOTS - 1, SLOTS - 2, 0)
]
KEYS = [(3, ref) for refs in COLLIDING for ref in refs] + [(i, -(2**63) + i) for i in range(4)]


def put(orders: Frame, key: tuple[int, int], qty: int, life: int = 0) -> None:
    orders[find(orders, *key)] = (key[1], 7, qty, key[0], life)


def contents(orders: Frame) -> dict[tuple[int, int], int]:
    """What the table holds, by looking at the slots."""
    return {(int(o["instrument"]), int(o["ref"])): int(o["qty"]) for o in orders if o["qty"]}


@settings(max_examples=200)
@given(st.lists(st.tuples(st.sampled_from(KEYS), st.integers(0, 5)), max_size=120))
def test_any_additions_and_removals_give_what_a_dictionary_gives(steps: list[tuple[tuple[int, int], int]]) -> None:
    orders, known = new_orders(SLOTS), dict[tuple[int, int], int]()
    for key, qty in steps:
        slot = find(orders, *key)
        assert orders[slot]["qty"] == known.get(key, 0)
        if qty and (key in known or len(known) < most_orders(orders)):
            put(orders, key, qty)
            known[key] = qty
        elif not qty and key in known:
            remove(orders, slot)
            del known[key]
        assert contents(orders) == known
        for other in known:
            assert orders[find(orders, *other)]["qty"] == known[other]


def test_a_rehash_keeps_the_orders_of_this_generation() -> None:
    old, new = new_orders(SLOTS), new_orders(2 * SLOTS)
    for i, key in enumerate(KEYS[:18]):
        put(old, key, i + 1, life=2 * (i % 3) + 1)
    assert rehash(old, new, np.array([0, 0, 0, 2], np.int32)) == 6
    assert contents(new) == {key: i + 1 for i, key in enumerate(KEYS[:18]) if i % 3 == 2}


@pytest.mark.parametrize("orders", [1, 2, 5, 6, 10_000])
def test_a_table_has_room_for_what_was_asked(orders: int) -> None:
    table = new_orders(slots_for(orders))
    assert len(table) & (len(table) - 1) == 0
    assert orders <= most_orders(table) <= 0.6 * len(table) < max(4 * orders, 4)


def test_consecutive_references_spread() -> None:
    homes = [_home(i % 50, ref, 1023) for i, ref in enumerate(range(10**9, 10**9 + 600))]
    assert len(set(homes)) > 0.4 * 1024
