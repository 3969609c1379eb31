import pickle

import numpy as np
import pytest
from pydantic import ValidationError

from operators.feeds import itch_encode as itch
from operators.feeds.itch import Itch50
from operators.feeds.itch_example import raw_frame
from operators.framing.mold_output import Lost, Recovered
from operators.framing.notice import Began, Over, encode_notice
from operators.framing.refused import Refused
from operators.operator import Desk, Feed, copy_state
from schemas.errors import ConfigError, InvariantError
from schemas.market import EventKind, FeedEventKind, RawFrame, RawKind
from tests.operators.feeds.itch_session import (
    AAPL,
    DESK,
    DIRECTORY,
    MIDNIGHT,
    MSFT,
    OTHER,
    ZVZZT,
    bodies,
    decode,
    instrument,
    operator,
    run,
)

TEN = 10 * 3600 * 10**9
K = EventKind


def test_every_decoded_type_becomes_its_event() -> None:
    messages = [
        itch.system_event(TEN, b"Q"),
        itch.trading_action(AAPL, TEN, "AAPL", b"T"),
        itch.add_order(AAPL, TEN, 7, b"B", 300, "AAPL", 1_502_500),
        itch.add_order(AAPL, TEN, 8, b"S", 200, "AAPL", 1_502_600, attribution=b"GSCO"),
        itch.order_executed(AAPL, TEN, 7, 100, match=1),
        itch.order_executed_with_price(AAPL, TEN, 8, 50, match=2, price=1_502_700),
        itch.order_cancel(AAPL, TEN, 7, 40),
        itch.order_replace(AAPL, TEN, 7, 9, 500, 1_502_400),
        itch.order_delete(AAPL, TEN, 9),
        itch.trade(AAPL, TEN, 25, "AAPL", 1_502_500, match=3),
        itch.trading_action(AAPL, TEN, "AAPL", b"P"),
    ]
    assert decode(*messages) == {
        "events": [
            # cause, ts, ts_event, order, order_new, price, qty, instrument, kind, side, flags
            (cause, 1_577_700_000_000_000_000 + 1000 * cause, MIDNIGHT + TEN, *body, 1)
            for cause, body in enumerate(
                [
                    (0, 0, 0, 1, AAPL, K.STATUS, 0),
                    (7, 0, 15_025, 300, AAPL, K.ADD, 0),
                    (8, 0, 15_026, 200, AAPL, K.ADD, 1),
                    (7, 0, 0, 100, AAPL, K.EXECUTE, 0),
                    (8, 0, 15_027, 50, AAPL, K.EXECUTE, 0),
                    (7, 0, 0, 40, AAPL, K.CANCEL, 0),
                    (7, 9, 15_024, 500, AAPL, K.REPLACE, 0),
                    (9, 0, 0, 0, AAPL, K.DELETE, 0),
                    (0, 0, 15_025, 25, AAPL, K.TRADE, 0),
                    (0, 0, 0, 0, AAPL, K.STATUS, 0),
                ],
                start=6,
            )
        ]
    }


def test_a_directory_message_starts_the_book_of_a_followed_stock_once() -> None:
    produced = run(operator(), raw_frame(DIRECTORY + DIRECTORY, feed=1))
    assert bodies(produced["events"]) == [(0, 0, 0, 1, i, K.SYNC, 0) for i in (AAPL, MSFT, ZVZZT)]
    assert produced["dead_letters"] == []


def test_prices_and_shares_are_exact_ticks_and_lots_of_the_instrument() -> None:
    produced = decode(
        itch.add_order(MSFT, TEN, 1, b"B", 120, "MSFT", 100_005),  # 10.0005 in ticks of 0.0005, 120 in lots of 10
        itch.add_order(ZVZZT, TEN, 2, b"S", 3, "ZVZZT", 30_000),  # 3.0 in ticks of 0.00003, 3 in lots of 0.5
        itch.add_order(AAPL, TEN, 3, b"B", 4_294_967_295, "AAPL", 2_000_000_000),
    )
    assert [(price, qty) for _, _, price, qty, *_ in bodies(produced["events"])] == [
        (20_001, 12),
        (100_000, 6),
        (20_000_000, 4_294_967_295),
    ]


def test_order_references_keep_all_64_bits() -> None:
    produced = decode(itch.order_replace(AAPL, TEN, 2**64 - 1, 2**63, 1, 100))
    assert bodies(produced["events"]) == [(-1, -(2**63), 1, 1, AAPL, K.REPLACE, 0)]


