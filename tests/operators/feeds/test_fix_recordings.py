"""A real JSE market data log of 2011: 13,888 FIXT.1.1 messages of 80 indices, and nothing but index values in them."""

from collections import Counter
from decimal import Decimal

import simplefix

from operators.feeds.fix import Fix
from operators.feeds.fix_definitions import fix_instruments
from operators.operator import Desk, Feed
from operators.sources.desk_input import DeskInput
from operators.sources.feed import feed_config
from schemas.market import EventKind, FeedEventKind

NAME = "jse_market_data_fixt11_2011-11-24.log"
RAW = ("cause", "ts")


def recording(data_path, frame=100_000):
    path = data_path / "fix" / NAME
    source = DeskInput([(feed_config(id="jse", format="fix_log", path=NAME), path)], frame, None)
    raw = source.next()
    source.close()
    return raw


def theirs(raw):
    """The messages as simplefix takes them apart, without looking at sums."""
    for i in range(len(raw.rows)):
        parser = simplefix.FixParser()
        parser.append_buffer(raw.message(i))
        yield [(tag.decode(), value.decode()) for tag, value in parser.get_message().pairs]


def decoded(raw, instruments):
    desk = Desk("d", tuple(instruments), feeds=(Feed("jse", tuple(i.id for i in instruments)),))
    return Fix(Fix.Parameters(feeds=("jse",)), desk).process({"raw": raw})


def test_every_message_is_accepted_and_every_index_value_told(data_path):
    raw = recording(data_path)
    assert len(raw.rows) == 13_888
    messages = (raw.message(i) for i in range(len(raw.rows)))
    defined = fix_instruments(messages, "jse", tick=Decimal("0.01"), lot=Decimal(1), currency="ZAR")
    assert (len(defined.instruments), defined.left_out) == (80, {})
    out = decoded(raw, defined.instruments)
    assert "dead_letters" not in out
    told = out["events"]
    assert set(told["kind"].tolist()) == {EventKind.VALUE}
    symbols = [instrument.symbol for instrument in defined.instruments]
    expected, last = [], 0
    for cause, fields in enumerate(theirs(raw), 1):
        number = int(dict(fields).get("1181", 0))
        if number <= last:
            continue
        last, symbol, kind = number, "", ""
        for tag, value in fields:
            symbol, kind = value if tag == "55" else symbol, value if tag == "269" else kind
            if tag == "270" and kind == "3":
                cents = int((Decimal(value) * 100).to_integral_value("ROUND_HALF_UP"))
                expected.append((cause, symbols.index(symbol), cents))
    assert told[["cause", "instrument", "price"]].tolist() == expected
    assert len(expected) == 11_352


def test_what_it_says_twice_and_what_it_leaves_out(data_path):
    raw = recording(data_path)
    messages = [raw.message(i) for i in range(len(raw.rows))]
    defined = fix_instruments(messages, "jse", tick=Decimal("0.01"), lot=Decimal(1), currency="ZAR")
    told = decoded(raw, defined.instruments)["feed_events"]
    again = told[told["kind"] == FeedEventKind.DUPLICATE]
    assert [messages[cause - 1] == messages[cause - 2] for cause in again["cause"].tolist()] == [True] * 13
    missed = told[told["kind"] == FeedEventKind.GAP]
    assert (missed["first"] == missed["last"]).all()
    names = Counter(defined.instruments[i].symbol for i in missed["instrument"].tolist())
    assert names == {"JA30": 3, "JA00": 3, "JA0R": 2, "J259": 2, "JA3R": 1, "J263": 1}
    assert len(told) == 25
