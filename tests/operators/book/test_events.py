"""What each kind of event means to a book, one small story each."""

from collections.abc import Mapping
from typing import Any

import pytest

from operators.book.book import Book, BookParameters
from operators.book.stream import event_stream
from schemas.errors import InvariantError
from schemas.market import EVENTS, LAST, BookState, EventKind, FeedEventKind, Side

BID, ASK = Side.BID, Side.ASK
OK, UNSYNCED, HALTED, CROSSED, EMPTY, STALE = map(BookState, (0, 1, 2, 4, 8, 16))

Story = tuple[EventKind, Mapping[str, int]]

SYNC: Story = (EventKind.SYNC, {"qty": 1})
LOST: Story = (EventKind.SYNC, {"qty": 0})
CLEAR: Story = (EventKind.CLEAR, {})


def add(order: int, side: Side, price: int, qty: int, **more: int) -> Story:
    return EventKind.ADD, {"order": order, "side": side, "price": price, "qty": qty, **more}


def execute(order: int, qty: int, **more: int) -> Story:
    return EventKind.EXECUTE, {"order": order, "qty": qty, **more}


def cancel(order: int, qty: int) -> Story:
    return EventKind.CANCEL, {"order": order, "qty": qty}


def delete(order: int) -> Story:
    return EventKind.DELETE, {"order": order}


def replace(order: int, order_new: int, price: int, qty: int) -> Story:
    return EventKind.REPLACE, {"order": order, "order_new": order_new, "price": price, "qty": qty}


def level(side: Side, price: int, qty: int, **more: int) -> Story:
    return EventKind.LEVEL, {"side": side, "price": price, "qty": qty, **more}


def status(trading: int) -> Story:
    return EventKind.STATUS, {"qty": trading}


TWO_SIDED = (SYNC, add(1, BID, 100, 5), add(2, ASK, 103, 7))


class Told:
    """What a book answers to a story, each event a message of its own unless it says otherwise."""

    def __init__(self, *story: Story) -> None:
        self.book = Book(BookParameters(), event_stream(0, 1, instruments=2)[0])
        self.cause = 0
        self.answer: Mapping[str, Any] = {}
        for one in story:
            self.then(one)

    def then(self, *story: Story) -> "Told":
        rows = []
        for kind, fields in story:
            self.cause += 1
            e = {"cause": self.cause, "ts": self.cause, "kind": kind, "flags": LAST, **fields}
            rows.append([e.get(column.name, 0) for column in EVENTS.columns])
        self.answer = {port: rows.copy() for port, rows in self.book.process({"events": EVENTS.rows(rows)}).items()}
        return self

    def _rows(self, port: str, *columns: str) -> list[tuple[int, ...]]:
        return self.answer[port][list(columns)].tolist() if port in self.answer else []

    @property
    def quotes(self) -> list[tuple[int, ...]]:
        return self._rows("quotes", "bid", "bid_qty", "ask", "ask_qty", "state")

    @property
    def levels(self) -> list[tuple[int, ...]]:
        return self._rows("levels", "side", "price", "qty")

    @property
    def feed_events(self) -> list[tuple[int, ...]]:
        return self._rows("feed_events", "kind", "first", "last")


def test_a_book_is_not_to_be_trusted_before_its_feed_says_so() -> None:
    told = Told().then(add(1, BID, 100, 5), add(2, ASK, 103, 7))
    assert told.quotes == [(100, 5, 0, 0, UNSYNCED | EMPTY), (100, 5, 103, 7, UNSYNCED)]
    assert told.then(SYNC).quotes == [(100, 5, 103, 7, OK)]
    assert told.feed_events == []


@pytest.mark.parametrize(
    ("change", "levels", "quotes"),
    [
        (add(3, BID, 101, 1), [(BID, 101, 1)], [(101, 1, 103, 7, OK)]),
        (add(3, BID, 100, 1), [(BID, 100, 6)], [(100, 6, 103, 7, OK)]),
        (add(3, ASK, 109, 1), [(ASK, 109, 1)], []),
        (execute(1, 2), [(BID, 100, 3)], [(100, 3, 103, 7, OK)]),
        (execute(1, 2, flags=0), [(BID, 100, 3)], []),
        (cancel(2, 7), [(ASK, 103, 0)], [(100, 5, 0, 0, EMPTY)]),
        (delete(1), [(BID, 100, 0)], [(0, 0, 103, 7, EMPTY)]),
        (replace(2, 3, 102, 4), [(ASK, 103, 0), (ASK, 102, 4)], [(100, 5, 102, 4, OK)]),
        (replace(2, 3, 103, 4), [(ASK, 103, 4)], [(100, 5, 103, 4, OK)]),
        (replace(2, 3, 103, 7), [], []),
        (replace(2, 2, 104, 7), [(ASK, 103, 0), (ASK, 104, 7)], [(100, 5, 104, 7, OK)]),
        ((EventKind.TRADE, {"price": 101, "qty": 5}), [], []),
        ((EventKind.QUOTE, {"price": 101, "qty": 5}), [], []),
    ],
)
def test_each_change_of_a_book_told_by_order(
    change: Story, levels: list[tuple[int, ...]], quotes: list[tuple[int, ...]]
) -> None:
    told = Told(*TWO_SIDED).then(change)
    assert (told.levels, told.quotes, told.feed_events) == (levels, quotes, [])