def test_messages_of_stocks_that_are_not_followed_pass_in_silence() -> None:
    assert decode(itch.order_delete(OTHER, TEN, 1), itch.add_order(OTHER, TEN, 1, b"?", 0, "\x00", 0)) == {}


def test_only_messages_of_the_own_feed_are_read() -> None:
    raw = raw_frame(DIRECTORY[:1] + [itch.order_delete(AAPL, TEN, 1)] * 4, feed=1)
    raw.rows["feed"][2] = 0
    raw.rows["kind"][3] = RawKind.TICK
    raw.rows["kind"][4] = RawKind.END
    assert [event[0] for event in run(operator(), raw)["events"]] == [1, 2]


def test_a_rejected_message_leaves_the_book_it_may_have_changed_unsynced() -> None:
    good = itch.add_order(AAPL, TEN, 1, b"B", 100, "AAPL", 1_502_500)
    off_tick = itch.add_order(AAPL, TEN, 1, b"B", 100, "AAPL", 1_502_550)
    produced = decode(off_tick, good[:-1], b"?" + good[1:], itch.order_delete(9, TEN, 1))
    lost = (0, 0, 0, 0, AAPL, K.SYNC, 0)
    assert bodies(produced["events"]) == [lost, lost, lost]
    assert [event[2] for event in produced["events"]] == [MIDNIGHT + TEN, 0, 0]  # a broken header's time is not told
    assert [letter[0] for letter in produced["dead_letters"]] == [5, 6, 7, 8]
    assert [letter[4] for letter in produced["dead_letters"]][1] == good[:-1]


def test_a_stock_trades_while_neither_market_nor_venue_halts_it():
    halt, resume = (itch.operational_halt(AAPL, TEN, "AAPL", b"Q", action) for action in (b"H", b"T"))
    pause, trading = (itch.trading_action(AAPL, TEN, "AAPL", state) for state in (b"P", b"T"))
    elsewhere = itch.operational_halt(AAPL, TEN, "AAPL", b"X", b"H")
    produced = decode(elsewhere, halt, pause, resume, trading, pause, halt, trading, resume)
    states = [(event[0], event[6]) for event in produced["events"]]
    assert states == [(6, 0), (7, 0), (8, 0), (9, 1), (10, 0), (11, 0), (12, 0), (13, 1)]
    assert {event[8] for event in produced["events"]} == {K.STATUS}


def test_what_halts_a_stock_survives_a_restart():
    before, after = operator(), operator()
    halt = itch.operational_halt(AAPL, TEN, "AAPL", b"Q", b"H")
    before.process({"raw": raw_frame([*DIRECTORY, halt], feed=1)})
    after.restore(pickle.loads(pickle.dumps(before.snapshot())))
    produced = run(after, raw_frame([itch.trading_action(AAPL, TEN, "AAPL", b"T")], feed=1))
    assert bodies(produced["events"]) == [(0, 0, 0, 0, AAPL, K.STATUS, 0)]


def test_a_cross_is_a_trade_unless_nothing_traded():
    produced = decode(
        itch.cross_trade(AAPL, TEN, 300, "AAPL", 1_502_500, match=1),
        itch.cross_trade(AAPL, TEN, 0, "AAPL", 0, match=2),
        itch.cross_trade(AAPL, TEN, 2**32, "AAPL", 1_502_500, match=3),
    )
    assert bodies(produced["events"]) == [(0, 0, 15_025, 300, AAPL, K.TRADE, 0)]
    assert [letter[0] for letter in produced["dead_letters"]] == [7]


def test_broken_trades_and_circuit_breakers_are_feed_events():
    produced = decode(
        itch.broken_trade(AAPL, TEN, 2**63 + 5),
        itch.circuit_breaker(TEN, b"2"),
        itch.broken_trade(OTHER, TEN, 6),
        itch.broken_trade(9, TEN, 7),
    )
    assert [row[2:] for row in produced["feed_events"]] == [
        (1, AAPL, FeedEventKind.BROKEN_TRADE, 5 - 2**63, 5 - 2**63),
        (1, -1, FeedEventKind.CIRCUIT_BREAKER, 2, 2),
    ]
    assert [letter[0] for letter in produced["dead_letters"]] == [8]
    assert "events" not in produced


