"""Coinbase's messages in, events out."""

import orjson
import pytest

from operators.feeds.coinbase import Coinbase
from schemas.market import EventKind, FeedEventKind
from tests.operators.feeds.venue_session import decoded, operator, reconnected

SNAPSHOT = [("clear",), ("level", "bid", 10, 1000), ("level", "ask", 12, 2000), ("sync 1", "last")]
TIME = "1970-01-01T00:00:01.500000001Z"


def message(number, channel, *events, **changes):
    return orjson.dumps({"channel": channel, "timestamp": TIME, "sequence_num": number, "events": events} | changes)


def level(side="bid", price="1.0", quantity="1", time="1970-01-01T00:00:01.25Z"):
    return {"side": side, "event_time": time, "price_level": price, "new_quantity": quantity}


def book(kind, *updates, product="X"):
    return {"type": kind, "product_id": product, "updates": updates}


def snapshot(number, product="X"):
    return message(number, "l2_data", book("snapshot", level(), level("offer", "1.2", "2"), product=product))


def update(number, *updates, product="X"):
    return message(number, "l2_data", book("update", *updates, product=product))


def trades(number, kind="update", **changes):
    terms = {"product_id": "X", "trade_id": "7", "price": "1.2", "size": "0.5", "time": TIME, "side": "SELL"}
    return message(number, "market_trades", {"type": kind, "trades": [terms | changes]})


def ticker(number, **changes):
    prices = {"best_bid": "1.0", "best_bid_quantity": "0.25", "best_ask": "1.5", "best_ask_quantity": "3"}
    return message(number, "ticker", {"type": "update", "tickers": [{"product_id": "X"} | prices | changes]})


def decode(*messages, **parameters):
    return decoded(Coinbase, *messages, **parameters)


def test_messages_of_all_channels_are_numbered_through():
    heartbeat = message(1, "heartbeats", {"heartbeat_counter": 5})
    bid, gone = level(price="1.1", quantity="3"), level(quantity="0")
    out = decode(snapshot(0), heartbeat, update(2, level("offer", "1.3", "4"), bid, gone), ticker(3), trades(4))
    assert out.events == [
        SNAPSHOT,
        [],
        [("level", "bid", 11, 3000), ("level", "bid", 10, 0), ("level", "ask", 13, 4000, "last")],
        [("quote", "bid", 10, 250), ("quote", "ask", 15, 3000, "last")],
        [("trade", "ask", 12, 500, "last")],
    ]
    assert (out.dead, out.feed_events) == ([], [])
    rows = out.rows["events"][["order", "ts_event"]].tolist()
    assert rows == [(0, 1_250_000_000)] * 4 + [(2, 1_250_000_000)] * 3 + [(3, 1_500_000_001)] * 2 + [(7, 1_500_000_001)]


def test_a_gap_loses_every_book_until_its_snapshot():
    out = decode(snapshot(0), snapshot(1, "Y"), ticker(5), update(6, level()), snapshot(7, "Y"), update(8, level()))
    lost = [("sync 0", "last")]
    assert out.events[:2] == [SNAPSHOT, SNAPSHOT]
    assert out.events[2] == [*lost, *lost, ("quote", "bid", 10, 250), ("quote", "ask", 15, 3000, "last")]
    assert out.events[3:] == [[], SNAPSHOT, []]
    assert out.feed_events == [(3, "GAP", 2, 4)]
    assert out.rows["feed_events"]["instrument"].tolist() == [-1]


def test_a_message_that_came_twice_is_ignored_and_one_that_begins_anew_loses_the_books():
    out = decode(snapshot(3), update(4, level()), update(4, level()), update(5, level()), update(2, level()))
    change = [("level", "bid", 10, 1000, "last")]
    assert out.events == [SNAPSHOT, change, [], change, [("sync 0", "last")]]
    assert out.feed_events == [(3, "DUPLICATE", 4, 4), (5, "INCONSISTENT", 2, 5)]


def test_a_late_message_is_told_from_a_new_beginning_by_its_time():
    def at(second, told):
        return told.replace(TIME.encode(), TIME.replace("01.5", f"0{second}.5").encode())

    fresh = level(price="1.1")
    late = decode(at(3, snapshot(3)), at(5, update(5, level())), at(4, snapshot(4)), at(6, snapshot(6)))
    assert late.events == [SNAPSHOT, [("sync 0", "last")], [], SNAPSHOT]
    assert late.feed_events == [(2, "GAP", 4, 4), (3, "OUT_OF_ORDER", 4, 5)]
    again = decode(at(3, snapshot(8)), at(4, snapshot(0)), at(5, update(1, fresh)))
    assert again.events == [SNAPSHOT, [("sync 0", "last"), *SNAPSHOT], [("level", "bid", 11, 1000, "last")]]
    assert again.feed_events == [(2, "INCONSISTENT", 0, 8)]


