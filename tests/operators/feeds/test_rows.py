"""Rows in, events out; what is foreign, refused or damaged."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from operators.book.book import Book, BookParameters
from operators.feeds.raw_log import raw_frame
from operators.feeds.rows import Rows
from operators.operator import Desk, Feed
from operators.tables.row import RowKind, Told, encode_refused, encode_row, words
from schemas.errors import ConfigError, InvariantError
from schemas.instrument import Instrument
from schemas.market import BookState, EventKind, RawFrame

UNIT = 10**9
CENT = 10**7
BID, ASK, BUY, SELL = Told.BID, Told.ASK, Told.BUY, Told.SELL


def instrument(name, symbol=None):
    terms = {"venue": "t", "tick": Decimal("0.01"), "lot": Decimal(10), "currency": "USD"}
    return Instrument(id=name, symbol=symbol or name, **terms)


DESK = Desk(
    id="desk",
    instruments=(instrument("A"), instrument("B"), instrument("C")),
    feeds=(Feed("one", ("A",)), Feed("several", ("C", "B")), Feed("other", ("A", "B", "C"))),
)


def rows(*feeds, desk=DESK):
    return Rows(Rows.Parameters(feeds=feeds or ("one", "several")), desk)


def quote(bid=None, ask=None, symbol=b"", text=b"row"):
    """Best prices in ticks and lots of one side or both."""
    told = (BID if bid else 0) | (ASK if ask else 0)
    (bid, bid_qty), (ask, ask_qty) = bid or (0, 0), ask or (0, 0)
    amounts = {"price": bid * CENT, "qty": bid_qty * 10 * UNIT, "ask": ask * CENT, "ask_qty": ask_qty * 10 * UNIT}
    return encode_row(EventKind.QUOTE, told, symbol, text, ts_event=77, **amounts)


def change(kind, told=0, price=0, qty=0, order=0, symbol=b""):
    return encode_row(kind, told, symbol, b"row", price=price * CENT, qty=qty * 10 * UNIT, order=order)


def events(produced):
    """(kind, instrument, side, price, qty, order, is last) of each."""
    frame = produced.get("events", ())
    return [
        (EventKind(int(e["kind"])).name.lower(), *(int(e[c]) for c in ("instrument", "side", "price", "qty", "order")),
         bool(e["flags"]))
        for e in frame
    ]  # fmt: skip


def decode(*messages, feed=0, operator=None):
    return (operator or rows()).process({"raw": raw_frame([(feed, message) for message in messages])})


def letters(produced):
    return [(str(d["reason"]), bytes(d["bytes"])) for d in produced.get("dead_letters", ())]


def test_best_prices_are_a_book_of_one_level_a_side():
    out = decode(quote((100, 5), (102, 7)), quote((101, 5), (102, 7)), quote((101, 6), (102, 7)), quote((101, 6)))
    assert events(out) == [
        ("level", 0, 0, 100, 5, 0, False),
        ("level", 0, 1, 102, 7, 0, False),
        ("sync", 0, 0, 0, 1, 0, True),
        ("level", 0, 0, 100, 0, 0, False),
        ("level", 0, 0, 101, 5, 0, True),
        ("level", 0, 0, 101, 6, 0, True),
    ]
    assert set(out["events"]["ts_event"].tolist()) == {77}
    assert out["events"]["cause"].tolist() == [1, 1, 1, 2, 2, 3]


def test_a_book_is_whole_once_both_sides_were_told():
    out = decode(quote((100, 5)), quote(None, (102, 7)))
    assert events(out) == [
        ("level", 0, 0, 100, 5, 0, True),
        ("level", 0, 1, 102, 7, 0, False),
        ("sync", 0, 0, 0, 1, 0, True),
    ]


def test_a_side_without_price_or_quantity_is_gone():
    out = decode(quote((100, 5), (102, 7)), quote((0, 5), (102, 0)), quote((100, 5), (102, 7)))
    assert events(out)[3:] == [
        ("level", 0, 0, 100, 0, 0, False),
        ("level", 0, 1, 102, 0, 0, True),
        ("level", 0, 0, 100, 5, 0, False),
        ("level", 0, 1, 102, 7, 0, True),
    ]


def test_trades_carry_the_side_that_rested_where_it_is_known():
    trade = EventKind.TRADE
    out = decode(change(trade, BUY, 100, 3), change(trade, SELL, 100, 3), change(trade, 0, 100, 3))
    assert events(out) == [("trade", 0, side, 100, 3, 0, True) for side in (1, 0, -1)]


def test_orders_start_a_whole_book():
    out = decode(
        change(EventKind.ADD, BUY, 100, 3, order=7),
        change(EventKind.EXECUTE, BUY, 100, 1, order=7),
        change(EventKind.CANCEL, SELL, 0, 1, order=7),
        change(EventKind.DELETE, order=7),
        change(EventKind.CLEAR),
        change(EventKind.LEVEL, SELL, 101, 0),
    )
    assert events(out) == [
        ("sync", 0, 0, 0, 1, 0, False),
        ("add", 0, 0, 100, 3, 7, True),
        ("execute", 0, 0, 100, 1, 7, True),
        ("cancel", 0, 1, 0, 1, 7, True),
        ("delete", 0, 0, 0, 0, 7, True),
        ("clear", 0, 0, 0, 0, 0, False),
        ("sync", 0, 0, 0, 1, 0, True),
        ("level", 0, 1, 101, 0, 0, True),
    ]


def test_instruments_are_told_apart_by_their_symbols_and_others_pass():
    out = decode(quote((1, 1), None, b"C"), quote((2, 1), None, b"B"), quote((3, 1), None, b"ABCDEFGHIJ"), feed=1)
    assert [e[:4] for e in events(out)] == [("level", 2, 0, 1), ("level", 1, 0, 2)]
    assert letters(out) == []


def test_rows_left_out_and_feeds_of_others_pass():
    passed = encode_row(RowKind.PASSED, text=b"x")
    assert decode(passed) == {}
    assert decode(quote((1, 1)), feed=2) == {}


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (b"short", "message: expected a record of 72 bytes, came 5"),
        (encode_row(EventKind.QUOTE, BID | ASK, price=CENT + 1, qty=10 * UNIT, text=b"row"),
         "row: expected multiples of the tick 0.01, came bid 0.010000001, bid quantity 10, ask 0, ask quantity 0"),
        (encode_row(EventKind.QUOTE, BID, price=CENT, qty=UNIT, text=b"row"),
         "row: expected multiples of the lot 10, came bid 0.01, bid quantity 1, ask 0, ask quantity 0"),
        (change(EventKind.ADD, BUY, -1, 1, order=1),
         "row: expected no less than 0 and at most 1e12 ticks and lots, came price -0.01, quantity 10"),
        (change(EventKind.ADD, BUY, 1, 1), "row: expected price, quantity and reference above 0, came price 0.01"),
        (change(EventKind.LEVEL, BUY), "row: expected price, quantity and reference above 0"),
        (change(EventKind.ADD, 0, 1, 1, order=1), "row: expected a kind of event, and a side where it needs one"),
        (change(EventKind.REPLACE, BUY, 1, 1, order=1), "row: expected a kind of event"),
        (change(99, BUY, 1, 1, order=1), "row: expected a kind of event, and a side where it needs one, came kind 99"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_a_dead_letter_with_the_row_and_loses_the_book(message, reason):
    operator = rows()
    out = decode(quote((100, 5), (102, 7)), message, quote((100, 5)), quote(None, (102, 7)), operator=operator)
    (said, text), *others = letters(out)
    assert (said.startswith(reason), text, others) == (True, b"short" if message == b"short" else b"row", [])
    assert events(out)[3:] == [("sync", 0, 0, 0, 0, 0, True), ("sync", 0, 0, 0, 1, 0, True)]


@pytest.mark.parametrize(
    ("told", "symbol", "lost"),
    [(Told.AT_STAKE, b"", [1, 2]), (Told.AT_STAKE | Told.SYMBOL, b"B", [1]), (Told.SYMBOL, b"B", []), (0, b"", [])],
)
def test_a_refused_row_loses_the_books_it_may_have_changed(told, symbol, lost):
    refused = encode_refused(told, words(symbol), "bid: expected a number, came 'x'", b"the row")
    out = decode(refused, feed=1)
    assert letters(out) == [("bid: expected a number, came 'x'", b"the row")]
    assert sorted(e[1] for e in events(out)) == lost


def test_a_refused_row_of_another_instrument_is_of_no_concern():
    assert decode(encode_refused(Told.AT_STAKE | Told.SYMBOL, words(b"Z"), "no", b"row"), feed=1) == {}


def test_a_rejected_trade_loses_no_book():
    out = decode(change(EventKind.TRADE, BUY, 0, 1))
    assert len(letters(out)) == 1
    assert "events" not in out


def test_orders_are_whole_again_once_cleared():
    add = change(EventKind.ADD, BUY, 100, 3, order=7)
    out = decode(add, b"x", add, change(EventKind.CLEAR))
    assert [e[0] + str(e[4]) for e in events(out)] == ["sync1", "add3", "sync0", "add3", "clear0", "sync1"]


def test_a_row_without_a_symbol_on_a_feed_of_several_says_so():
    said, _ = letters(decode(quote((1, 1)), feed=1))[0]
    assert said == "row: expected the symbol of an instrument, as its feed speaks of several, came none"


def test_many_instruments_lost_at_once_find_room():
    names = [f"S{i:04}" for i in range(700)]
    desk = Desk(id="d", instruments=tuple(map(instrument, names)), feeds=(Feed("f", tuple(names)),))
    out = decode(*[b"x"] * 40, operator=rows("f", desk=desk))
    assert len(out["events"]) == 40 * 700
    assert len(out["dead_letters"]) == 40
    found = decode(
        *[quote((i + 1, 1), None, name.encode()) for i, name in enumerate(names)], operator=rows("f", desk=desk)
    )
    assert [(e[1], e[3]) for e in events(found)] == [(i, i + 1) for i in range(700)]


@pytest.mark.parametrize(
    ("desk", "feeds", "message"),
    [
        (DESK, ("none",), "rows: feed 'none' is not a feed of desk 'desk'; known: one, several, other"),
        (Desk("d", (instrument("A"),), feeds=(Feed("f", ("B",)),)), ("f",), "feed 'f' speaks of 'B'"),
        (Desk("d", (instrument("A", "X" * 17),), feeds=(Feed("f", ("A",)),)), ("f",), "at most 16 bytes"),
        (Desk("d", (instrument("A", "X"), instrument("B", "X")), feeds=(Feed("f", ("A", "B")),)), ("f",), "both with"),
    ],
)
def test_what_cannot_work_is_refused(desk, feeds, message):
    with pytest.raises(ConfigError, match=message):
        rows(*feeds, desk=desk)


def test_a_frame_that_points_outside_of_its_bytes_is_a_broken_invariant():
    raw = raw_frame([(0, quote((1, 1)))])
    raw.rows["size"] += 1
    with pytest.raises(InvariantError, match="operator 'rows', input 1: its message is 76 bytes from 0"):
        rows().process({"raw": RawFrame(raw.rows, raw.data)})


tops = st.tuples(st.integers(95, 105), st.integers(0, 4))


@settings(max_examples=40)
@given(st.lists(st.tuples(st.none() | tops, st.none() | tops), min_size=1, max_size=30))
def test_the_books_top_is_what_the_last_rows_told(told):
    """Against a dictionary: after every row the book quotes the last bid and ask, and its state is what they are."""
    operator, book, last, quoted = rows(), Book(BookParameters(), DESK), {}, None
    for i, (bid, ask) in enumerate(told):
        if bid is None and ask is None:
            continue
        last |= {side: top for side, top in ((0, bid), (1, ask)) if top is not None}
        out = operator.process({"raw": raw_frame([(0, quote(bid, ask))], first=i + 1)})
        quotes = book.process({"events": out["events"]}).get("quotes") if "events" in out else None
        quoted = quotes[-1] if quotes is not None else quoted
        shown = [last.get(side, (0, 0)) if last.get(side, (0, 0))[1] else (0, 0) for side in (0, 1)]
        if quoted is None:
            assert shown == [(0, 0), (0, 0)]
            continue
        assert [(int(quoted[p]), int(quoted[q])) for p, q in (("bid", "bid_qty"), ("ask", "ask_qty"))] == shown
        assert bool(quoted["state"] & BookState.UNSYNCED) == (len(last) < 2)
