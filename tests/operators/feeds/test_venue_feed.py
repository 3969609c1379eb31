"""What all venues with several instruments on a connection have in common."""

import pytest
from pydantic import ValidationError

from operators.feeds.bybit import Bybit
from operators.feeds.coinbase import Coinbase
from operators.feeds.kraken import Kraken
from operators.feeds.okx import Okx
from operators.feeds.raw_log import raw_frame
from operators.operator import Desk, Feed, copy_state
from operators.registry import find
from schemas.errors import ConfigError
from schemas.market import EventKind, FeedEventKind
from tests.operators.feeds.test_bybit import delta, snapshot
from tests.operators.feeds.venue_session import instruments, operator

VENUES = {"kraken": Kraken, "okx": Okx, "coinbase": Coinbase, "bybit": Bybit}


@pytest.mark.parametrize(("name", "cls"), VENUES.items())
def test_the_registry_knows_them(name, cls):
    assert find(name) is cls


@pytest.mark.parametrize("cls", VENUES.values())
@pytest.mark.parametrize("seed", [3, 4])
def test_the_examples_have_everything(cls, seed):
    example = cls.example(seed)
    out = cls(cls.Parameters(**example.parameters), example.desk).process(example.frames)
    kinds = out["events"]["kind"].tolist()
    assert {EventKind.LEVEL, EventKind.CLEAR, EventKind.SYNC, EventKind.TRADE, EventKind.QUOTE} == set(kinds)
    syncs = out["events"]["qty"][out["events"]["kind"] == EventKind.SYNC].tolist()
    assert min(syncs.count(0), syncs.count(1)) > 3
    admitted = set(out["feed_events"]["kind"].tolist())
    assert FeedEventKind.RECONNECT in admitted
    assert admitted & {FeedEventKind.GAP, FeedEventKind.CHECKSUM}
    assert len(out["dead_letters"]) > 3
    assert cls.example(seed).frames["raw"].data.tobytes() == example.frames["raw"].data.tobytes()


def told(venue, *log):
    """Events as (kind, qty) and reasons of dead letters, per entry of (feed, message)."""
    out = venue.process({"raw": raw_frame(list(log))})
    events = [[] for _ in log]
    for cause, kind, qty in out["events"][["cause", "kind", "qty"]].tolist():
        events[cause - 1].append((EventKind(kind).name, qty))
    return events, dict(out["dead_letters"][["cause", "reason"]].tolist()) if "dead_letters" in out else {}


WHOLE = [("CLEAR", 0), ("LEVEL", 1000), ("LEVEL", 2000), ("SYNC", 1)]


def test_a_book_is_told_by_the_feed_that_brought_its_snapshot():
    venue = operator(Bybit, "X", feeds=2)
    events, dead = told(venue, (0, snapshot(5)), (1, delta(6, ["1.0", "1"])), (0, delta(6, ["1.0", "1"])))
    assert events == [WHOLE, [], [("LEVEL", 1000)]]
    assert dead == {2: "X: expected its book from one feed alone, came a change from another than its snapshot"}


def test_a_snapshot_on_another_feed_takes_the_book_over():
    venue = operator(Bybit, "X", feeds=2)
    events, dead = told(venue, (0, snapshot(5)), (1, snapshot(5)), (1, delta(6, ["1.0", "1"])), (0, delta(7)))
    assert events == [WHOLE, WHOLE, [("LEVEL", 1000)], []]
    assert list(dead) == [4]


def test_books_that_checksums_are_made_of_are_part_of_the_state():
    example = Kraken.example(5)
    one, other = (Kraken(Kraken.Parameters(**example.parameters), example.desk) for _ in range(2))
    one.process(example.frames)
    state = one.snapshot()
    other.restore(copy_state(state))
    again = example.frames
    assert {k: v.tolist() for k, v in one.process(again).items()} == {
        k: v.tolist() for k, v in other.process(again).items()
    }


@pytest.mark.parametrize("cls", VENUES.values())
@pytest.mark.parametrize(
    ("feeds", "definitions", "message"),
    [
        ((Feed("b", ("x",)),), ("X",), "feed 'a' is not a feed of desk 'd'; known: b"),
        ((Feed("a"),), ("X",), "feed 'a' lists no instruments; name those it speaks of"),
        ((Feed("a", ("y",)),), ("X",), "feed 'a' speaks of 'y', which desk 'd' does not have"),
    ],
)
def test_configurations_that_cannot_work_are_refused(cls, feeds, definitions, message):
    with pytest.raises(ConfigError, match=f"{cls.__name__.lower()}: {message}"):
        cls(cls.Parameters(feeds=("a",)), Desk("d", instruments(*definitions), feeds=feeds))


def test_two_instruments_of_one_symbol_on_one_feed_are_refused():
    first = instruments("X")[0]
    second = first.model_copy(update={"id": "other"})
    desk = Desk("d", (first, second), feeds=(Feed("a", ("x", "other")),))
    with pytest.raises(ConfigError, match="feed 'a' lists two instruments with the symbol 'X'; keep one"):
        Bybit(Bybit.Parameters(feeds=("a",)), desk)


def test_impossible_parameters_are_refused():
    for parameters in ({"feeds": ()}, {"feeds": ("a", "a")}, {"feeds": ("a",), "depth": 11}):
        with pytest.raises(ValidationError):
            Kraken.Parameters(**parameters)
