"""Kraken's messages in, events out."""

import json
from zlib import crc32

import pytest

from operators.feeds.kraken import Kraken
from schemas.market import EventKind, FeedEventKind
from tests.operators.feeds.venue_session import decoded, operator, reconnected

SNAPSHOT = [("clear",), ("level", "bid", 10, 1000), ("level", "ask", 12, 2000), ("sync 1", "last")]
# The book of the venue's own guide to its checksum, which is 3310070434.
GUIDE_ASKS = """45285.2 0.00100000 45286.4 1.54571953 45286.6 1.54571109 45289.6 1.54560911 45290.2 0.15890660
45291.8 1.54553491 45294.7 0.04454749 45296.1 0.35380000 45297.5 0.09945542 45299.5 0.18772827"""
GUIDE_BIDS = """45283.5 0.10000000 45283.4 1.54582015 45282.1 0.10000000 45281.0 0.10000000 45280.3 1.54592586
45279.0 0.07990000 45277.6 0.03310103 45277.5 0.30000000 45277.3 1.54602737 45276.6 0.15445238"""


def levels(text):
    words = text.split()
    return ",".join(f'{{"price":{p},"qty":{q}}}' for p, q in zip(words[::2], words[1::2], strict=True))


def crc(asks, bids):
    """Of the best levels: "price qty …", asks first."""
    return crc32("".join(w.replace(".", "").lstrip("0") for w in (asks + " " + bids).split()).encode())


def book(kind, bids="", asks="", checksum=0, symbol="X", time=',"timestamp":"1970-01-01T00:00:01.5Z"'):
    told = f'"symbol":"{symbol}","bids":[{levels(bids)}],"asks":[{levels(asks)}],"checksum":{checksum}{time}'
    return f'{{"channel":"book","type":"{kind}","data":[{{{told}}}]}}'.encode()


def snapshot(bids="1.0 1", asks="1.2 2", **changes):
    return book("snapshot", bids, asks, **{"checksum": crc(asks, bids), "time": ""} | changes)


def message(channel, kind="update", **fields):
    return json.dumps({"channel": channel, "type": kind, "data": [{"symbol": "X", **fields}]}).encode()


def trade(**changes):
    terms = {"side": "buy", "price": 1.2, "qty": 0.5, "trade_id": 7, "timestamp": "1970-01-01T00:00:02.25Z"}
    return message("trade", **terms | changes)


def ticker(**changes):
    return message("ticker", **{"bid": 1.0, "bid_qty": 0.25, "ask": 1.5, "ask_qty": 3} | changes)


def first(*parts, channel="book-10", pair="X"):
    """Of version 1."""
    return json.dumps([0, *parts, channel, pair]).encode()


def decode(*messages, **parameters):
    return decoded(Kraken, *messages, **parameters)


def test_the_checksum_of_the_guide_agrees():
    out = decode(book("snapshot", GUIDE_BIDS, GUIDE_ASKS, 3310070434))
    assert (out.dead, out.feed_events) == ([], [])
    assert out.events[0][-1] == ("sync 1", "last")
    assert out.events[0][1] == ("level", "bid", 452835, 100)
    assert decode(book("snapshot", GUIDE_BIDS, GUIDE_ASKS, 3310070435)).feed_events == [
        (1, "CHECKSUM", 3310070435, 3310070434)
    ]


def test_updates_set_and_remove_levels_and_keep_the_time():
    out = decode(snapshot(), book("update", "1.1 0.500 1.0 0", "1.2 3", crc("1.2 3", "1.1 0.500")))
    changed = [("level", "bid", 11, 500), ("level", "bid", 10, 0), ("level", "ask", 12, 3000, "last")]
    assert out.events == [SNAPSHOT, changed]
    assert out.rows["events"]["ts_event"].tolist() == [0] * 4 + [1_500_000_000] * 3
    assert out.feed_events == []


def test_a_checksum_that_differs_loses_the_book_until_a_snapshot():
    wrong = book("update", "1.1 1", "", 5)
    out = decode(snapshot(), wrong, wrong, snapshot(), book("update", "1.1 1", "", crc("1.2 2", "1.1 1 1.0 1")))
    assert out.events == [SNAPSHOT, [("sync 0", "last")], [], SNAPSHOT, [("level", "bid", 11, 1000, "last")]]
    assert out.feed_events == [(2, "CHECKSUM", 5, crc("1.2 2", "1.1 1 1.0 1"))]
    assert out.dead == []


def test_levels_behind_the_depth_subscribed_to_go():
    bids = " ".join(f"{9 - i / 10:.1f} 1" for i in range(10))
    better = f"9.2 1 9.1 1 {bids}"
    out = decode(snapshot(bids), book("update", "9.2 1 9.1 1", "", crc("1.2 2", " ".join(better.split()[:20]))))
    assert out.events[1] == [
        ("level", "bid", 92, 1000),
        ("level", "bid", 91, 1000),
        ("level", "bid", 82, 0),
        ("level", "bid", 81, 0, "last"),
    ]
    assert out.feed_events == []


def test_changes_before_any_snapshot_are_ignored():
    assert decode(book("update", "1.1 1", "", 5)).rows == {}


