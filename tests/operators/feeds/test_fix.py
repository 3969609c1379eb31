"""FIX market data: lists of messages in, lists of events out."""

import pickle
import random

import pytest

from operators.feeds.fix import Fix
from operators.feeds.raw_log import raw_frame
from operators.framing.fix_message import decode, encode
from operators.framing.fix_note import SENT
from schemas.errors import ConfigError
from schemas.market import EventKind, FeedEventKind, RawFrame, RawKind
from tests.operators.feeds.binance_session import Decoded
from tests.operators.feeds.fix_messages import TIME_NS, Venue, bid, change, delete, new, offer
from tests.operators.feeds.test_fix_mutations import PARAMETERS, mutated, samples
from tests.operators.feeds.venue_session import operator, reconnected

BOOK = [("clear",), ("level", "bid", 10, 2000), ("level", "ask", 12, 3000), ("sync 1", "last")]
LOST = [("sync 0", "last")]


def fix(messages, **parameters):
    """What comes out for messages on one feed of two instruments."""
    return Decoded(operator(Fix, "X", "Y", **parameters), messages)


def book(venue, **more):
    return venue.whole(bid("1.0", "2"), offer("1.2", "3"), **more)


def kinds(out):
    return [kind for _, kind, _, _ in out.feed_events]


def test_a_full_refresh_is_the_whole_book_and_changes_follow():
    venue = Venue()
    out = fix(
        [
            venue.changes(new(bid("1.0", "2"))),
            book(venue),
            venue.changes(new(bid("1.1", "0.5")), change(offer("1.2", "4")), delete(bid("1.0", "0"))),
            venue.whole(),
        ],
    )
    assert out.events == [
        [],
        BOOK,
        [("level", "bid", 11, 500), ("level", "bid", 10, 0), ("level", "ask", 12, 4000, "last")],
        [("clear",), ("sync 1", "last")],
    ]
    assert (out.dead, out.feed_events) == ([], [])


@pytest.mark.parametrize(("begin_string", "body"), [("FIX.4.4", {}), ("FIXT.1.1", {}), ("FIXT.1.1", {1128: 9})])
def test_both_versions_are_read_alike(begin_string, body):
    venue = Venue(begin_string)
    assert fix([book(venue, **{f"_{tag}": value for tag, value in body.items()})]).events == [BOOK]


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (Venue("FIX.4.2").whole(), "BeginString: expected FIX.4.4 or FIXT.1.1, came 'FIX.4.2'"),
        (Venue().whole(_1128=4), "ApplVerID: expected 6 (4.4), 7 (5.0), 8 (5.0SP1), 9 (5.0SP2), came '4'"),
        (Venue().message("A", _1137=4), "ApplVerID: expected"),
    ],
)
def test_other_versions_are_not(message, reason):
    assert fix([message]).dead[0][1].startswith(reason)


def test_by_ids_the_entries_of_a_price_add_up():
    venue = Venue()
    out = fix(
        [
            venue.whole(bid("1.0", "2", _278="a"), bid("1.0", "1", _278="b"), offer("1.2", "3", _278="c")),
            venue.changes(new(bid("1.0", "0.5", _278="d"))),
            venue.changes({279: 1, 278: "a", 271: "1"}),
            venue.changes({279: 1, 278: "b", 270: "1.1"}),
            venue.changes({279: 2, 278: "c"}, new(offer("1.3", "1", _278="e"))),
            venue.changes({279: 2, 278: "x", 55: "X"}),
        ],
        entries="id",
    )
    assert out.events == [
        [("clear",), ("level", "bid", 10, 3000), ("level", "ask", 12, 3000), ("sync 1", "last")],
        [("level", "bid", 10, 3500, "last")],
        [("level", "bid", 10, 2500, "last")],
        [("level", "bid", 10, 1500), ("level", "bid", 11, 1000, "last")],
        [("level", "ask", 12, 0), ("level", "ask", 13, 1000, "last")],
        LOST,
    ]
    assert kinds(out) == ["INCONSISTENT"]
    assert out.dead == []


def test_an_id_that_is_of_a_book_that_is_not_whole_is_passed_over():
    venue = Venue()
    out = fix([venue.changes({279: 2, 278: "a"}), venue.whole(symbol="X"), venue.whole(symbol="Y")], entries="id")
    assert out.events[0] == []
    assert out.dead == []
    venue = Venue()
    log = [venue.whole(symbol="X"), venue.whole(symbol="Y"), venue.changes({279: 2, 278: "a"})]
    assert fix(log, entries="id").dead[0][1] == "instrument: expected one in the first entry, came none"


