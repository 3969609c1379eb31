"""OKX's messages in, events out."""

from zlib import crc32

import orjson
import pytest

from operators.feeds.okx import Okx
from schemas.market import EventKind, FeedEventKind
from tests.operators.feeds.venue_session import decoded, operator, reconnected

SNAPSHOT = [("clear",), ("level", "bid", 10, 1000), ("level", "ask", 12, 2000), ("sync 1", "last")]
BID, ASK = ["1.0", "1", "0", "1"], ["1.2", "2", "0", "1"]


def message(channel, symbol="X", action=None, **data):
    fields = {} if action is None else {"action": action}
    arg = {"channel": channel, "instId": symbol}
    told = {k: v for k, v in ({"ts": "1500"} | data).items() if v is not ...}
    return orjson.dumps({"arg": arg, **fields, "data": [told]})


def snapshot(number=5, **changes):
    terms = {"bids": [BID], "asks": [ASK], "seqId": number, "prevSeqId": -1, "checksum": 0}
    return message("books", action="snapshot", **terms | changes)


def update(previous, number, bids=(), asks=(), **changes):
    terms = {"bids": bids, "asks": asks, "seqId": number, "prevSeqId": previous, "checksum": 0}
    return message("books", action="update", **terms | changes)


def summed(bids, asks, checksum):
    """A message of 2022: by checksum alone."""
    return {"bids": bids, "asks": asks, "seqId": ..., "prevSeqId": ..., "checksum": checksum}


def crc(text):
    found = crc32(text.encode())
    return found - (1 << 32) if found >> 31 else found


def trade(**changes):
    return message("trades", **{"tradeId": "7", "px": "1.2", "sz": "0.5", "side": "buy", "ts": "2250"} | changes)


def ticker(**changes):
    return message("tickers", **{"bidPx": "1.0", "bidSz": "0.25", "askPx": "1.5", "askSz": "3"} | changes)


def decode(*messages, **parameters):
    return decoded(Okx, *messages, **parameters)


def test_updates_follow_one_another_by_sequence_number():
    out = decode(snapshot(5), update(5, 9, bids=[["1.1", "3", "0", "1"]]), update(9, 9), update(9, 4, asks=[ASK]))
    assert out.events == [
        SNAPSHOT,
        [("level", "bid", 11, 3000, "last")],
        [],  # nothing happened for a minute
        [("level", "ask", 12, 2000, "last")],  # numbers may go back, as long as each follows
    ]
    assert (out.dead, out.feed_events) == ([], [])
    assert set(out.rows["events"]["order"].tolist()) == {5, 9, 4}
    assert set(out.rows["events"]["ts_event"].tolist()) == {1_500_000_000}


@pytest.mark.parametrize(
    ("previous", "number", "feed_event", "is_lost"),
    [
        (7, 9, ("GAP", 6, 7), True),
        (3, 9, ("INCONSISTENT", 6, 3), True),
        (3, 5, ("DUPLICATE", 5, 5), False),
    ],
)
def test_one_that_does_not_follow_loses_the_book_unless_it_came_twice(previous, number, feed_event, is_lost):
    out = decode(snapshot(5), update(previous, number, bids=[BID]), update(number, 12, bids=[BID]), snapshot(20))
    lost = [[("sync 0", "last")], []] if is_lost else [[], [("level", "bid", 10, 1000, "last")]]
    assert out.events == [SNAPSHOT, *lost, SNAPSHOT]
    assert out.feed_events == [(2, *feed_event)]


def test_checksums_cover_prices_and_sizes_of_25_levels_in_turn():
    bids = [[f"{50 - i}.0", "1", "0", "1"] for i in range(30)]
    asks = [["60.0", "2.50", "0", "1"], ["61", "1", "0", "1"]]
    text = "50.0:1:60.0:2.50:49.0:1:61:1:" + ":".join(f"{50 - i}.0:1" for i in range(2, 25))
    out = decode(
        snapshot(**summed(bids, asks, crc(text))),
        update(0, 0, **summed([], [asks[1]], crc(text))),
        update(0, 0, **summed([], [["61", "0", "0", "0"]], crc(text))),
    )
    assert out.events[0][-1] == ("sync 1", "last")
    assert out.events[1:] == [[("level", "ask", 610, 1000, "last")], [("sync 0", "last")]]
    assert out.feed_events == [(3, "CHECKSUM", crc(text), crc(text.replace("61:1:", "")))]