@pytest.mark.parametrize(
    ("wrong", "first", "last"),
    [
        (add(1, BID, 100, 5), 1, 5),
        (add(3, BID, 100, 0), 3, 0),
        (add(3, BID, 100, 2**62), 3, 2**62),
        (execute(9, 5), 9, 5),
        (execute(1, 6), 1, 6),
        (execute(1, 0), 1, 0),
        (execute(1, 5, instrument=1), 1, 5),
        (cancel(2, 8), 2, 8),
        (cancel(2, -1), 2, -1),
        (delete(9), 9, 0),
        (replace(9, 3, 100, 5), 9, 3),
        (replace(1, 2, 100, 5), 1, 2),
        (replace(1, 3, 100, 0), 1, 3),
        (level(BID, 100, 3), 0, 3),
        (level(BID, 100, -3, instrument=1), 0, -3),
    ],
)
def test_what_contradicts_a_book_is_reported_and_changes_nothing(wrong: Story, first: int, last: int) -> None:
    told = Told(*TWO_SIDED, (EventKind.SYNC, {"qty": 1, "instrument": 1}))
    before = told.book.tables.snapshot()
    told.then(wrong)
    assert told.feed_events == [(FeedEventKind.INCONSISTENT, first, last)]
    assert told.levels == []
    assert [row[-1] & UNSYNCED for row in told.quotes] == [UNSYNCED]
    after = told.book.tables.snapshot()
    assert all((before[name] == after[name]).all() for name in ("orders", "ladders", "levels", "taken"))


def test_levels_are_totals_and_only_changes_are_passed_on() -> None:
    told = Told(SYNC).then(level(BID, 100, 5), level(ASK, 103, 7), level(BID, 100, 5), level(BID, 100, 0))
    assert told.levels == [(BID, 100, 5), (ASK, 103, 7), (BID, 100, 0)]
    assert told.quotes[1:] == [(100, 5, 103, 7, OK), (0, 0, 103, 7, EMPTY)]
    assert told.then(level(BID, 42, 0)).answer == {}


def test_a_book_told_by_level_takes_no_orders_until_it_is_empty() -> None:
    told = Told(SYNC, level(BID, 100, 5)).then(add(1, ASK, 103, 7))
    assert told.feed_events == [(FeedEventKind.INCONSISTENT, 1, 7)]
    told.then(level(BID, 100, 0), add(1, ASK, 103, 7))
    assert told.levels == [(BID, 100, 0), (ASK, 103, 7)]


def test_clearing_empties_a_book_and_forgets_its_orders() -> None:
    told = Told(*TWO_SIDED).then(CLEAR)
    assert told.levels == [(0, 0, -1)]
    assert told.feed_events == [(FeedEventKind.RESET, 0, 0)]
    assert told.quotes == [(0, 0, 0, 0, EMPTY)]
    assert told.then(execute(1, 5)).feed_events == [(FeedEventKind.INCONSISTENT, 1, 5)]
    assert told.then(add(1, ASK, 90, 2)).levels == [(ASK, 90, 2)]


def test_a_contradiction_is_healed_by_an_empty_book_but_missed_messages_only_by_the_feed() -> None:
    reset, resync = (FeedEventKind.RESET, 0, 0), (FeedEventKind.RESYNC, 0, 0)
    assert Told(*TWO_SIDED, delete(9)).then(CLEAR).feed_events == [reset, resync]
    assert Told(*TWO_SIDED, delete(9)).then(SYNC).feed_events == [resync]
    lost = Told(*TWO_SIDED, delete(9)).then(LOST)
    assert lost.feed_events == []
    assert lost.then(CLEAR).feed_events == [reset]
    assert lost.quotes == [(0, 0, 0, 0, UNSYNCED | EMPTY)]
    assert lost.then(SYNC).feed_events == [resync]
    assert lost.quotes == [(0, 0, 0, 0, EMPTY)]


def test_halts_and_crossings_are_told_once() -> None:
    told = Told(*TWO_SIDED).then(status(0), status(0), add(3, BID, 103, 1), delete(3), status(1), status(1))
    assert [kind for kind, *_ in told.feed_events] == [
        FeedEventKind.HALT,
        FeedEventKind.CROSSED,
        FeedEventKind.UNCROSSED,
        FeedEventKind.RESUME,
    ]
    assert [state for *_, state in told.quotes] == [HALTED, HALTED | CROSSED, HALTED, OK]


def test_a_silence_marks_the_quote_at_once_and_its_end_the_next_one() -> None:
    told = Told(*TWO_SIDED).then((EventKind.SILENCE, {"qty": 1}), (EventKind.SILENCE, {"qty": 1}), status(0))
    assert [state for *_, state in told.quotes] == [STALE, STALE | HALTED]
    assert told.then((EventKind.SILENCE, {"qty": 0, "flags": 0})).quotes == []
    assert told.then((EventKind.TRADE, {"price": 101, "qty": 5})).quotes == [(100, 5, 103, 7, HALTED)]


def test_two_venues_may_use_the_same_reference() -> None:
    told = Told(SYNC).then(add(1, BID, 100, 5), add(1, ASK, 200, 6, instrument=1), delete(1))
    assert told.levels == [(BID, 100, 5), (ASK, 200, 6), (BID, 100, 0)]
    assert told.feed_events == []


def test_feed_events_name_the_feed_of_the_instrument() -> None:
    told = Told().then(CLEAR, (EventKind.CLEAR, {"instrument": 1}))
    assert told.answer["feed_events"]["feed"].tolist() == [0, 1]


@pytest.mark.parametrize("instrument", [-1, 2])
def test_an_instrument_the_desk_does_not_have_is_a_broken_invariant(instrument: int) -> None:
    with pytest.raises(
        InvariantError, match=rf"desk 'books', operator 'book', input 1: .*instrument {instrument},.*has 2"
    ):
        Told(add(1, BID, 100, 5, instrument=instrument))


def test_its_example_exercises_every_port() -> None:
    example = Book.example(7)
    produced = Book(BookParameters(**example.parameters), example.desk).process(example.frames)
    assert set(produced) == set(Book.outputs)
