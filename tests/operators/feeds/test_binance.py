"""The decoder: messages in, events out; what is lost, late, foreign or damaged."""

import pickle

import numpy as np
import pytest
from pydantic import ValidationError

from operators.feeds import binance_chain
from operators.feeds.binance import Binance
from operators.feeds.raw_log import raw_frame
from operators.operator import Desk, Feed, copy_state
from operators.registry import find
from schemas.errors import ConfigError
from schemas.market import EventKind, FeedEventKind, RawFrame, RawKind
from tests.operators.feeds.binance_session import (
    Decoded,
    cuts,
    decoder,
    depth,
    event,
    instrument,
    snapshot,
    ticker,
    trade,
)
from tests.operators.feeds.venue_session import interrupted

CLEAR, SYNC, LOST = ("clear",), ("sync 1", "last"), ("sync 0", "last")
SNAPSHOT = [CLEAR, ("level", "bid", 100, 1000), ("level", "ask", 102, 2000), SYNC]


def decode(*messages, market="spot"):
    return Decoded(decoder(market), messages)


def test_a_ticker_is_two_quotes():
    out = decode(ticker(42))
    assert out.events == [[("quote", "bid", 100, 2), ("quote", "ask", 101, 3000, "last")]]
    row = out.rows["events"][1]
    assert (row["cause"], row["order"], row["order_new"], row["ts_event"], row["instrument"]) == (1, 42, 0, 0, 0)
    assert row["ts"] == raw_frame([(0, b"")]).rows["ts"][0]


def test_an_empty_side_of_the_venues_book_is_a_quote_of_nothing():
    assert decode(ticker(1, b="0.00", B="0.000")).events[0][0] == ("quote", "bid", 0, 0)
    assert (
        decode(ticker(1, b="0.00")).dead[0][1].startswith("bookTicker: expected price and quantity both 0 or neither")
    )


def test_futures_tickers_state_a_time():
    out = decode(ticker(1, e="bookTicker", T=1723161256353, E=1723161256354), market="usdm")
    assert out.rows["events"]["ts_event"].tolist() == [1723161256353 * 10**6] * 2


def test_a_trade_carries_the_side_of_the_resting_order():
    out = decode(trade(m=True), trade(m=False, T=..., E=9))
    assert out.events == [[("trade", "bid", 101, 4, "last")], [("trade", "ask", 101, 4, "last")]]
    assert out.rows["events"]["ts_event"].tolist() == [7_000_000, 9_000_000]
    assert out.rows["events"]["order"].tolist() == [5, 5]


def test_messages_need_no_stream_around_them():
    bare = b'{"u":1,"s":"BTCUSDT","b":"1.00","B":"1","a":"1.01","A":"1"}'
    assert len(decode(bare).events[0]) == 2


def test_updates_wait_for_the_snapshot_and_come_with_it():
    out = decode(
        depth(1, 3, bids=[("0.99", "7")]),
        depth(4, 6, bids=[("1.00", "5")], asks=[("1.02", "0"), ("1.03", "1")]),
        snapshot(5),
        depth(7, 8, asks=[("1.03", "0.5")]),
    )
    assert out.events == [
        [],
        [],
        [
            *SNAPSHOT[:3],
            ("level", "bid", 100, 5000),
            ("level", "ask", 102, 0),
            ("level", "ask", 103, 1000),
            SYNC,
        ],
        [("level", "ask", 103, 500, "last")],
    ]
    assert out.rows["events"]["order"].tolist() == [5, 5, 5, 6, 6, 6, 6, 8]
    assert set(out.rows) == {"events"}


def test_futures_follow_pu():
    out = decode(
        depth(10, 19, previous=8, bids=[("0.98", "1")]),
        depth(21, 30, previous=19, bids=[("0.99", "1")]),
        snapshot(30, E=5, T=4),
        depth(35, 40, previous=30),
        depth(45, 50, previous=41),
        market="usdm",
    )
    assert out.events[2] == [*SNAPSHOT[:3], ("level", "bid", 99, 1000), SYNC]
    assert out.events[3:] == [[], [LOST]]
    assert out.feed_events == [(5, "GAP", 41, 41)]
    assert out.rows["events"]["ts_event"].tolist() == [4_000_000] * 3 + [6_000_000] * 3