def test_version_1_tells_the_same():
    whole = {"as": [["1.2", "2", "9.5"]], "bs": [["1.0", "1", "9.5"]]}
    bid = {"b": [["1.1", "0.500", "2.25"]], "c": str(crc("1.2 3", "1.1 0.500 1.0 1"))}
    out = decode(first(whole), first({"a": [["1.2", "3", "2.125", "r"]]}, bid))
    assert out.events == [SNAPSHOT, [("level", "bid", 11, 500), ("level", "ask", 12, 3000, "last")]]
    assert out.rows["events"]["ts_event"].tolist() == [0] * 4 + [2_250_000_000] * 2
    assert out.feed_events == []


def test_trades_and_tickers_of_both_versions():
    ask, bid = ["1.5", 3, "3.000"], ["1.0", 0, "0.25"]
    sold = ["1.0", "0.5", "3.5", "s", "m", ""]
    out = decode(
        trade(), trade(side="sell"), message("trade", "snapshot"), ticker(),
        first([sold, sold], channel="trade"), first({"a": ask, "b": bid}, channel="ticker"),
    )  # fmt: skip
    best = [("quote", "bid", 10, 250), ("quote", "ask", 15, 3000, "last")]
    resting = ("trade", "bid", 10, 500, "last")
    assert out.events == [
        [("trade", "ask", 12, 500, "last")], [("trade", "bid", 12, 500, "last")], [], best, [resting, resting], best
    ]  # fmt: skip
    events = out.rows["events"]
    trades = events[events["kind"] == EventKind.TRADE]
    assert trades[["order", "ts_event"]].tolist() == [(7, 2_250_000_000)] * 2 + [(0, 3_500_000_000)] * 2


@pytest.mark.parametrize(
    "message",
    [
        b'{"channel":"heartbeat"}',
        b'{"channel":"status","type":"update","data":[]}',
        b'{"method":"subscribe","success":true,"result":{}}',
        b'{"method":"pong"}',
        b'{"event":"heartbeat"}',
        b'{"event":"systemStatus","status":"online"}',
        b'{"event":"subscriptionStatus","status":"subscribed","pair":"X"}',
        first([], channel="ohlc-5"),
        trade(symbol="Z"),
        ticker(symbol="Z"),
        book("update", "1.1 1", "", 5, symbol="Z"),
        first({"b": []}, pair="Z"),
    ],
)
def test_what_says_nothing_or_is_of_no_concern_is_ignored(message):
    assert decode(message, ignored=("Z",)).rows == {}


@pytest.mark.parametrize(
    ("message", "reason", "is_change"),
    [
        (b"", "message: expected JSON", False),
        (b"5", "message: expected one of a channel, or an answer, came 5", False),
        (b"{}", "message: expected one of a channel, or an answer", False),
        (b'{"method":"subscribe","success":false,"error":"no"}', "message: expected", False),
        (b'{"event":"subscriptionStatus","status":"error"}', "message: expected", False),
        (b"[1,2]", "message: expected [id, part, channel, pair]", False),
        (message("fills"), "channel: expected book, trade or ticker, came 'fills'", False),
        (first({}, channel="own"), "channel: expected book, trade or ticker, came 'own'", False),
        (ticker(symbol="Z"), "symbol: expected X, Y or a symbol to be ignored, came 'Z'", False),
        (book("new", "1.1 1"), "type: expected snapshot or update, came 'new'", False),
        (b'{"channel":"book","type":"update","data":[]}', "data: expected one object, came 0", False),
        (ticker(bid="x"), "price: expected a plain decimal", False),
        (trade(qty=0), "trade: expected price and quantity above 0", False),
        (trade(side=None), "side: expected b or s or buy or sell, came None", False),
        (trade(timestamp="now"), "timestamp: expected a time like", False),
        (book("update", "1.1 1", checksum=-1), "checksum: expected an id, came -1", True),
        (book("update", "1.05 1"), "price: expected a multiple of the tick 0.1, came '1.05'", True),
        (book("update", "1e1 1"), "price: expected a plain decimal string", True),
        (book("update", "0 1"), "bids: expected prices above 0", True),
        (first({"b": [["1.1", "1", "2"]]}), "c: expected a string of digits, came None", True),
        (first({"b": [["1.1", "1", "x"]], "c": "1"}), "time: expected seconds", True),
        (first({"b": [["1.1", "1"]], "c": "1"}), "b: expected levels of [price, volume, time]", True),
        (first({"b": [], "c": "1"}, channel="book-25"), "channel: expected book-10, as `depth` says", True),
    ],
)
def test_what_is_not_understood_is_one_dead_letter_and_a_hole_in_the_book_it_would_change(message, reason, is_change):
    out = decode(snapshot(), message)
    assert [cause for cause, _ in out.dead] == [2]
    assert out.dead[0][1].startswith(reason)
    assert out.events == [SNAPSHOT, [("sync 0", "last")] if is_change else []]


def test_a_connection_opened_anew_begins_with_nothing():
    events, feed_events = reconnected(operator(Kraken, "X"), [snapshot()], [book("update", "1.1 1"), snapshot()])
    whole = [(EventKind.CLEAR, 0), (EventKind.LEVEL, 1000), (EventKind.LEVEL, 2000), (EventKind.SYNC, 1)]
    assert events == [*whole, (EventKind.SYNC, 0), *whole]
    assert feed_events == [(FeedEventKind.RECONNECT, 3)]
