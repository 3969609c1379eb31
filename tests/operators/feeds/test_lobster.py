"""Rows of LOBSTER's two files in, events out."""

from decimal import Decimal

import numpy as np
import pytest

from operators.feeds.lobster import Lobster
from operators.feeds.lobster_book import POOLS
from operators.feeds.lobster_example import lobster_rows
from operators.feeds.raw_log import raw_frame
from operators.operator import Desk, Feed
from schemas.errors import ConfigError
from schemas.instrument import Instrument
from schemas.market import EventKind

TERMS = {"venue": "t", "tick": Decimal("0.01"), "lot": Decimal(1), "currency": "USD"}
DESK = Desk(
    id="d",
    instruments=(Instrument(id="A", symbol="A", **TERMS), Instrument(id="B", symbol="B", **TERMS)),
    feeds=(Feed("files", ("A",)), Feed("both", ("A", "B"))),
)
EMPTY = (9_999_999_999, 0, -9_999_999_999, 0)
BOOK = (1_000_200, 50, 1_000_000, 40)
START = "1,99,10,990000,1"


def row(message, *levels):
    """The message behind its time, and the book."""
    book = ",".join(str(v) for level in levels for v in level)
    return (7).to_bytes(8, "little") + f"34200.5,{message}\n{book}".encode()


def decode(*rows, operator=None):
    operator = operator or Lobster(Lobster.Parameters(feeds=("files",)), DESK)
    return operator.process({"raw": raw_frame([(0, r) for r in rows])})


def events(produced, after=1):
    """(kind, side, price, qty, order, is last) of each, pools being "pool 1" and so on."""
    return [
        (EventKind(int(e["kind"])).name.lower(), *(int(e[c]) for c in ("side", "price", "qty")), named(int(e["order"])),
         bool(e["flags"]))
        for e in produced.get("events", ()) if e["cause"] > after
    ]  # fmt: skip


def named(order):
    return f"pool {order - POOLS}" if order > POOLS else order


def test_the_first_row_is_the_book_it_shows():
    out = decode(row(START, BOOK))
    assert events(out, after=0) == [
        ("clear", 0, 0, 0, 0, False),
        ("add", 1, 10002, 50, "pool 1", False),
        ("add", 0, 10000, 40, "pool 2", False),
        ("sync", 0, 0, 1, 0, True),
    ]
    assert set(out["events"]["ts_event"].tolist()) == {7}


def test_orders_come_and_go_by_their_references():
    out = decode(
        row(START, BOOK),
        row("1,5,10,1000000,1", (1_000_200, 50, 1_000_000, 50)),
        row("2,5,3,1000000,1", (1_000_200, 50, 1_000_000, 47)),
        row("4,6,40,1000000,1", (1_000_200, 50, 1_000_000, 7)),
        row("3,5,7,1000000,1", (1_000_200, 50, *EMPTY[2:])),
    )
    assert events(out) == [
        ("add", 0, 10000, 10, 5, True),
        ("cancel", 0, 10000, 3, 5, True),
        ("execute", 0, 10000, 40, "pool 2", True),
        ("cancel", 0, 10000, 7, 5, True),
    ]
    assert "feed_events" not in out


def test_levels_come_into_view_and_leave_it():
    out = decode(
        row(START, BOOK),
        row("1,5,10,1000100,-1", (1_000_100, 10, *BOOK[2:])),
        row("3,5,10,1000100,-1", (1_000_200, 45, *BOOK[2:])),
        row("1,6,5,1000150,-1", (1_000_100, 8, *BOOK[2:]), (1_000_150, 5, *EMPTY[2:])).replace(b"1000150", b"1000300"),
    )
    assert events(out) == [
        ("add", 1, 10001, 10, 5, False),
        ("delete", 1, 10002, 0, "pool 1", True),
        ("cancel", 1, 10001, 10, 5, False),
        ("add", 1, 10002, 45, "pool 3", True),
        ("add", 1, 10003, 5, 6, False),
        ("delete", 1, 10002, 0, "pool 3", False),
        ("add", 1, 10001, 8, "pool 4", True),
    ]