def test_a_gap_unsyncs_until_the_next_snapshot():
    out = decode(
        snapshot(5), depth(6, 7, bids=[("1.00", "3")]), depth(10, 11), depth(12, 12), snapshot(11), depth(13, 13)
    )
    assert out.events == [SNAPSHOT, [("level", "bid", 100, 3000, "last")], [LOST], [], SNAPSHOT, []]
    assert out.feed_events == [(3, "GAP", 8, 9)]


def test_repeated_and_late_updates_are_ignored():
    out = decode(
        snapshot(5), depth(6, 7), depth(6, 7, bids=[("1.00", "3")]), depth(4, 4), depth(8, 9, bids=[("1.00", "4")])
    )
    assert out.events == [SNAPSHOT, [], [], [], [("level", "bid", 100, 4000, "last")]]
    assert out.feed_events == [(3, "DUPLICATE", 7, 7), (4, "DUPLICATE", 4, 4)]


def test_reordered_updates_are_a_gap_and_a_late_update():
    out = decode(snapshot(5), depth(8, 9), depth(6, 7), depth(10, 10))
    assert out.events[1:] == [[LOST], [], []]
    assert out.feed_events == [(2, "GAP", 6, 7), (3, "OUT_OF_ORDER", 7, 9)]


def test_a_snapshot_that_updates_cannot_follow_is_of_no_use():
    out = decode(depth(10, 12), snapshot(5), snapshot(10))
    assert out.events == [[], [], SNAPSHOT]
    assert out.feed_events == [(2, "OUT_OF_ORDER", 5, 9)]


def test_too_many_held_updates_start_anew(monkeypatch):
    monkeypatch.setattr(binance_chain, "HELD_MAX", 2)
    out = decode(depth(1, 1), depth(2, 2), depth(3, 3), depth(4, 4, bids=[("1", "1")]), snapshot(3))
    assert [cause for cause, _ in out.dead] == [3]
    assert "expected a snapshot within" in out.dead[0][1]
    assert out.events[4] == [*SNAPSHOT[:3], ("level", "bid", 100, 1000), SYNC]


BAD_LEVELS = [
    ([["1.005", "1"]], "price: expected a multiple of the tick 0.01, came '1.005'"),
    ([["-1.00", "1"]], "price: expected a plain decimal string, not negative, came '-1.00'"),
    ([["1.00", "-1"]], "quantity: expected a plain decimal string, not negative, came '-1'"),
    ([["0.00", "1"]], "price: expected above 0 in a level, came 0"),
    ([["1e2", "1"]], "price: expected a plain decimal string"),
    ([["99999999999999", "1"]], "price: expected at most 1e12 ticks"),
    ([["1.00", "99999999999999"]], "quantity: expected at most 1e12 lots"),
    ([[1.0, "1"]], "price: expected a plain decimal string, not negative, came 1.0"),
    ([["1.00", None]], "quantity: expected a plain decimal string, not negative, came None"),
    ([[["1.00"], "1"]], "b: expected levels of decimal strings"),
    ([["1.00", {}]], "b: expected levels of decimal strings"),
    ([["1.00"]], "b: expected levels of [price, quantity]"),
    ([["1.00", "1", []]], "b: expected levels of [price, quantity]"),
    (["12"], "b: expected levels of [price, quantity]"),
    ([{"1": 1, "2": 2}], "b: expected levels of [price, quantity]"),
    ({"1.00": "1"}, "b: expected a list of levels"),
    (None, "b: expected a list of levels, came None"),
]


@pytest.mark.parametrize(("levels", "reason"), BAD_LEVELS)
def test_a_rejected_update_is_a_hole_in_the_book(levels, reason):
    out = decode(snapshot(5), depth(6, 7, asks=[("1.02", "9")], bids=levels), depth(8, 8), snapshot(7))
    assert out.events == [SNAPSHOT, [LOST], [], SNAPSHOT]
    assert out.dead[0][0] == 2
    assert out.dead[0][1].startswith(reason)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"U": ...}, "U: expected an id, came None"),
        ({"u": "7"}, "u: expected an id, came '7'"),
        ({"u": 2**63}, "u: expected an id, came 9223372036854775808"),
        ({"u": -1}, "u: expected an id, came -1"),
        ({"u": True}, "u: expected an id, came True"),
        ({"U": 9}, "update ids: expected pu < U <= u, came 8, 9, 7"),
        ({"E": ...}, "time in T or E: expected milliseconds, came None"),
        ({"E": "now"}, "time in T or E: expected milliseconds, came 'now'"),
        ({"E": 1723161256353000}, "time in T or E: expected milliseconds"),
        ({"E": -1}, "time in T or E: expected milliseconds"),
        ({"b": ...}, "b: expected a list of levels, came None"),
        ({"a": ...}, "a: expected a list of levels, came None"),
    ],
)
def test_updates_with_missing_or_wrong_fields_are_holes_too(changes, reason):
    out = decode(snapshot(5), depth(6, 7, **changes))
    assert out.events[1] == [LOST]
    assert out.dead[0][1].startswith(reason)


