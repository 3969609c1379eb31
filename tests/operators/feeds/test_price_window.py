"""The best levels of a book, against sorting all of them."""

import pickle

from hypothesis import given
from hypothesis import strategies as st

from operators.feeds.price_window import PriceWindow

UPDATE = st.tuples(st.integers(0, 1), st.lists(st.tuples(st.integers(1, 12), st.integers(0, 2)), max_size=6))


@given(st.lists(UPDATE), st.integers(1, 5))
def test_it_holds_the_best_levels(updates, depth):
    window, books = PriceWindow(), ({}, {})
    for step, (side, levels) in enumerate(updates):
        prices, quantities = [p for p, _ in levels], [q for _, q in levels]
        window.update(side, prices, quantities, [f"{step}:{i}" for i in range(len(levels))])
        for i, (price, quantity) in enumerate(levels):
            if quantity:
                books[side][price] = f"{step}:{i}"
            else:
                books[side].pop(price, None)
        ranked = sorted(books[side], reverse=side == 0)
        assert window.truncate(side, depth) == ranked[depth:]
        for gone in ranked[depth:]:
            del books[side][gone]
        assert window.best(side, depth) == [books[side][price] for price in ranked[:depth]]
        assert window.best(side, 1) == window.best(side, depth)[:1]
    copy = PriceWindow()
    copy.restore(pickle.loads(pickle.dumps(window.snapshot())))
    assert [copy.best(side, 9) for side in (0, 1)] == [window.best(side, 9) for side in (0, 1)]
    window.clear()
    assert [window.best(side, 9) for side in (0, 1)] == [[], []]


def test_a_snapshot_is_left_alone_by_what_follows():
    window = PriceWindow()
    window.update(0, [5], [1], ["a"])
    state = window.snapshot()
    window.update(0, [5, 6], [1, 1], ["b", "c"])
    assert state == [{-5: "a"}, {}]