def test_a_connection_that_was_opened_anew_is_told_and_costs_no_book_its_sync():
    raw = raw_frame([*DIRECTORY, b"", b"", encode_notice(Over(b"S", 9))], feed=1)
    raw.rows["kind"][-3:-1] = RawKind.CONNECT
    raw.rows["feed"][-2] = 0
    produced = run(operator(), raw)
    assert [row[2:] for row in produced["feed_events"]] == [(1, -1, FeedEventKind.RECONNECT, 0, 0)]
    assert produced["feed_events"][0][0] == len(DIRECTORY) + 1
    assert produced["dead_letters"] == []
    assert len(produced["events"]) == 3  # the directory's


def test_messages_lost_on_their_way_leave_every_followed_book_unsynced():
    order = itch.add_order(AAPL, TEN, 1, b"B", 100, "AAPL", 1_502_500)
    notices = [encode_notice(notice) for notice in (Lost(5, 7), Recovered(9, 9), Refused("packet: so", b"\0x"))]
    began = encode_notice(Began(b"S", 1))
    produced = decode(order, notices[0], order, *notices[1:], b"\0gap too short", began)
    lost = [(6, i, K.SYNC, 0) for i in (MSFT, AAPL, ZVZZT)]
    added = [(5, AAPL, K.ADD, 100), (7, AAPL, K.ADD, 100)]
    assert [(event[0], event[7], event[8], event[6]) for event in produced["events"]] == [added[0], *lost, added[1]]
    assert [(row[0], *row[2:]) for row in produced["feed_events"]] == [
        (6, 1, -1, FeedEventKind.GAP, 5, 7),
        (8, 1, -1, FeedEventKind.RECOVERED, 9, 9),
    ]
    refused, malformed = produced["dead_letters"]
    assert (refused[0], *refused[3:]) == (9, "packet: so", b"\0x")
    assert malformed[3].startswith("type: expected one of")


@pytest.mark.parametrize(
    "message",
    [
        itch.trade(AAPL, TEN, 100, "AAPL", 1_502_550, match=1),  # a midpoint print between two ticks
        b"Y" + itch.order_delete(AAPL, TEN, 1)[1:],
        itch.order_delete(OTHER, TEN, 1)[:-1],
        b"A",
    ],
)
def test_a_rejected_message_that_touches_no_followed_book_only_leaves_a_letter(message: bytes) -> None:
    produced = decode(message)
    assert "events" not in produced
    assert len(produced["dead_letters"]) == 1


def test_a_cut_message_is_reported_as_truncated() -> None:
    whole = itch.order_delete(AAPL, TEN, 1)
    produced = decode(whole[:7], whole + b"\0", b"", whole[:2])
    ts = 1_577_700_000_000_000_000
    truncated = 10
    assert produced["feed_events"] == [
        (5, ts + 5000, 1, AAPL, truncated, 0, 0),
        (7, ts + 7000, 1, -1, truncated, 0, 0),
        (8, ts + 8000, 1, -1, truncated, 0, 0),
    ]


def test_a_directory_that_contradicts_itself_is_not_believed() -> None:
    produced = decode(
        itch.stock_directory(AAPL, TEN, "OTHER"),  # AAPL's locate for another stock
        itch.stock_directory(AAPL, TEN, "MSFT"),
        itch.stock_directory(OTHER, TEN, "MSFT"),  # a followed stock at the locate of another
        itch.stock_directory(77, TEN, "MSFT"),  # and at a second locate
        itch.order_delete(77, TEN, 1),
        itch.order_delete(AAPL, TEN, 2),
    )
    lost = [(0, 0, 0, 0, i, K.SYNC, 0) for i in (AAPL, AAPL, MSFT, MSFT)]
    assert bodies(produced["events"]) == [*lost, (2, 0, 0, 0, AAPL, K.DELETE, 0)]
    assert [letter[0] for letter in produced["dead_letters"]] == [5, 6, 7, 8, 9]


def test_a_feed_that_lists_no_instruments_speaks_of_all() -> None:
    desk = Desk(id="d", instruments=(instrument("AAPL"), instrument("MSFT")), feeds=(Feed("nasdaq"),))
    assert [event[7] for event in run(operator(desk), raw_frame(DIRECTORY, feed=0))["events"]] == [0, 1]