def test_futures_updates_need_pu():
    out = decode(snapshot(5), depth(6, 7), market="usdm")
    assert out.dead == [(2, "pu: expected an id, came None")]
    assert out.events[1] == [LOST]


def test_only_the_first_rejected_update_is_news():
    out = decode(snapshot(5), depth(6, 7, bids=None), depth(8, 8, bids=None))
    assert [len(events) for events in out.events] == [4, 1, 0]
    assert [cause for cause, _ in out.dead] == [2, 3]


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (b"", "message: expected JSON, came 0 bytes"),
        (b"\0\xff garbage", "message: expected JSON, came 10 bytes that are not"),
        (ticker(1)[:-1], "message: expected JSON"),
        (b'{"u":"\xff"}', "message: expected JSON"),
        (b"[" * 5000, "message: expected JSON"),
        (b"null", "message: expected an object, came None"),
        (b"[1]", "message: expected an object, came [1]"),
        (b'{"stream":"x","data":[1]}', "data: expected an object, came [1]"),
        (b"{}", "event type: expected depthUpdate, bookTicker, trade or a snapshot, came None"),
        (event({"e": "aggTrade", "s": "BTCUSDT"}), "event type: expected depthUpdate, bookTicker, trade or a snapshot"),
        (event({"e": ["trade"]}), "event type: expected"),
        (b'{"error":{"code":2,"msg":"Invalid request"},"id":1}', "event type: expected"),
        (ticker(1, s="ETHUSDT"), "s: expected symbol BTCUSDT, came 'ETHUSDT'"),
        (ticker(1, s=...), "s: expected symbol BTCUSDT, came None"),
        (depth(6, 7, s="ETHUSDT"), "s: expected symbol BTCUSDT, came 'ETHUSDT'"),
        (trade(s=1), "s: expected symbol BTCUSDT, came 1"),
        (ticker(..., e="bookTicker"), "field 'u': expected in a bookTicker, came none"),
        (ticker(1, e="bookTicker", A=...), "field 'A': expected in a bookTicker, came none"),
        (ticker("1"), "u: expected an id, came '1'"),
        (ticker(1, b=["1.00"]), "bookTicker: expected decimal strings"),
        (ticker(1, b="1.001"), "price: expected a multiple of the tick 0.01"),
        (ticker(1, T="x"), "time in T or E: expected milliseconds"),
        (trade(p=...), "field 'p': expected in a trade, came none"),
        (trade(t=...), "field 't': expected in a trade, came none"),
        (trade(m=...), "field 'm': expected in a trade, came none"),
        (trade(m=1), "m: expected true or false, came 1"),
        (trade(q="0.0005"), "quantity: expected a multiple of the lot 0.001, came '0.0005'"),
        (trade(q="0"), "trade: expected price and quantity above 0"),
        (trade(p="0"), "trade: expected price and quantity above 0"),
        (trade(p={}), "trade: expected decimal strings"),
        (trade(T=..., E=...), "time in T or E: expected milliseconds, came None"),
        (snapshot(9, bids=None), "bids: expected a list of levels, came None"),
        (snapshot(9, asks=[("1.001", "1")]), "price: expected a multiple of the tick 0.01"),
        (snapshot(-9), "lastUpdateId: expected an id, came -9"),
        (event({"lastUpdateId": 9, "bids": [], "asks": []}), "lastUpdateId: expected in a bare REST snapshot"),
    ],
)
def test_what_is_not_understood_is_one_dead_letter_and_changes_no_book(message, reason):
    out = decode(snapshot(5), message, depth(6, 7))
    assert out.dead[0][0] == 2
    assert out.dead[0][1].startswith(reason)
    assert len(out.dead) == 1
    assert out.events == [SNAPSHOT, [], []]
    assert out.feed_events == []


