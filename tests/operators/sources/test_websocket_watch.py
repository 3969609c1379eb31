"""Which books are asked for again, and when."""

import itertools

from operators.sources.line import Entry
from operators.sources.websocket_venues import BinanceSpot, BybitSpot
from operators.sources.websocket_watch import Watch
from schemas.market import RawKind
from tests.operators.feeds.binance_session import depth, snapshot
from tests.operators.feeds.test_bybit import delta
from tests.operators.feeds.test_bybit import snapshot as whole
from tests.operators.feeds.venue_session import instruments

PATIENCE_S = 5.0


def watch(*symbols, venue=None):
    return Watch(venue or BybitSpot(), instruments(*(symbols or "X")), 200, PATIENCE_S)


def follow(watching, now_s, *messages):
    watching.follow([Entry(int(now_s * 1e9), RawKind.MESSAGE, message) for message in messages], now_s)


def test_a_book_that_stays_whole_is_never_due():
    watching = watch()
    follow(watching, 0.1, whole(1))
    for update in range(2, 300):
        follow(watching, float(update), delta(update))
        assert watching.due(float(update)) == []
    assert watching.is_whole


def test_a_book_that_does_not_come_is_due_after_patience():
    watching = watch("X", "Y")
    follow(watching, 1.0, whole(1))
    assert watching.due(4.9) == []
    assert watching.due(5.0) == ["Y"]
    assert not watching.is_whole


def test_a_book_that_lost_step_is_due_at_once():
    watching = watch()
    follow(watching, 1.0, whole(1), delta(2))
    follow(watching, 2.0, delta(4))
    assert watching.due(2.0) == ["X"]
    assert watching.due(2.1) == []
    follow(watching, 2.2, whole(9))
    assert watching.due(100.0) == []


def test_a_damaged_message_counts_as_lost_step():
    watching = watch()
    follow(watching, 1.0, whole(1), delta(2).replace(b'"b":', b'"b":7,"z":'))
    assert watching.due(1.0) == ["X"]


def test_waits_double_while_asking_does_not_help_and_start_over_after_a_whole_minute():
    watching, now, asked = watch(), 0.0, []
    while now < 300:
        asked += [now] * len(watching.due(now))
        now += 1
    assert asked == [5, 15, 35, 75, 135, 195, 255]
    follow(watching, 300.0, whole(1))
    assert watching.due(361.0) == []
    follow(watching, 361.0, delta(3))
    assert watching.due(361.0) == ["X"]


def test_a_book_that_keeps_losing_step_is_asked_for_ever_more_rarely():
    watching, now, asked, update = watch(), 0.0, [], 0
    follow(watching, now, whole(0))
    while now < 200:
        update += 10
        follow(watching, now, delta(update))
        if watching.due(now):
            asked.append(now)
            follow(watching, now, whole(update))
        now += 1
    gaps = [b - a for a, b in itertools.pairwise(asked)]
    assert gaps[:4] == [10, 20, 40, 60]


def test_a_new_connection_starts_with_no_book():
    watching = watch()
    follow(watching, 1.0, whole(1))
    watching.restart(10.0)
    assert not watching.is_whole
    assert watching.due(14.0) == []
    assert watching.due(15.0) == ["X"]


def test_tickers_and_trades_of_binance_are_not_decoded():
    watching = watch("BTCUSDT", venue=BinanceSpot())
    follow(
        watching,
        1.0,
        snapshot(5, asks=[("1.1", "2")]),
        depth(6, 7),
        b'{"stream":"btcusdt@trade","data":{"e":"trade","b":"depth"}}',
    )
    assert watching.is_whole
    follow(watching, 2.0, depth(9, 9))
    assert watching.due(2.0) == ["BTCUSDT"]
