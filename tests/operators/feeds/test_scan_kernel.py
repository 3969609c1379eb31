"""Whatever the scanner reads of a single value is what the rules read of it, and it reads all that is plain."""

from datetime import datetime
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from operators.feeds.fields import Moments, digits, millis_ns, parsed, seconds_ns
from operators.feeds.multiples import MalformedError, Multiples
from operators.feeds.raw_log import raw_frame
from operators.feeds.scan_kernel import COMPLETE, STEP, UNREAD
from operators.feeds.scanned_feed import Scanner
from operators.feeds.shape import Shape
from operators.operator import Desk, Feed
from tests.operators.feeds.venue_session import instruments

TEXTS = {
    "price": '{"s":"<symbol>","v":"<price>"<level bid>}',
    "total": '{"s":"<symbol>","v":"<total>"}',
    "exact": '{"s":"<symbol>","v":"<exact>"}',
    "bare": '{"s":"<symbol>","v":<price bare>}',
    "int": '{"s":"<symbol>","v":<int order>}',
    "signed": '{"s":"<symbol>","v":<signed order>}',
    "digits": '{"s":"<symbol>","v":"<int order>"}',
    "millis": '{"s":"<symbol>","v":<millis time>}',
    "seconds": '{"s":"<symbol>","v":"<seconds time>"}',
    "moment": '{"s":"<symbol>","v":"<moment time>"}',
}
DESK = Desk("d", instruments("X", "Y"), feeds=(Feed("f", ("x", "y")), Feed("g")))
SCANNERS = {kind: Scanner(DESK, {0: [0, 1]}, [Shape(text)]) for kind, text in TEXTS.items()}
FIELDS = {"price": "bid", "bare": "bid", "total": "bid_qty", "exact": "bid_qty", "int": "order", "signed": "order"}
FIELDS |= {"digits": "order", "millis": "time", "seconds": "time", "moment": "time"}
ROUGHLY = st.from_regex(r"\A-?[0-9]{0,20}\.?[0-9]{0,11}\Z") | st.decimals(0, 10**10, places=4).map("{:f}".format)
TIMES = st.from_regex(
    r"\A(19|20|22)[0-9][0-9]-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9](\.[0-9]{0,10})?Z\Z"
)


BARE = ("bare", "int", "signed", "millis")


def message(kind, text):
    return TEXTS[kind].split("<symbol>")[0] + 'X","v":' + (text if kind in BARE else f'"{text}"') + "}"


def scanned(kind, text):
    """What the scanner makes of a value; None where it is not of the shape."""
    (step,) = SCANNERS[kind].steps(raw_frame([(0, message(kind, text).encode())]))
    return None if step[0] == UNREAD else step[STEP.names.index(FIELDS[kind])]


def ruled(kind, text):
    """What the rules make of it; None where they reject it."""
    try:
        if kind in ("price", "bare"):
            if kind == "bare" and type(parsed(text.encode())) not in (int, float):
                return None
            return Multiples("price", "tick", 10**8)[text]
        if kind in ("total", "exact"):
            return Multiples("quantity", "lot", 10**6, is_total=kind == "total")[text]
        if kind in ("int", "signed", "millis"):
            value = parsed(text.encode())
            return millis_ns(value, "v") if kind == "millis" else value if type(value) is int else None
        if kind == "digits":
            return digits(text, "v")
        return seconds_ns(text, "v") if kind == "seconds" else Moments().read(text, "v")
    except MalformedError:
        return None


@pytest.mark.parametrize("kind", [kind for kind in TEXTS if kind != "moment"])
@given(text=ROUGHLY)
@example(text="0")
@example(text="-0")
@example(text="01")
@example(text="9223372036854775807")
@example(text="9223372036854")
@example(text="9223372036.854775807")
@example(text="9999999999.9")
@example(text="100000000000.1")
@example(text="0.10000000000")
@example(text="0.10000000001")
@example(text="0.0001")
def test_a_number_is_what_the_rules_say_or_left_to_them(kind, text):
    found = scanned(kind, text)
    assert found in (None, ruled(kind, text))