def test_a_rejected_change_of_books_loses_all_but_a_rejected_ticker_none():
    out = decode(snapshot(0), snapshot(1, "Y"), ticker(2, best_bid="x"), update(3, level(side="left")))
    assert out.events == [SNAPSHOT, SNAPSHOT, [], [("sync 0", "last")] * 2]
    assert [cause for cause, _ in out.dead] == [3, 4]
    assert out.feed_events == []


def test_several_books_in_a_message_change_all_or_none():
    both = message(2, "l2_data", book("update", level()), book("update", level("offer"), product="Y"))
    bad = message(2, "l2_data", book("update", level()), book("update", level(price="1.05"), product="Y"))
    changed = [("level", "bid", 10, 1000, "last"), ("level", "ask", 10, 1000, "last")]
    assert decode(snapshot(0), snapshot(1, "Y"), both).events[2] == changed
    assert decode(snapshot(0), snapshot(1, "Y"), bad).events[2] == [("sync 0", "last")] * 2


@pytest.mark.parametrize(
    "message",
    [
        message(9, "subscriptions", {"subscriptions": {}}),
        message(9, "candles", {"type": "update", "candles": []}),
        trades(9, kind="snapshot"),
        trades(9, product_id="Z"),
        ticker(9, product_id="Z"),
        snapshot(9, "Z"),
        update(9, level()),  # before any snapshot
    ],
)
def test_what_says_nothing_or_is_of_no_concern_is_ignored(message):
    assert decode(message, ignored=("Z",)).rows == {}


@pytest.mark.parametrize(
    ("message", "reason", "lost"),
    [
        (b"", "message: expected JSON", 0),
        (b"5", "message: expected an object, came 5", 0),
        (b'{"type":"error","message":"no"}', "message: expected one of a channel", 0),
        (message(-1, "ticker"), "sequence_num: expected an id, came -1", 0),
        (message(1, "fills"), "channel: expected l2_data, market_trades or ticker, came 'fills'", 0),
        (message(1, "ticker", 5), "events: expected a list of objects, came [5]", 0),
        (message(1, "ticker", timestamp="1970-13-01T00:00:00Z"), "timestamp: expected a time like", 0),
        (ticker(1, product_id="Z"), "product_id: expected X, Y or a symbol to be ignored, came 'Z'", 0),
        (ticker(1, best_ask="0"), "best ask: expected price and quantity above 0", 0),
        (trades(1, trade_id=7), "trade_id: expected a string of digits, came 7", 0),
        (trades(1, side="BID"), "side: expected BUY or SELL, came 'BID'", 0),
        (trades(1, size="0.0"), "trade: expected price and quantity above 0, came '1.2', '0.0'", 0),
        (update(1, level(price=1.0)), "price: expected a plain decimal string", 1),
        (update(1, {"side": "bid"}), "event_time: expected a time like", 1),
        (update(1, {"side": "bid", "event_time": TIME}), "bid: expected levels of {side, price_level", 1),
        (update(1, level(), product="Z"), "product_id: expected X, Y", 1),
        (message(1, "l2_data", book("new")), "type: expected snapshot or update, came 'new'", 1),
    ],
)
def test_what_is_not_understood_is_one_dead_letter(message, reason, lost):
    out = decode(snapshot(0), message)
    assert [cause for cause, _ in out.dead] == [2]
    assert out.dead[0][1].startswith(reason)
    assert out.events == [SNAPSHOT, [("sync 0", "last")] * lost]


def test_a_connection_opened_anew_counts_anew():
    events, feed_events = reconnected(operator(Coinbase, "X"), [snapshot(7)], [ticker(0), update(1), snapshot(2)])
    whole = [(EventKind.CLEAR, 0), (EventKind.LEVEL, 1000), (EventKind.LEVEL, 2000), (EventKind.SYNC, 1)]
    quotes = [(EventKind.QUOTE, 250), (EventKind.QUOTE, 3000)]
    assert events == [*whole, (EventKind.SYNC, 0), *quotes, *whole]
    assert feed_events == [(FeedEventKind.RECONNECT, 3)]