def test_by_position_rows_move_and_none_stays_beyond_the_depth():
    venue, asks = Venue(), [offer("1.2", "1"), offer("1.3", "2")]
    out = fix(
        [
            venue.whole(*asks),
            venue.changes(new(offer("1.1", "5", _1023=1))),
            venue.changes(delete(offer(..., ..., _290=1)), change(offer("1.2", "7", _290=1))),
            venue.changes(new(bid("1.0", "1", _290=1)), new(bid("0.9", "1", _290=2))),
            venue.changes({**new(bid(..., ..., _290=2)), 279: 3}),
            venue.changes({**new(offer(..., ..., _290=1)), 279: 4}),
            venue.changes({**new(offer("1.5", "1", _290=1)), 279: 5}),
        ],
        entries="position",
        depth=2,
    )
    assert out.events == [
        [("clear",), ("level", "ask", 12, 1000), ("level", "ask", 13, 2000), ("sync 1", "last")],
        [("level", "ask", 13, 0), ("level", "ask", 11, 5000, "last")],
        [("level", "ask", 11, 0), ("level", "ask", 12, 7000, "last")],
        [("level", "bid", 10, 1000), ("level", "bid", 9, 1000, "last")],
        [("level", "bid", 10, 0), ("level", "bid", 9, 0, "last")],
        [("level", "ask", 12, 0, "last")],
        LOST,
    ]
    assert kinds(out) == ["INCONSISTENT"]


def test_the_rows_of_a_full_refresh_may_come_in_any_order():
    entries = [offer("1.3", "2", _290=2), bid("1.0", "1", _290=1), offer("1.2", "1", _290=1)]
    venue = Venue()
    out = fix([venue.whole(*entries), venue.changes(delete(offer(..., ..., _290=2)))], entries="position")
    assert out.events[1] == [("level", "ask", 13, 0, "last")]


@pytest.mark.parametrize("entries", PARAMETERS)
def test_snapshots_between_any_messages_change_nothing(entries):
    rng, valid = random.Random(entries), samples(entries)
    log = [mutated(rng, m) if rng.random() < 0.3 else m for m in rng.choices(valid, k=400)]
    log = [encode("FIX.4.4", [f for f in decode(m)[1:] if f[0] != "34"]) if m in valid else m for m in log]
    raw = raw_frame([(0, m) for m in log])
    fix = operator(Fix, "X", "Y", **PARAMETERS[entries])
    whole = {port: frame.tolist() for port, frame in fix.process({"raw": raw}).items()}
    rows, fix = {port: [] for port in whole}, operator(Fix, "X", "Y", **PARAMETERS[entries])
    for i in range(len(log)):
        state = pickle.dumps(fix.snapshot())
        fix = operator(Fix, "X", "Y", **PARAMETERS[entries])
        fix.restore(pickle.loads(state))
        for port, frame in fix.process({"raw": RawFrame(raw.rows[i : i + 1], raw.data)}).items():
            rows[port] += frame.tolist()
    assert rows == whole
    assert len(whole["events"]) > 300


def test_an_empty_book_is_a_whole_one():
    venue = Venue()
    out = fix([venue.changes(new({269: "J"}), new(bid("1.0", "2"))), venue.whole({269: "J"}, symbol="Y")])
    assert out.events == [
        [("clear",), ("level", "bid", 10, 2000), ("sync 1", "last")],
        [("clear",), ("sync 1", "last")],
    ]


def test_trades_say_who_took_and_may_be_taken_back():
    venue, trade = Venue(), {269: 2, 270: "1.1", 271: "0.25"}
    out = fix(
        [
            venue.changes(new(trade | {1003: 77, 2446: 1}), new(trade | {5797: 2})),
            venue.changes(delete({269: 2, 1003: 77}), change(trade | {278: 78})),
            venue.whole(trade, {269: 4, 270: "1.0"}),
        ],
    )
    assert out.events == [
        [("trade", "ask", 11, 250, "last"), ("trade", "bid", 11, 250, "last")],
        [("trade", "bid", 11, 250, "last")],
        [],
    ]
    assert out.rows["events"]["order"].tolist() == [77, 0, 78]
    assert [(kind, first) for _, kind, first, _ in out.feed_events] == [("BROKEN_TRADE", 77), ("BROKEN_TRADE", 78)]