@given(text=TIMES)
@example(text="1970-01-01T00:00:00Z")
@example(text="1969-12-31T23:59:59Z")
@example(text="2000-02-28T23:59:59.999999999Z")
@example(text="2000-03-01T00:00:00.5Z")
@example(text="2261-12-30T00:00:00Z")
@example(text="2262-04-12T00:00:00Z")
@example(text="2023-02-29T00:00:00Z")
@example(text="2023-04-31T00:00:00Z")
@example(text="2023-04-30T24:00:00Z")
def test_a_moment_is_what_the_rules_say_or_left_to_them(text):
    assert scanned("moment", text) in (None, ruled("moment", text))


@given(ticks=st.integers(1, 10**9), zeros=st.integers(0, 6), lots=st.integers(0, 10**9))
def test_what_is_plain_is_read(ticks, zeros, lots):
    assert scanned("price", f"{ticks // 10}.{ticks % 10}" + "0" * zeros) == ticks
    assert scanned("total", f"{Decimal(lots).scaleb(-3):f}") == lots
    assert scanned("int", str(ticks)) == scanned("digits", str(ticks)) == ticks
    assert scanned("signed", str(-ticks)) == -ticks
    assert scanned("seconds", f"1618678133.{lots % 10**6:06d}") == 1_618_678_133 * 10**9 + lots % 10**6 * 1000
    assert scanned("moment", "2026-08-09T21:05:48.228568804Z") == 1_786_309_548_228_568_804


@given(st.datetimes(datetime(1970, 1, 1), datetime(2261, 12, 31)))
def test_every_day_is_read(moment):
    text = moment.replace(microsecond=0).isoformat() + "Z"
    assert scanned("moment", text) == ruled("moment", text) is not None


def test_a_total_between_lots_is_rounded_down_though_not_to_nothing():
    assert (scanned("total", "1.0019"), scanned("total", "0.0001"), scanned("total", "0.0000")) == (1001, 1, 0)
    assert scanned("exact", "1.0019") is None


def test_a_price_of_a_level_is_above_0():
    assert scanned("price", "0.0") is None


@pytest.mark.parametrize("text", ["Z", "", "XX", "X\\u0058", "\x1f", "Ä"])
def test_a_symbol_is_one_of_the_feed(text):
    told = message("int", "5").replace('"X"', f'"{text}"').encode()
    ((shape, *_),) = SCANNERS["int"].steps(raw_frame([(0, told)]))
    assert shape == UNREAD


def test_a_symbol_is_the_same_throughout():
    scanner = Scanner(
        DESK, {0: [0, 1]}, [Shape('["<symbol>","<symbol>"]'), Shape('["<symbol each>",1,"<symbol each>"]')]
    )
    told = [b'["X","X"]', b'["X","Y"]', b'["X",1,"Y"]']
    steps = list(scanner.steps(raw_frame([(0, m) for m in told])))
    assert [step[0] for step in steps] == [0, UNREAD, 1]


def test_rows_that_need_no_state_are_one_step_as_long_as_the_feed_is_the_same():
    shape = Shape('{"s":"<symbol>","p":"<price>","v":"<total>"}<trade>', is_complete=True)
    scanner = Scanner(Desk("d", DESK.instruments, feeds=(Feed("f"), Feed("g"))), {0: [0], 1: [1]}, [shape])
    x, y = (f'{{"s":"{symbol}","p":"1.0","v":"2"}}'.encode() for symbol in "XY")
    steps = list(scanner.steps(raw_frame([(0, x), (0, x), (1, y), (1, b"{}"), (1, y)])))
    names = ("shape", "row", "feed", "first", "end")
    found = [tuple(step[STEP.names.index(name)] for name in names) for step in steps]
    assert found == [(COMPLETE, 0, 0, 0, 2), (COMPLETE, 2, 1, 2, 3), (UNREAD, 3, 1, 0, 0), (COMPLETE, 4, 1, 3, 4)]


def test_an_entry_of_a_feed_of_another_operator_is_no_step():
    assert list(SCANNERS["int"].steps(raw_frame([(1, message("int", "5").encode()), (-1, b"")]))) == []