def test_an_order_that_arrives_at_a_level_out_of_view_brings_the_rest_of_it():
    out = decode(row(START, BOOK), row("1,5,10,1000100,-1", (1_000_100, 25, *BOOK[2:])))
    assert events(out)[:2] == [("add", 1, 10001, 10, 5, False), ("add", 1, 10001, 15, "pool 3", False)]


def test_hidden_executions_crosses_and_halts():
    told = ("5,0,30,1000100,-1", "6,-1,500,1000100,-1", "7,0,0,-1,-1", "7,0,0,0,-1", "7,0,0,1,-1")
    out = decode(row(START, BOOK), *(row(message, BOOK) for message in told))
    assert events(out) == [
        ("trade", 1, 10001, 30, 0, True),
        ("trade", 1, 10001, 500, 0, True),
        ("status", 0, 0, 0, 0, True),
        ("status", 0, 0, 1, 0, True),
    ]


@pytest.mark.parametrize(
    ("message", "book"),
    [
        ("1,5,10,1000000,1", BOOK),  # the level does not grow
        ("2,5,10,1000000,1", BOOK),
        ("4,5,90,1000000,1", BOOK),  # more than there is
        ("3,5,10,990000,1", BOOK),  # a level out of view
        ("1,5,10,990000,1", BOOK),
        ("5,0,10,1000100,1", (1_000_200, 51, *BOOK[2:])),
    ],
)
def test_a_contradiction_is_told_and_the_book_is_that_of_the_row(message, book):
    out = decode(row(START, BOOK), row(message, book))
    kinds = [e[0] for e in events(out)]
    assert kinds[:4] == ["clear", "add", "add", "sync"]
    fields = message.split(",")
    [event] = out["feed_events"]
    assert (event["kind"], event["feed"], event["instrument"]) == (9, 0, 0)
    assert (event["first"], event["last"]) == (int(fields[1]), int(fields[2]))


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (b"", "row: expected a time of 8 bytes, came 0"),
        (row("1,5,10,1000000", BOOK), "message: expected 5 numbers, came 4"),
        (row("1,5,x,1000000,1", BOOK), "message: expected whole numbers, came b'1,5,x,1000000,1'"),
        (row("9,5,10,1000000,1", BOOK), "type: expected 1 to 7, came 9"),
        (row("1,5,10,1000000,0", BOOK), "direction: expected 1 or -1, came 0"),
        (row("1,5,0,1000000,1", BOOK), "size, price: expected more than 0, came 0, 1000000"),
        (row("1,5,1,1000001,1", BOOK), "price: expected multiples of the tick 0.01, came 1000001 / 10000"),
        (row("1,5,1,1000000,1", BOOK[:3]), "order book: expected 4 numbers, came 3"),
        (row("1,5,1,1000000,1", ("a", 1, 2, 3)), "order book: expected whole numbers"),
    ],
)
def test_a_row_that_makes_no_sense_is_a_dead_letter_and_the_next_one_a_new_book(broken, reason):
    out = decode(row(START, BOOK), broken, row("5,0,10,1000100,1", BOOK))
    [letter] = out["dead_letters"]
    assert letter["reason"].startswith(reason)
    assert letter["bytes"] == broken
    assert [(e[0], e[3]) for e in events(out)] == [
        ("sync", 0), ("clear", 0), ("add", 50), ("add", 40), ("sync", 1), ("trade", 10),
    ]  # fmt: skip


def test_a_made_up_day_contradicts_itself_nowhere():
    rows = [(9).to_bytes(8, "little") + r for r in lobster_rows(np.random.default_rng(3), 500, 3)]
    out = decode(*rows)
    assert set(out) == {"events"}


def test_a_feed_is_of_one_instrument():
    with pytest.raises(ConfigError, match="lobster: feed 'both' lists 2 instruments; its files are of one"):
        Lobster(Lobster.Parameters(feeds=("both",)), DESK)