def test_an_index_is_a_value_to_the_nearest_tick_and_its_other_figures_are_not():
    venue = Venue()
    index = [new({269: "3", 270: text}) for text in ("2973.239999999999", "2973.25", "2973.249999")]
    out = fix([venue.changes(*index, new({269: "y", 270: "1"})), venue.whole({269: "3", 270: "7"})])
    assert [row[2] for row in out.events[0]] == [29732, 29733, 29732]
    assert {row[0] for row in out.events[0]} == {"value"}
    assert out.events[1] == [("value", "bid", 70, 0, "last")]


def test_statuses_halt_and_resume():
    venue = Venue()
    said = [(2, 0), (3, 1), (18, 0), (17, 1), (21, 0), (23, 1), (7, None)]
    out = fix(
        [*(venue.message("f", {55: "X", 326: status}) for status, _ in said), venue.message("h", {340: 3})],
    )
    assert [events[0][3] if events else None for events in out.events[:-1]] == [status for _, status in said]
    assert [event[:4] for event in out.events[-1]] == [("status", "bid", 0, 0)] * 2


def test_times_are_the_entrys_own():
    venue, day = Venue(), 86_400 * 10**9
    trade = {269: 2, 270: "1.1", 271: "1"}
    entries = [
        trade,
        trade | {273: "00:00:03.5"},
        trade | {273: "23:59:59"},
        trade | {272: "20240801", 273: "00:00:00"},
    ]
    out = fix([venue.changes(*map(new, entries)), venue.changes(new(trade), _60="20240809-00:00:02.000000123")])
    midnight = TIME_NS - TIME_NS % day
    assert out.rows["events"]["ts_event"].tolist() == [
        TIME_NS, midnight + 3_500_000_000, midnight - 10**9, midnight - 8 * day, midnight + 2_000_000_123,
    ]  # fmt: skip


def test_a_gap_loses_every_book_until_it_is_told_again():
    venue = Venue()
    log = [book(venue), venue.whole(symbol="Y")]
    venue.number += 3
    out = fix([*log, venue.changes(new(bid("1.0", "5"))), book(venue), venue.changes(new(bid("1.0", "5")))])
    assert out.events[2] == [*LOST, *LOST]
    assert out.events[3:] == [BOOK, [("level", "bid", 10, 5000, "last")]]
    assert out.feed_events == [(3, "GAP", 3, 5)]


def test_what_comes_again_is_ignored_whether_it_says_so_or_not():
    venue = Venue()
    whole = book(venue)
    step = venue.changes(new(bid("1.1", "1")))
    again = Venue(number=1).changes(new(bid("1.1", "1")), _43="Y")
    out = fix([whole, step, again, whole, venue.changes(new(bid("1.1", "2")))])
    assert out.events[2:] == [[], [], [("level", "bid", 11, 2000, "last")]]
    assert out.feed_events == [(3, "DUPLICATE", 2, 2), (4, "DUPLICATE", 1, 1)]


def test_what_was_resent_in_its_place_counts():
    venue = Venue()
    out = fix([book(venue), venue.changes(new(bid("1.1", "1")), _43="Y")])
    assert out.events[1] == [("level", "bid", 11, 1000, "last")]


def test_applications_number_their_messages_too():
    head = {"_34": ..., "_1180": "A"}
    venue = Venue()
    out = fix(
        [
            book(venue, _1181=82, **head),
            venue.changes(new(bid("1.1", "1")), _1181=83, **head),
            venue.message("0", _34=...),
            venue.changes(new(bid("1.1", "1")), _1181=83, **head),
            venue.changes(new(bid("1.1", "1")), _1181=86, **head),
        ],
    )
    assert out.events[1:] == [[("level", "bid", 11, 1000, "last")], [], [], LOST]
    assert out.feed_events == [(4, "DUPLICATE", 83, 83), (5, "GAP", 84, 85)]


def test_an_application_may_say_again_what_the_session_has_not_said():
    venue = Venue()
    log = [venue.changes(new(bid("1.1", "1")), _1181=83), venue.message("0", _1181=83), venue.message("0")]
    assert fix(log).feed_events == [(2, "DUPLICATE", 83, 83)]


def test_reports_are_numbered_by_instrument():
    venue = Venue()
    out = fix(
        [
            book(venue, _83=5),
            venue.changes(new(bid("1.1", "1", _83=5)), new(bid("1.1", "2", _83=6)), new(bid("1.0", "3", _83=6))),
            venue.whole(_83=4),
            venue.changes(new(bid("1.1", "1", _83=9)), new(bid("1.1", "1", _83=1), "Y")),
            book(venue, _83=12),
            venue.changes(new(bid("1.1", "1", _83=12)), new(bid("1.1", "4", _83=13))),
        ],
    )
    assert out.events == [
        BOOK,
        [("level", "bid", 11, 2000), ("level", "bid", 10, 3000, "last")],
        [],
        LOST,
        BOOK,
        [("level", "bid", 11, 4000, "last")],
    ]
    assert out.feed_events == [(2, "DUPLICATE", 5, 5), (4, "GAP", 7, 8), (6, "DUPLICATE", 12, 12)]


