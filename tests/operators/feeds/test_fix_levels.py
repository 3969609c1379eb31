"""Entries by price, by id and by position against a plain book: whatever is done, the levels are its totals."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operators.feeds.fix_levels import (
    CHANGE,
    DELETE,
    DELETE_FROM,
    DELETE_THRU,
    NEW,
    OVERLAY,
    UNSAID,
    ById,
    ByPosition,
    ByPrice,
    LevelEntry,
)  # fmt: skip

DEPTH = 4
SIDES, LOTS = st.integers(0, 1), st.integers(0, 9)
DONE_TO_ORDERS = st.sampled_from([NEW, CHANGE, DELETE])
DONE_TO_ROWS = st.sampled_from([NEW, CHANGE, DELETE, DELETE_THRU, DELETE_FROM, OVERLAY])
ORDERS = st.lists(st.tuples(DONE_TO_ORDERS, SIDES, st.integers(0, 5), st.integers(1, 4), LOTS), max_size=60)
ROWS = st.lists(st.tuples(DONE_TO_ROWS, SIDES, st.integers(1, DEPTH + 1), st.integers(1, 9)), max_size=60)


def followed(levels, book):
    """The book after the changes since the last time, which are used up."""
    for key, lots in levels.changes.items():
        book.pop(key, None)
        if lots:
            book[key] = lots
    levels.changes.clear()
    return book


@given(ORDERS)
def test_by_id_levels_are_the_sums_of_the_orders(entries):
    levels, orders, book = ById(), {}, {}
    for action, side, name, ticks, lots in entries:
        is_known = str(name) in orders
        fits = not is_known if action == NEW else is_known and orders[str(name)][0] == side
        assert levels.apply(LevelEntry(action, side, str(name), UNSAID, ticks, lots)) is fits
        if fits and action == DELETE:
            del orders[str(name)]
        elif fits:
            orders[str(name)] = side, ticks, lots
        totals = Counter()
        for s, t, n in orders.values():
            totals[s, t] += n
        assert followed(levels, book) == {key: n for key, n in totals.items() if n}
        again = ById()
        again.restore(levels.snapshot())
        assert (again.snapshot(), again.changes) == (levels.snapshot(), {})


def test_by_id_what_is_not_said_stays():
    levels, book = ById(), {}
    for entry in (
        LevelEntry(NEW, 0, "a", UNSAID, 10, 5),
        LevelEntry(CHANGE, UNSAID, "a", UNSAID, UNSAID, 7),
        LevelEntry(CHANGE, UNSAID, "a", UNSAID, 11, UNSAID),
    ):
        assert levels.apply(entry)
    assert followed(levels, book) == {(0, 11): 7}
    assert levels.knows("a")
    assert not levels.knows("b")
    assert levels.apply(LevelEntry(DELETE, UNSAID, "a", UNSAID, UNSAID, UNSAID))
    assert followed(levels, book) == {}


@given(ROWS)
def test_by_position_levels_are_the_rows(entries):
    levels, sides, book = ByPosition(DEPTH), ([], []), {}
    for i, (action, side, position, lots) in enumerate(entries):
        rows, row = sides[side], (1000 + i, lots)
        fits = position <= len(rows) + (action == NEW)
        assert levels.apply(LevelEntry(action, side, "", position, *row)) is fits
        if fits:
            if action == NEW:
                rows.insert(position - 1, row)
            elif action in (CHANGE, OVERLAY):
                rows[position - 1] = row
            else:
                thru, from_ = range(1, position + 1), range(position, len(rows) + 1)
                gone = {DELETE: [position], DELETE_THRU: thru, DELETE_FROM: from_}[action]
                rows[:] = [r for n, r in enumerate(rows, 1) if n not in gone]
            rows[:] = rows[:DEPTH]
        assert followed(levels, book) == {(s, t): n for s, known in enumerate(sides) for t, n in known}
        again = ByPosition(DEPTH)
        again.restore(levels.snapshot())
        assert (again.snapshot(), again.changes) == (levels.snapshot(), {})


def test_by_price_the_last_word_counts():
    levels = ByPrice()
    for action, lots in ((NEW, 5), (CHANGE, 7), (DELETE, 0), (OVERLAY, 3)):
        assert levels.apply(LevelEntry(action, 1, "", UNSAID, 12, lots))
    assert levels.changes == {(1, 12): 3}


@pytest.mark.parametrize("levels", [ByPrice(), ById(), ByPosition(DEPTH)])
def test_nothing_is_left_of_what_is_cleared(levels):
    levels.apply(LevelEntry(NEW, 0, "a", 1, 10, 5))
    levels.clear()
    assert levels.changes == {}
    assert not levels.snapshot() or levels.snapshot() == [[], []]
    assert levels.apply(LevelEntry(NEW, 0, "a", 1, 10, 5))
