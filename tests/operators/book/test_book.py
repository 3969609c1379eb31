"""The book operator against its oracle, however it is cut, grown and restored; and what each event means."""

import pickle
from collections import defaultdict
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from operators.book.book import Book, BookParameters
from operators.book.stream import event_stream
from operators.operator import Desk, copy_state
from schemas.market import EVENTS, LAST, EventKind, FeedEventKind
from schemas.record import Frame
from tests.operators.book.oracle import BookOracle, Row

DESK = event_stream(0, 1, instruments=3)[0]
FEEDS = [0, 1, 0]
TINY = BookParameters(orders=1, levels=1)


def event(kind: int, **fields: int) -> dict[str, int]:
    return {"cause": 1, "ts": 1, "kind": kind, "flags": LAST, **fields}


def frame_of(events: list[dict[str, int]]) -> Frame:
    return EVENTS.rows([tuple(e.get(column.name, 0) for column in EVENTS.columns) for e in events])


def run(
    book: Book, events: Frame, cuts: list[int] | None = None, restore_at: set[int] | None = None
) -> dict[str, list[Row]]:
    """Rows of every port, with the events in frames that end at `cuts`, restored from a snapshot before some."""
    rows: dict[str, list[Row]] = defaultdict(list)
    bounds = [0, *sorted(cuts or []), len(events)]
    for number, (start, end) in enumerate(pairwise(bounds)):
        if restore_at and number in restore_at:
            state = copy_state(book.snapshot())
            book = Book(TINY, book.desk)
            book.restore(state)
        for port, frame in book.process({"events": events[start:end]}).items():
            assert len(frame)
            assert frame.dtype == Book.outputs[port].dtype
            rows[port] += frame.tolist()
        assert_whole(book)
    return rows


def assert_whole(book: Book) -> None:
    """No total is below 1, ladders are sorted, and the totals of a book told by order are the sums of its orders."""
    state = book.tables.snapshot()
    sums: dict[tuple[int, int], int] = defaultdict(int)
    live = state["orders"][state["orders"]["qty"] != 0]
    assert state["taken"][0] == len(live) <= 0.6 * len(state["orders"])
    for order in live:
        if order["life"] >> 1 == state["books"]["generation"][order["instrument"]]:
            sums[2 * int(order["instrument"]) + int(order["life"] & 1), int(order["price"])] += int(order["qty"])
    by_order = set()
    for ladder, (start, count, room) in enumerate(state["ladders"][:-1].tolist()):
        assert count <= room
        block = state["levels"][start : start + count]
        assert np.all(block["qty"] > 0)
        assert np.all(np.diff(block["price"]) * (1 if ladder % 2 == 0 else -1) > 0)
        if state["books"]["orders"][ladder // 2]:
            by_order |= {((ladder, price), qty) for price, qty in block.tolist()}
    assert by_order == set(sums.items())
    assert len(live[live["qty"] < 0]) == 0


def expected(desk: Desk, events: Frame) -> dict[str, list[Row]]:
    oracle = BookOracle([0 if i % 2 == 0 else 1 for i in range(len(desk.instruments))])
    oracle.process(events)
    return oracle.rows


EVENT = st.fixed_dictionaries(
    {
        "kind": st.sampled_from([*EventKind, EventKind.ADD, EventKind.ADD, EventKind.ADD, EventKind.LEVEL, 99]),
        "order": st.integers(0, 6),
        "order_new": st.integers(0, 9),
        "price": st.integers(-3, 12),
        "qty": st.sampled_from([-1, 0, 1, 1, 2, 3, 4, 2**52, 2**52 + 1, 2**63 - 1]),
        "instrument": st.integers(0, 2),
        "side": st.sampled_from([0, 0, 0, 1, 1, 1, 2, -1]),
        "flags": st.sampled_from([LAST, LAST, 0, 2]),
    }
)


@settings(max_examples=250)
@given(st.lists(EVENT, max_size=80), st.lists(st.integers(0, 80), max_size=6), st.sets(st.integers(0, 6)))
def test_any_events_in_any_cut_give_the_oracles_rows(
    events: list[dict[str, int]], cuts: list[int], restore_at: set[int]
) -> None:
    frame = frame_of([e | {"cause": i // 2, "ts": i, "ts_event": i - 5} for i, e in enumerate(events)])
    rows = run(Book(TINY, DESK), frame, [min(cut, len(frame)) for cut in cuts], restore_at)
    assert rows == expected(DESK, frame)


@pytest.mark.parametrize("seed", range(4))
def test_streams_of_feeds_give_the_oracles_rows(seed: int) -> None:
    desk, events = event_stream(seed, 2500, faults=0.02)
    rows = expected(desk, events)
    assert run(Book(BookParameters(), desk), events) == rows
    cuts = sorted(np.random.default_rng(seed).choice(len(events), 12, replace=False).tolist())
    assert run(Book(TINY, desk), events, cuts, restore_at={3, 9}) == rows
    assert {FeedEventKind(row[4]).name for row in rows["feed_events"]} == {
        "RESET",
        "RESYNC",
        "HALT",
        "RESUME",
        "CROSSED",
        "UNCROSSED",
        "INCONSISTENT",
    }


def test_a_live_order_costs_at_most_two_hundred_bytes() -> None:
    """However full the tables are at the moment, and though hardly two orders share a level."""
    instruments, orders = 1000, 200_000
    desk = event_stream(0, 1, instruments=instruments)[0]
    events = np.zeros(orders, EVENTS.dtype)
    events["kind"], events["qty"], events["flags"] = EventKind.ADD, 1, LAST
    events["order"] = np.arange(orders)
    events["instrument"] = np.arange(orders) ** 2 % 997 % instruments  # unevenly deep
    events["price"] = np.arange(orders) // 20
    book = Book(BookParameters(orders=1, levels=1), desk)
    for live in range(1000, orders + 1000, 1000):
        book.process({"events": events[live - 1000 : live]})
        if live >= 20_000:
            assert book.tables.nbytes <= 200 * live, live
    assert int(book.tables["books"]["orders"].sum()) == orders
    assert book.tables["orders"].nbytes <= 40 * len(book.tables["orders"])


def test_a_snapshot_holds_what_there_is_and_not_the_room_for_more() -> None:
    desk, events = event_stream(3, 300)
    small, large = Book(TINY, desk), Book(BookParameters(orders=10**6, levels=10**6), desk)
    for book in (small, large):
        book.process({"events": events})
    sizes = [len(pickle.dumps(book.snapshot())) for book in (small, large)]
    assert sizes[0] == sizes[1] < 10_000
    again = Book(TINY, desk)
    again.restore(large.snapshot())
    assert again.tables.nbytes == large.tables.nbytes


def test_clearing_again_and_again_does_not_make_the_table_grow() -> None:
    story = [event(EventKind.CLEAR)] + [event(EventKind.ADD, order=i, price=i, qty=1) for i in range(50)]
    book = Book(BookParameters(orders=100, levels=1), DESK)
    size = len(book.tables["orders"])
    for day in range(40):
        events = frame_of(story)
        events["order"] += 1000 * day
        book.process({"events": events})
    assert len(book.tables["orders"]) == size