def test_a_checksum_is_a_signed_number():
    negative = next(i for i in range(1, 99) if crc(f"1.0:{i}") < 0)
    out = decode(snapshot(**summed([["1.0", str(negative), "0", "1"]], [], crc(f"1.0:{negative}"))))
    assert out.feed_events == []
    assert out.events[0][-1] == ("sync 1", "last")


def test_trades_tickers_and_best_prices():
    out = decode(
        trade(), trade(side="sell"), ticker(), ticker(bidPx="", bidSz=""),
        message("bbo-tbt", bids=[BID], asks=[ASK], seqId=8), message("bbo-tbt", bids=[], asks=[ASK]),
    )  # fmt: skip
    ask = ("quote", "ask", 15, 3000, "last")
    assert out.events == [
        [("trade", "ask", 12, 500, "last")],
        [("trade", "bid", 12, 500, "last")],
        [("quote", "bid", 10, 250), ask],
        [("quote", "bid", 0, 0), ask],
        [("quote", "bid", 10, 1000), ("quote", "ask", 12, 2000, "last")],
        [("quote", "bid", 0, 0), ("quote", "ask", 12, 2000, "last")],
    ]
    assert out.rows["events"][["order", "ts_event"]].tolist()[0] == (7, 2_250_000_000)


@pytest.mark.parametrize(
    "message",
    [
        b"pong",
        b'{"event":"subscribe","arg":{}}',
        trade().replace(b'"X"', b'"Z"'),
        snapshot().replace(b'"X"', b'"Z"'),
        update(5, 6, bids=[BID]),  # before any snapshot
    ],
)
def test_what_says_nothing_or_is_of_no_concern_is_ignored(message):
    assert decode(message, ignored=("Z",)).rows == {}


@pytest.mark.parametrize(
    ("message", "reason", "is_change"),
    [
        (b"ping", "message: expected JSON", False),
        (b"[]", "message: expected an object, came []", False),
        (b'{"event":"error","msg":"no","code":"60012"}', "event: expected an answer to a request", False),
        (b"{}", "arg: expected an object, came None", False),
        (message("fills"), "channel: expected books, trades, tickers or bbo-tbt, came 'fills'", False),
        (message("books5", bids=[], asks=[]), "channel: expected books", False),
        (trade().replace(b'"X"', b'"Z"'), "instId: expected X, Y or a symbol to be ignored, came 'Z'", False),
        (trade(side=1), "side: expected buy or sell, came 1", False),
        (trade(px=...), "px: expected, came none", False),
        (trade(tradeId="x"), "tradeId: expected a string of digits", False),
        (trade(px=""), "trade: expected price and quantity above 0", False),
        (ticker(bidPx=""), "best bid: expected price and quantity above 0", False),
        (message("bbo-tbt", bids=[BID, BID], asks=[]), "bids: expected one level at most, came 2", False),
        (message("books", bids=[], asks=[]), "action: expected snapshot or update, came None", True),
        (update(5, 6, bids=[["1.0", "1"]]), "bids: expected levels of [price, size, 0, orders]", True),
        (update(5, 6, bids=...), "bids: expected a list of levels, came None", True),
        (update(5, 6, bids=[["1.05", "1", "0", "1"]]), "price: expected a multiple of the tick 0.1", True),
        (update(5, 6, ts=1500), "ts: expected a string of digits, came 1500", True),
        (update(5, "6"), "seqId: expected a sequence number, came '6'", True),
        (update(-2, 6), "prevSeqId: expected a sequence number, came -2", True),
        (update(5, 6, checksum=1 << 31), "checksum: expected a signed number of 32 bits", True),
        (update(..., ..., checksum=0), "book: expected a seqId or a checksum, came neither", True),
    ],
)
def test_what_is_not_understood_is_one_dead_letter_and_a_hole_in_the_book_it_would_change(message, reason, is_change):
    out = decode(snapshot(5), message)
    assert [cause for cause, _ in out.dead] == [2]
    assert out.dead[0][1].startswith(reason)
    assert out.events == [SNAPSHOT, [("sync 0", "last")] if is_change else []]


def test_a_connection_opened_anew_begins_with_nothing():
    events, feed_events = reconnected(operator(Okx, "X"), [snapshot(5)], [update(5, 6, bids=[BID]), snapshot(6)])
    whole = [(EventKind.CLEAR, 0), (EventKind.LEVEL, 1000), (EventKind.LEVEL, 2000), (EventKind.SYNC, 1)]
    assert events == [*whole, (EventKind.SYNC, 0), *whole]
    assert feed_events == [(FeedEventKind.RECONNECT, 3)]
