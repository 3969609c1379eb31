"""Silent feeds, from the input log to the quotes of their instruments."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from operators.book.book import Book, BookParameters
from operators.integrity.silence import Silence
from operators.integrity.silence_example import silence_example
from operators.operator import Desk
from schemas.errors import ConfigError
from schemas.market import EVENTS, LAST, RAW, BookState, EventKind, FeedEventKind, RawFrame, RawKind, Side

DESK: Desk = silence_example(0).desk
A, B, C = range(3)
X, Y, Z = range(3)
MESSAGE, TICK, CONNECT = RawKind.MESSAGE, RawKind.TICK, RawKind.CONNECT
STALE, FRESH = FeedEventKind.STALE, FeedEventKind.FRESH


def raw(*entries: tuple[int, RawKind, int], first: int = 1) -> RawFrame:
    """Entries (time, kind, feed)."""
    rows = [(first + i, ts, kind, feed, 0, 0) for i, (ts, kind, feed) in enumerate(entries)]
    return RawFrame(RAW.rows(rows), np.empty(0, np.uint8))


def silence(after: Any = 10) -> Silence:
    return Silence(Silence.Parameters.model_validate({"after": after}), DESK)


def feed_events(frames: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    rows = frames.get("feed_events", ())
    return [(int(r["cause"]), int(r["feed"]), FeedEventKind(r["kind"]), int(r["first"]), int(r["last"])) for r in rows]


def marks(frames: Mapping[str, Any]) -> list[tuple[int, ...]]:
    """(cause, instrument, qty) of what is told of silences."""
    rows = frames["events"]
    return rows[rows["kind"] == EventKind.SILENCE][["cause", "instrument", "qty"]].tolist()


def test_a_feed_falls_silent_when_another_entry_comes_too_late_behind_its_last_message():
    told = silence().process({"raw": raw((100, MESSAGE, X), (110, MESSAGE, Y), (111, TICK, -1))})
    assert feed_events(told) == [(3, X, STALE, 100, 11), (3, Z, STALE, 100, 11)]
    assert marks(told) == [(3, A, 1), (3, B, 1), (3, C, 1)]


def test_only_messages_are_heard():
    told = silence({"x": 10}).process({"raw": raw((100, MESSAGE, X), (105, CONNECT, X), (111, TICK, -1))})
    assert feed_events(told) == [(3, X, STALE, 100, 11)]


def test_feeds_that_are_not_listed_may_be_silent_for_ever():
    told = silence({"x": 10, "y": 50}).process({"raw": raw((0, MESSAGE, X), (50, MESSAGE, Z), (51, MESSAGE, Z))})
    assert feed_events(told) == [(2, X, STALE, 0, 50), (3, Y, STALE, 0, 51)]
    assert marks(told) == [(2, A, 1), (2, B, 1), (3, C, 1)]


def test_an_instrument_is_stale_until_all_its_watched_feeds_have_spoken():
    operator = silence({"x": 10, "y": 10})
    operator.process({"raw": raw((0, MESSAGE, X), (11, TICK, -1))})
    told = operator.process({"raw": raw((12, MESSAGE, X), (13, MESSAGE, Y), first=3)})
    assert feed_events(told) == [(3, X, FRESH, 0, 12), (4, Y, FRESH, 0, 13)]
    assert marks(told) == [(3, A, 0), (4, B, 0), (4, C, 0)]


def test_a_silence_that_no_other_entry_saw_is_told_by_the_feed_alone():
    told = silence({"x": 10}).process({"raw": raw((100, MESSAGE, X), (111, MESSAGE, X))})
    assert feed_events(told) == [(2, X, STALE, 100, 11), (2, X, FRESH, 100, 11)]
    assert marks(told) == []


def test_events_pass_as_they_are_and_behind_what_is_told_of_silences_at_their_entry():
    events = EVENTS.rows([event(cause, EventKind.TRADE, A) for cause in (1, 2, 3)])
    told = silence({"x": 10}).process(
        {"raw": raw((0, MESSAGE, X), (11, MESSAGE, Z), (12, MESSAGE, X)), "events": events}
    )
    kinds = [(int(row["cause"]), EventKind(row["kind"]).name) for row in told["events"]]
    assert kinds == [
        (1, "TRADE"),
        (2, "SILENCE"),
        (2, "SILENCE"),
        (2, "TRADE"),
        (3, "SILENCE"),
        (3, "SILENCE"),
        (3, "TRADE"),
    ]
    assert silence().process({"raw": raw((0, MESSAGE, X)), "events": events})["events"] is events


def event(cause: int, kind: EventKind, instrument: int, **fields: int) -> tuple[int, ...]:
    known = {"cause": cause, "kind": kind, "instrument": instrument, "flags": LAST, **fields}
    return tuple(known.get(column.name, 0) for column in EVENTS.columns)


def test_a_stale_instrument_is_quoted_stale_at_once_and_fresh_with_its_own_next_message():
    opening = [
        (kind, fields)
        for kind, fields in (
            (EventKind.SYNC, {"qty": 1}),
            (EventKind.ADD, {"order": 1, "side": Side.BID, "price": 10, "qty": 5}),
            (EventKind.ADD, {"order": 2, "side": Side.ASK, "price": 11, "qty": 5}),
        )
    ]
    events = [event(1, kind, i, **fields) for i in (A, B) for kind, fields in opening]
    trades = [event(4, EventKind.TRADE, A), event(5, EventKind.TRADE, B)]
    log = raw((0, MESSAGE, X), (5, MESSAGE, Z), (11, MESSAGE, Z), (12, MESSAGE, X), (13, MESSAGE, X))
    operator, book = silence({"x": 10}), Book(BookParameters(), DESK)
    told = operator.process({"raw": log, "events": EVENTS.rows([*events, *trades])})
    quotes = book.process({"events": told["events"]})["quotes"]
    states = quotes[quotes["cause"] > 1][["cause", "instrument", "bid", "state"]].tolist()
    assert states == [
        (3, A, 10, BookState.STALE),
        (3, B, 10, BookState.STALE),
        (4, A, 10, BookState.OK),
        (5, B, 10, BookState.OK),
    ]


@pytest.mark.parametrize("after", ["0s", {}, {"x": "0s"}, {"x": "5s", "y": -1}])
def test_a_silence_of_no_length_is_refused(after):
    with pytest.raises(ValidationError, match=r"longer than nothing, such as 5s"):
        silence(after)


def test_an_unknown_feed_is_refused():
    with pytest.raises(ConfigError, match=r"feed 'w' is not a feed of desk 'example'; known: x, y, z"):
        silence({"w": "5s"})