def test_coin_margined_snapshots_say_whose_they_are_and_updates_follow_as_of_other_futures():
    perpetual = instrument(symbol="BTCUSD_PERP", lot="1")
    named = {"symbol": "BTCUSD_PERP", "pair": "BTCUSD"}
    whole = snapshot(7, [("1.00", "1")], [("1.02", "2")], **named)
    changed = depth(6, 9, 5, bids=[("1.01", "431")], s="BTCUSD_PERP", ps="BTCUSD")
    late = depth(12, 14, 11, s="BTCUSD_PERP", ps="BTCUSD")
    out = Decoded(decoder("coinm", perpetual), [snapshot(7), snapshot(7, symbol="ETHUSD_PERP"), whole, changed, late])
    assert [reason for _, reason in out.dead] == [
        "symbol: expected symbol BTCUSD_PERP, came None",
        "symbol: expected symbol BTCUSD_PERP, came 'ETHUSD_PERP'",
    ]
    assert out.events[3:] == [[("level", "bid", 101, 431, "last")], [("sync 0", "last")]]
    assert out.feed_events == [(5, "GAP", 10, 11)]
    best = ticker(9, s="BTCUSD_PERP", ps="BTCUSD", B="5", A="6", T=5, E=6, e="bookTicker")
    sold = trade(s="BTCUSD_PERP", q="3")
    assert [len(events) for events in Decoded(decoder("coinm", perpetual), [best, sold]).events] == [2, 1]


def test_replies_to_subscriptions_are_ignored():
    out = decode(b'{"result":null,"id":1}', b'{"result":["btcusdt@depth"],"id":"x"}')
    assert out.rows == {}
    assert decode(b'{"result":5,"id":1}').dead


def test_displayed_totals_that_are_no_multiple_of_the_lot_are_rounded_down():
    out = decode(snapshot(5, bids=[("1.00", "25.42618900"), ("0.99", "0.00000100")]), ticker(6, B="25.42618900"))
    assert out.events[0][1:3] == [("level", "bid", 100, 25426), ("level", "bid", 99, 1)]
    assert out.events[1][0] == ("quote", "bid", 100, 25426)


def test_feeds_keep_their_own_books():
    operator = decoder("spot", instrument("BTC"), instrument("ETH", "ETHUSDT", tick="0.001"))
    eth = depth(6, 7, bids=[("1.001", "1")], s="ETHUSDT")
    frame = raw_frame([(0, snapshot(5)), (1, snapshot(5)), (1, eth), (0, eth), (0, depth(8, 9))])
    out = operator.process({"raw": frame})
    assert out["events"]["instrument"].tolist() == [0] * 4 + [1] * 4 + [1] + [0]
    assert out["events"]["price"].tolist() == [0, 100, 102, 0, 0, 1000, 1020, 0, 1001, 0]
    assert out["dead_letters"]["feed"].tolist() == [0]
    assert out["feed_events"][["feed", "instrument", "first", "last"]].tolist() == [(0, 0, 6, 7)]


def test_a_lost_connection_leaves_the_book_to_be_joined_anew():
    lost = interrupted(decoder(), [snapshot(5), depth(6, 7)], [depth(9, 9), snapshot(8)])
    whole = [(EventKind.CLEAR, 0), (EventKind.LEVEL, 1000), (EventKind.LEVEL, 2000), (EventKind.SYNC, 1)]
    assert lost == ([*whole, (EventKind.SYNC, 0), *whole], [])


def test_entries_of_other_feeds_and_kinds_pass_unseen():
    shared = Desk("d", (instrument(),), feeds=(Feed("other"), Feed("BTC", ("BTC",)), Feed("more")))
    operator = Binance(Binance.Parameters(market="spot", feeds=("BTC",)), shared)
    frame = raw_frame([(0, b"x"), (1, ticker(1)), (2, b"y"), (-1, b""), (1, ticker(2)), (1, b"tick")])
    frame.rows["kind"][3], frame.rows["kind"][5] = RawKind.END, RawKind.TICK
    out = operator.process({"raw": frame})
    assert out.keys() == {"events"}
    assert out["events"]["cause"].tolist() == [2, 2, 5, 5]
    assert operator.process({"raw": RawFrame(frame.rows[:1], frame.data)}) == {}
    assert operator.process({"raw": RawFrame(frame.rows[:0], frame.data)}) == {}
    assert operator.process({}) == {}


def test_the_registry_knows_it():
    assert find("binance") is Binance


