"""Bybit's messages in, events out."""

import orjson
import pytest

from operators.feeds.bybit import Bybit
from schemas.market import EventKind, FeedEventKind
from tests.operators.feeds.venue_session import decoded, interrupted, operator, reconnected

SNAPSHOT = [("clear",), ("level", "bid", 10, 1000), ("level", "ask", 12, 2000), ("sync 1", "last")]


def message(topic, kind, data, **fields):
    return orjson.dumps({"topic": topic, "type": kind, "ts": 1600, "data": data, **fields})


def book(kind, update, bids=(), asks=(), topic="orderbook.200.X", **fields):
    data = {"s": "X", "b": bids, "a": asks, "u": update, "seq": 5} | fields
    return message(topic, kind, data, cts=1500)


def snapshot(update, **fields):
    return book("snapshot", update, [["1.0", "1"]], [["1.2", "2"]], **fields)


def delta(update, *bids, **fields):
    return book("delta", update, bids, **fields)


def trades(**changes):
    terms = {"T": 2250, "s": "X", "S": "Buy", "v": "0.5", "p": "1.2", "seq": 7}
    return message("publicTrade.X", "snapshot", [terms | changes])


def ticker(kind="snapshot", **fields):
    return message("tickers.X", kind, {"symbol": "X", **fields}, cs=8)


BEST = {"bid1Price": "1.0", "bid1Size": "0.25", "ask1Price": "1.5", "ask1Size": "3"}


def decode(*messages, **parameters):
    return decoded(Bybit, *messages, **parameters)


def test_each_update_has_the_next_id():
    out = decode(snapshot(5), delta(6, ["1.1", "3"], ["1.0", "0"]), delta(7), snapshot(7), snapshot(1), delta(2))
    changed = [("level", "bid", 11, 3000), ("level", "bid", 10, 0, "last")]
    assert out.events == [SNAPSHOT, changed, [], [], SNAPSHOT, []]  # 7 again: nothing happened; 1: the venue restarted
    assert (out.dead, out.feed_events) == ([], [])
    assert out.rows["events"][["order", "ts_event"]].tolist()[3:6] == [(5, 1_500_000_000)] + [(6, 1_500_000_000)] * 2


@pytest.mark.parametrize(
    ("update", "feed_event", "is_lost"),
    [(8, ("GAP", 6, 7), True), (4, ("INCONSISTENT", 6, 3), True), (5, ("DUPLICATE", 5, 5), False)],
)
def test_one_that_does_not_follow_loses_the_book_unless_it_came_twice(update, feed_event, is_lost):
    out = decode(snapshot(5), delta(update, ["1.0", "3"]), delta(6, ["1.0", "3"]), snapshot(20))
    lost = [[("sync 0", "last")], []] if is_lost else [[], [("level", "bid", 10, 3000, "last")]]
    assert out.events == [SNAPSHOT, *lost, SNAPSHOT]
    assert out.feed_events == [(2, *feed_event)]


def test_trades_and_tickers_of_which_deltas_tell_what_changed():
    out = decode(
        ticker("delta", **BEST), ticker(**BEST), ticker("delta", bid1Size="1"), ticker("delta", lastPrice="1"),
        trades(), trades(S="Sell"), ticker(bid1Price="", bid1Size="", ask1Price="1.5", ask1Size="3"),
    )  # fmt: skip
    ask = ("quote", "ask", 15, 3000, "last")
    assert out.events == [
        [],
        [("quote", "bid", 10, 250), ask],
        [("quote", "bid", 10, 1000), ask],
        [],
        [("trade", "ask", 12, 500, "last")],
        [("trade", "bid", 12, 500, "last")],
        [("quote", "bid", 0, 0), ask],
    ]
    assert out.rows["events"][["order", "ts_event"]].tolist()[4:6] == [(7, 2_250_000_000)] * 2
    assert out.rows["events"][["order", "ts_event"]].tolist()[0] == (8, 1_600_000_000)


@pytest.mark.parametrize(
    "message",
    [
        b'{"success":true,"ret_msg":"","conn_id":"x","op":"subscribe"}',
        b'{"req_id":"1","op":"pong"}',
        message("kline.1.X", "snapshot", []),
        message("allLiquidation.X", "snapshot", []),
        ticker(lastPrice="1"),  # of spot
        message("publicTrade.Z", "snapshot", []),
        delta(5, ["1.0", "1"]),  # before any snapshot
    ],
)
def test_what_says_nothing_or_is_of_no_concern_is_ignored(message):
    assert decode(message, ignored=("Z",)).rows == {}


@pytest.mark.parametrize(
    ("message", "reason", "is_change"),
    [
        (b"", "message: expected JSON", False),
        (b"5", "message: expected an object, came 5", False),
        (b'{"success":false,"op":"subscribe","ret_msg":"no"}', "op: expected success", False),
        (b"{}", "topic: expected a string, came None", False),
        (message("fills.X", "delta", {}), "topic: expected orderbook, publicTrade or tickers", False),
        (message("publicTrade.Z", "delta", []), "topic: expected X, Y or a symbol to be ignored, came 'Z'", False),
        (message("publicTrade.X", "delta", {}), "data: expected a list of objects", False),
        (trades(S="buy"), "S: expected Buy or Sell, came 'buy'", False),
        (trades(T="2250"), "T: expected milliseconds, came '2250'", False),
        (trades(v=""), "trade: expected price and quantity above 0", False),
        (ticker("new", **BEST), "type: expected snapshot or delta, came 'new'", False),
        (ticker(bid1Price="1.0"), "bid1Size: expected, came none", False),
        (message("tickers.X", "delta", []), "data: expected an object, came []", False),
        (delta(6, topic="orderbook.50.X"), "topic: expected orderbook.200, as `depth` says", True),
        (delta(6, s="Y"), "s: expected X, came 'Y'", True),
        (delta("6"), "u: expected an id, came '6'", True),
        (delta(6, ["1.0"]), "b: expected levels of [price, size]", True),
        (delta(6, ["1.05", "1"]), "price: expected a multiple of the tick 0.1", True),
        (delta(6, ["1.0", []]), "b: expected decimal strings", True),
        (delta(6, b=None), "b: expected a list of levels, came None", True),
    ],
)
def test_what_is_not_understood_is_one_dead_letter_and_a_hole_in_the_book_it_would_change(message, reason, is_change):
    out = decode(snapshot(5), message)
    assert [cause for cause, _ in out.dead] == [2]
    assert out.dead[0][1].startswith(reason)
    assert out.events == [SNAPSHOT, [("sync 0", "last")] if is_change else []]


def test_a_lost_connection_leaves_no_book_whole():
    """What follows the last message seen does not help: only a snapshot does."""
    events, feed_events = interrupted(operator(Bybit, "X"), [snapshot(5)], [delta(6, ["1.0", "1"]), snapshot(7)])
    whole = [(EventKind.CLEAR, 0), (EventKind.LEVEL, 1000), (EventKind.LEVEL, 2000), (EventKind.SYNC, 1)]
    assert events == [*whole, (EventKind.SYNC, 0), *whole]
    assert feed_events == []


def test_a_connection_opened_anew_begins_with_nothing():
    events, feed_events = reconnected(operator(Bybit, "X"), [snapshot(5)], [delta(6, ["1.0", "1"]), snapshot(6)])
    whole = [(EventKind.CLEAR, 0), (EventKind.LEVEL, 1000), (EventKind.LEVEL, 2000), (EventKind.SYNC, 1)]
    assert events == [*whole, (EventKind.SYNC, 0), *whole]
    assert feed_events == [(FeedEventKind.RECONNECT, 3)]