def test_a_gap_fill_may_stand_for_what_was_missed():
    venue = Venue()
    log = [book(venue), venue.message("4", {123: "Y", 36: 6})]
    venue.number = 5
    out = fix([*log, venue.changes(new(bid("1.1", "1"))), book(venue)])
    assert out.events == [BOOK, LOST, [], BOOK]
    assert out.feed_events == [(2, "GAP", 2, 5)]


def test_numbers_that_begin_again_lose_the_books():
    venue = Venue()
    log = [book(venue), venue.message("4", {36: 2}), venue.message("4", {36: 1})]
    venue.number = 0
    log += [
        venue.message("A", {98: 0, 108: 30, 141: "Y"}),
        book(venue),
        venue.message("A", {98: 0, 108: 30}),
        book(venue),
    ]
    out = fix(log)
    assert out.events[3:5] == [[], BOOK]
    assert out.events[1:3] == [[], LOST]
    assert "GAP" not in kinds(out)
    assert out.dead == []


def test_a_logon_that_begins_at_1_begins_anew():
    venue = Venue(number=70)
    log = [book(venue, _83=900)]
    venue.number = 0
    out = fix([*log, venue.message("A", {98: 0, 108: 30}), book(venue, _83=2)])
    assert out.events == [BOOK, LOST, BOOK]
    assert out.feed_events == []


def test_a_connection_opened_anew_loses_the_books():
    venue = Venue()
    events, told = reconnected(operator(Fix, "X", "Y"), [book(venue)], [book(venue)])
    assert [kind for kind, _ in events].count(11) == 3
    assert told == [(FeedEventKind.RECONNECT, 3)]


def test_a_connection_lost_loses_the_books():
    raw = raw_frame([(0, book(Venue())), (0, b"why")])
    raw.rows["kind"][1] = RawKind.DISCONNECT
    out = operator(Fix, "X", "Y").process({"raw": raw})
    assert out["events"][["cause", "kind", "qty"]].tolist()[-1] == (2, EventKind.SYNC, 0)
    assert "dead_letters" not in out


def test_what_a_session_notes_of_its_own_is_no_message():
    venue = Venue()
    out = fix([book(venue), SENT + venue.message("V"), b"\0what"])
    assert out.events == [BOOK, [], []]
    assert [cause for cause, _ in out.dead] == [3]


def test_what_we_said_ourselves_is_not_read():
    venue, us = Venue(), Venue()
    log = [book(venue), us.message("A", {49: "D", 36: 9}), us.message("4", {49: "D", 36: 9}), venue.changes()]
    assert fix(log, ours=["D"]).events == [BOOK, [], [], []]


def test_instruments_are_the_feeds_or_of_no_concern_or_a_mistake():
    def log():
        venue = Venue()
        return [book(venue), venue.changes(new(bid("1.1", "1"), "Z"), new(bid("1.0", "1"))), book(venue, symbol="Z")]

    taken = [("level", "bid", 10, 1000, "last")]
    assert fix(log(), ignored=["Z"]).events[1:] == [taken, []]
    assert fix(log(), others="ignored").events[1:] == [taken, []]
    out = fix(log())
    assert [cause for cause, _ in out.dead] == [2, 3]
    assert "came 'Z'" in out.dead[0][1]
    assert out.events[1] == LOST


def test_an_instrument_may_be_named_by_its_security_id():
    venue = Venue()
    log = [venue.message("W", {55: "[N/A]", 48: "X"}, [bid("1.0", "2"), offer("1.2", "3")])]
    assert fix(log, identified_by="security_id").events == [BOOK]


def test_entries_that_name_no_instrument_are_of_the_one_before_or_the_messages():
    venue = Venue()
    log = [book(venue), venue.changes(new(bid("1.1", "1")), new(bid("1.0", "1"), None))]
    log.append(venue.message("X", {55: "X"}, [new(bid("1.1", "2"), None)]))
    out = fix(log)
    assert out.events[1:] == [[("level", "bid", 11, 1000), ("level", "bid", 10, 1000, "last")],
                              [("level", "bid", 11, 2000, "last")]]  # fmt: skip