@pytest.mark.parametrize(
    ("feeds", "definitions", "chosen", "message"),
    [
        ((Feed("a", ("BTC",)),), (instrument(),), ("b",), "feed 'b' is not a feed of desk 'd'; known: a"),
        ((Feed("a"),), (instrument(),), ("a",), "'a' lists 0 instruments; a Binance feed speaks of one"),
        ((Feed("a", ("BTC", "X")),), (instrument(), instrument("X")), ("a",), "lists 2 instruments"),
        ((Feed("a", ("X",)),), (instrument(),), ("a",), "speaks of 'X', which desk 'd' does not have"),
        ((Feed("a", ("BTC",)), Feed("b", ("BTC",))), (instrument(),), ("a", "b"), "two feeds speak of 'BTC'"),
        ((Feed("a", ("BTC",)),), (instrument(symbol="btcusdt"),), ("a",), "messages say 'BTCUSDT', write that"),
    ],
)
def test_configurations_that_cannot_work_are_refused(feeds, definitions, chosen, message):
    with pytest.raises(ConfigError, match=message):
        Binance(Binance.Parameters(market="spot", feeds=chosen), Desk("d", definitions, feeds=feeds))


@pytest.mark.parametrize(
    "parameters",
    [{"market": "options", "feeds": ("a",)}, {"market": "spot", "feeds": ()}, {"market": "spot", "feeds": ("a", "a")}],
)
def test_impossible_parameters_are_refused(parameters):
    with pytest.raises(ValidationError):
        Binance.Parameters(**parameters)


def rows_of(operator, frames):
    """All rows by port, copied call by call."""
    found = {}
    for raw in frames:
        for port, frame in operator.process({"raw": raw}).items():
            found.setdefault(port, []).extend(frame.tolist())
    return found


@pytest.mark.parametrize("seed", range(3))
def test_the_example_has_everything_and_may_be_cut_anywhere(seed):
    example = Binance.example(seed)
    raw = example.frames["raw"]
    before = raw.rows.copy()

    def new():
        return Binance(Binance.Parameters(**example.parameters), example.desk)

    whole = rows_of(new(), [raw])
    assert np.array_equal(raw.rows, before)
    kinds = [row[8] for row in whole["events"]]
    syncs = [row[6] for row in whole["events"] if row[8] == 11]
    assert {6, 7, 8, 9, 11} <= set(kinds)
    assert syncs.count(1) > 3
    assert syncs.count(0) > 3
    assert {1, 2} <= {row[4] for row in whole["feed_events"]}
    assert len(whole["dead_letters"]) > 20
    for frame in whole.values():
        causes = [row[0] for row in frame]
        assert causes == sorted(causes)
    for size in (1, 7, 100):
        assert rows_of(new(), cuts(raw, [size] * len(raw.rows))) == whole
    assert Binance.example(seed).frames["raw"].data.tobytes() == raw.data.tobytes()


def test_a_restored_decoder_goes_on_as_if_nothing_had_happened():
    example = Binance.example(9)
    raw = example.frames["raw"]
    operator = Binance(Binance.Parameters(**example.parameters), example.desk)
    whole = rows_of(operator, [raw])
    operator = Binance(Binance.Parameters(**example.parameters), example.desk)
    found = {}
    for part in cuts(raw, [37] * len(raw.rows)):
        for port, rows in rows_of(operator, [part]).items():
            found.setdefault(port, []).extend(rows)
        state = operator.snapshot()
        frozen = pickle.dumps(copy_state(state))
        rows_of(operator, [part])  # what happens after the snapshot leaves it alone
        assert pickle.dumps(copy_state(state)) == frozen
        operator = Binance(Binance.Parameters(**example.parameters), example.desk)
        operator.restore(copy_state(state))
    assert found == whole


def test_held_updates_are_part_of_the_state():
    one = decoder()
    Decoded(one, [depth(1, 2, bids=[("1.00", "1")]), depth(3, 4, bids=[("1.01", "1")])])
    other = decoder()
    other.restore(copy_state(one.snapshot()))
    for operator in one, other:
        out = Decoded(operator, [snapshot(2)], first=3)
        assert out.events == [[*SNAPSHOT[:3], ("level", "bid", 101, 1000), SYNC]]


def test_a_connection_opened_anew_is_told_and_costs_nothing():
    raw = raw_frame([(0, m) for m in (b"wss://", snapshot(5), b"wss://", depth(6, 7))])
    raw.rows["kind"][[0, 2]] = RawKind.CONNECT
    told = decoder().process({"raw": raw})
    assert told["feed_events"][["cause", "kind"]].tolist() == [(3, FeedEventKind.RECONNECT)]
    assert EventKind.SYNC in told["events"]["kind"]
    assert (EventKind.SYNC, 0) not in told["events"][["kind", "qty"]].tolist()