@pytest.mark.parametrize(
    ("day", "timezone", "midnight"),
    [
        ("2019-12-30", "America/New_York", "2019-12-30T05"),
        ("2019-07-01", "America/New_York", "2019-07-01T04"),
        ("2019-07-01", "UTC", "2019-07-01T00"),
        ("2019-07-01", "Europe/Stockholm", "2019-06-30T22"),
    ],
)
def test_timestamps_count_from_local_midnight(day: str, timezone: str, midnight: str) -> None:
    produced = run(operator(date=day, timezone=timezone), raw_frame(DIRECTORY[:1], feed=1))
    expected = int(np.datetime64(midnight, "ns").astype(np.int64)) + AAPL  # the directory's timestamp is its locate
    assert produced["events"][0][2] == expected


def test_a_frame_larger_than_any_before_fits() -> None:
    raw = raw_frame(DIRECTORY[:1] + [itch.order_delete(AAPL, TEN, i) for i in range(1000)], feed=1)
    op = operator()
    assert run(op, raw, cuts=[1, 2, 70])["events"] == run(operator(), raw)["events"]
    assert op.process({}) == {}
    assert op.process({"raw": RawFrame(raw.rows[:0], raw.data)}) == {}


@pytest.mark.parametrize(
    ("column", "value"), [("start", -1), ("start", 21), ("size", -1), ("size", 39), ("size", 2**62)]
)
def test_a_frame_that_points_outside_of_its_bytes_is_a_broken_invariant(column: str, value: int) -> None:
    raw = raw_frame([itch.order_delete(AAPL, TEN, 1)] * 2, feed=1)
    raw.rows[column][1] = value
    with pytest.raises(InvariantError, match=r"input 2: its message is .* the frame has 38"):
        operator().process({"raw": raw})


def test_a_restored_operator_goes_on_as_the_one_before() -> None:
    example = Itch50.example(3)
    raw = example.frames["raw"]
    assert isinstance(raw, RawFrame)
    parameters = Itch50.Parameters.model_validate(example.parameters)
    whole = run(Itch50(parameters, example.desk), raw)
    for cut in (0, 3, 1500):
        before, after = Itch50(parameters, example.desk), Itch50(parameters, example.desk)
        first = run(before, RawFrame(raw.rows[:cut], raw.data))
        state = before.snapshot()
        run(before, raw)  # must not reach into the snapshot
        run(after, raw)  # nor survive the restore
        after.restore(copy_state(state))
        second = run(after, RawFrame(raw.rows[cut:], raw.data))
        assert {port: first[port] + second[port] for port in whole} == whole


def test_a_restored_operator_knows_which_stocks_have_a_locate() -> None:
    before, after = operator(), operator()
    before.process({"raw": raw_frame(DIRECTORY, feed=1)})
    after.restore(pickle.loads(pickle.dumps(before.snapshot())))
    produced = run(after, raw_frame([itch.stock_directory(500, TEN, "AAPL")], feed=1))
    assert bodies(produced["events"]) == [(0, 0, 0, 0, AAPL, K.SYNC, 0)]


def test_the_example_shows_every_output() -> None:
    example = Itch50.example(1)
    produced = Itch50(Itch50.Parameters.model_validate(example.parameters), example.desk).process(example.frames)
    assert {port: len(rows) > 20 for port, rows in produced.items()} == dict.fromkeys(Itch50.outputs, True)


@pytest.mark.parametrize(
    ("desk", "message"),
    [
        (Desk(id="d", instruments=()), "feed 'nasdaq' is not a feed of desk 'd'; known: none"),
        (Desk(id="d", instruments=(), feeds=(Feed("nasdaq", ("X",)),)), "lists 'X', which desk 'd' has not"),
        (
            Desk(id="d", instruments=(instrument("A", name="1"), instrument("A", name="2")), feeds=(Feed("nasdaq"),)),
            "instruments '1' and '2' are both 'A'",
        ),
        (Desk(id="d", instruments=(instrument("NINECHARS"),), feeds=(Feed("nasdaq"),)), "ITCH has 1 to 8 characters"),
        (Desk(id="d", instruments=(instrument("Ä"),), feeds=(Feed("nasdaq"),)), "ITCH has 1 to 8 characters"),
    ],
)
def test_a_desk_it_cannot_serve_is_refused(desk: Desk, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        operator(desk)


def test_an_unknown_timezone_is_refused() -> None:
    with pytest.raises(ValidationError, match="'New York' is not a timezone"):
        operator(DESK, timezone="New York")
