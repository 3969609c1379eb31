"""The feed of docs/adding-a-feed.md: the test of a feed of one's own."""

import json
from contextlib import closing
from pathlib import Path

import pytest

from docs.examples.numbered_feed import NumberedFeed
from flows.contract import check_operator
from operators.sources.desk_input import DeskInput
from operators.sources.feed import feed_config
from tests.operators.feeds.venue_session import decoded, operator

SNAPSHOT = [("clear",), ("level", "bid", 10, 1000), ("level", "ask", 12, 2000), ("sync 1", "last")]


def message(number, *bids, asks=(), whole=False, **changes):
    return json.dumps({"s": "X", "n": number, "whole": whole, "ms": 1500, "b": bids, "a": asks} | changes).encode()


def snapshot(number):
    return message(number, ("1.0", "1"), asks=[("1.2", "2")], whole=True)


def test_changes_follow_their_snapshot_by_number():
    out = decoded(NumberedFeed, message(4), snapshot(5), message(6, ("1.1", "3"), ("1.0", "0")))
    assert out.events == [[], SNAPSHOT, [("level", "bid", 11, 3000), ("level", "bid", 10, 0, "last")]]
    assert (out.dead, out.feed_events) == ([], [])


@pytest.mark.parametrize(
    ("number", "feed_event", "is_lost"),
    [(8, ("GAP", 6, 7), True), (4, ("INCONSISTENT", 6, 3), True), (5, ("DUPLICATE", 5, 5), False)],
)
def test_what_does_not_follow_loses_the_book_unless_it_came_twice(number, feed_event, is_lost):
    out = decoded(NumberedFeed, snapshot(5), message(number, ("1.0", "1")), snapshot(9))
    assert out.events == [SNAPSHOT, [("sync 0", "last")] if is_lost else [], SNAPSHOT]
    assert out.feed_events == [(2, *feed_event)]


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (b"{", "message: expected JSON"),
        (b"5", "message: expected an object"),
        (message(6, s="Z"), "s: expected X, Y or a symbol to be ignored"),
        (message(6, ("1.05", "1")), "price: expected a multiple of the tick 0.1"),
        (message(6, ms=None), "ms: expected milliseconds, came None"),
    ],
)
def test_what_is_not_understood_is_a_dead_letter(message, reason):
    [(cause, found)] = decoded(NumberedFeed, snapshot(5), message).dead
    assert (cause, found[: len(reason)]) == (2, reason)


def test_it_keeps_the_contract():
    assert [f"{v.name}: {v.message}" for v in check_operator(NumberedFeed) if not v.passed] == []


def test_it_reads_a_recorded_session(tmp_path: Path):
    lines = [
        {"t": "connect", "conn": "V.1", "ts": 1.0, "addr": "wss://v"},
        {"t": "recv", "conn": "V.1", "ts": 1.5, "data": snapshot(5).decode()},
        {"t": "recv", "conn": "V.1", "ts": 2.5, "data": message(6, ("1.1", "3")).decode()},
    ]
    path = tmp_path / "session.jsonl"
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    feed = feed_config(id="a", format="session", path=path.name, connection="V.1")
    with closing(DeskInput([(feed, path)], 100, None)) as source:
        raw = source.next()
    assert raw is not None
    events = operator(NumberedFeed, "X").process({"raw": raw})["events"]
    assert events[["ts", "qty"]].tolist() == [
        (1_500_000_000, 0), (1_500_000_000, 1000), (1_500_000_000, 2000), (1_500_000_000, 1), (2_500_000_000, 3000)
    ]  # fmt: skip