@pytest.mark.parametrize(
    ("entries", "reason"),
    [
        ([new(bid("1.05", "1"))], "price: expected a multiple of the tick 0.1"),
        ([new(bid("-1", "1"))], "price: expected a plain decimal string"),
        ([new(bid("0", "1"))], "price: expected one above 0"),
        ([new(bid(..., "1"))], "MDEntryPx: expected, came none"),
        ([new(bid("1.0", ...))], "MDEntrySize: expected, came none"),
        ([new(bid("1.0", "1e3"))], "quantity: expected a plain decimal string"),
        ([{55: "X", **bid("1.0", "1")}], "MDUpdateAction: expected, came none"),
        ([new(bid("1.0", "1")) | {279: 3}], "MDUpdateAction: expected 0, 1, 2, 5, came '3'"),
        ([new({270: "1.0", 271: "1"})], "MDEntryType: expected, came none"),
        ([new({269: 2, 270: "1.0"})], "MDEntrySize: expected, came none"),
        ([new({269: 2, 270: "0", 271: "0"})], "trade: expected price and quantity above 0"),
        ([new({269: 3})], "MDEntryPx: expected, came none"),
        ([new(bid("1.0", "1"), None)], "instrument: expected one in the first entry, came none"),
        ([new(bid("1.0", "1", _83="x"))], "RptSeq: expected a number, came 'x'"),
        ([new({269: 2, 270: "1.0", 271: "1", 273: "25:00:00"})], "MDEntryTime: expected a time"),
    ],
)
def test_a_message_that_makes_no_sense_costs_the_books_it_speaks_of(entries, reason):
    venue = Venue()
    out = fix([book(venue), venue.whole(symbol="Y"), venue.changes(*entries)])
    assert out.dead[0][0] == 3
    assert out.dead[0][1].startswith(reason), out.dead
    assert out.events[2] in (LOST, [*LOST, *LOST])


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (Venue().message("Z"), "MsgType: expected W, X, f, h, y, d or one of the session, came 'Z'"),
        (Venue().message("X"), "268: expected once, came 0 times"),
        (Venue().message("X", {268: 1}), "268: expected 0, which is what there is, came 1"),
        (Venue().message("X", {268: 2}, [new(bid("1.0", "1"))]), "268: expected once, came 2 times"),
        (Venue().message("0", _34=0), "sequence number: expected one from 1 on"),
        (Venue().message("0", _34="x"), "MsgSeqNum: expected a number, came 'x'"),
        (Venue().message("0", _52="now"), "SendingTime: expected a time like 20111124-05:33:31.763, came 'now'"),
        (Venue().message("4"), "NewSeqNo: expected a number, came none"),
        (Venue().message("4", {36: 0}), "SequenceReset: expected MsgSeqNum, and a NewSeqNo"),
        (Venue().message("Y", {281: 0, 58: "unknown"}), "MarketDataRequestReject: expected the venue to take"),
        (Venue().message("3", {373: 5, 58: "no"}), "Reject: expected the venue to take what it was sent"),
        (Venue().message("f", {55: "Q"}), "instrument: expected X, Y or a symbol to be ignored, came 'Q'"),
        (b"8=FIX.4.4|9=5|35=0|10=162|", "CheckSum: expected 163, which is what the bytes give"),
        (b"", "message: expected 8=, 9= and 35= first"),
    ],
)
def test_other_messages_that_make_no_sense(message, reason):
    out = fix([message])
    assert out.dead[0][1].startswith(reason), out.dead
    assert out.events == [[]]


def test_without_numbers_a_message_that_cannot_be_read_costs_every_book():
    venue = Venue()
    damaged = bytearray(book(venue, _34=...))
    damaged[-12] ^= 1
    assert fix([book(venue, _34=...), bytes(damaged)]).events[1] == LOST
    assert fix([book(venue), bytes(damaged)]).events[1] == []


def test_bars_may_stand_for_soh():
    assert fix([book(Venue()).replace(b"\x01", b"|")[:-1]]).events == [BOOK]


def test_two_feeds_cannot_tell_one_book():
    venue = operator(Fix, "X", feeds=2)
    one, other = Venue(), Venue()
    both = [book(one), other.changes(new(bid("1.1", "1")))]
    out = Decoded(venue, both[:1])
    assert out.events == [BOOK]
    told = venue.process({"raw": raw_frame([(1, both[1])], 2)})
    assert "one feed alone" in told["dead_letters"]["reason"][0]


def test_parameters_that_cannot_be_are_refused():
    with pytest.raises(ValueError, match="greater than or equal to 1"):
        operator(Fix, "X", depth=0)
    with pytest.raises(ConfigError, match="lists no instruments"):
        operator(Fix)
