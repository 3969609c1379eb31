"""100,000 damaged messages per venue: nothing escapes, and each rejected one is a dead letter with its bytes."""

import random

import orjson
import pytest

from operators.feeds.bybit import Bybit
from operators.feeds.coinbase import Coinbase
from operators.feeds.kraken import Kraken
from operators.feeds.okx import Okx
from operators.feeds.raw_log import raw_frame
from schemas.market import EVENTS, EventKind, RawKind
from tests.operators.feeds import test_bybit, test_coinbase, test_kraken, test_okx
from tests.operators.feeds.test_binance_mutations import VALUES
from tests.operators.feeds.venue_session import operator

COUNT, AT_ONCE = 100_000, 500
SAMPLES = {
    Kraken: [
        test_kraken.snapshot(),
        test_kraken.book("update", "1.1 0.500 1.0 0", "1.2 3", test_kraken.crc("1.2 3", "1.1 0.500")),
        test_kraken.trade(),
        test_kraken.ticker(),
        test_kraken.first({"as": [["1.2", "2", "9.5"]], "bs": [["1.0", "1", "9.5"]]}),
        test_kraken.first({"a": [["1.2", "3", "2.125", "r"]]}, {"b": [["1.1", "0.500", "2.25"]], "c": "5"}),
        test_kraken.first([["1.0", "0.5", "3.5", "s", "m", ""]], channel="trade"),
        test_kraken.first({"a": ["1.5", 3, "3.000"], "b": ["1.0", 0, "0.25"]}, channel="ticker"),
        b'{"method":"subscribe","success":true,"result":{}}',
    ],
    Okx: [
        test_okx.snapshot(),
        test_okx.update(5, 6, bids=[["1.1", "3", "0", "1"], ["1.0", "0", "0", "0"]], asks=[test_okx.ASK]),
        test_okx.trade(),
        test_okx.ticker(),
        test_okx.message("bbo-tbt", bids=[test_okx.BID], asks=[test_okx.ASK], seqId=8),
        b'{"event":"subscribe","arg":{}}',
    ],
    Coinbase: [
        test_coinbase.snapshot(0),
        test_coinbase.update(1, test_coinbase.level(), test_coinbase.level("offer", "1.3", "0")),
        test_coinbase.trades(2),
        test_coinbase.ticker(3),
        test_coinbase.message(4, "heartbeats", {"heartbeat_counter": 5}),
    ],
    Bybit: [
        test_bybit.snapshot(5),
        test_bybit.delta(6, ["1.1", "3"], ["1.0", "0"]),
        test_bybit.trades(),
        test_bybit.ticker(**test_bybit.BEST),
        test_bybit.ticker("delta", bid1Size="1"),
        b'{"success":true,"ret_msg":"","conn_id":"x","op":"subscribe"}',
    ],
}


def mutated(rng, message):
    """One message with bytes changed, cut short, doubled, or with a value anywhere in it replaced or left out."""
    fate = rng.random()
    if fate < 0.3:
        damaged = bytearray(message)
        damaged[rng.randrange(len(damaged))] = rng.choice(b'0123456789{}[]",:.-eEsubBaA \0\xff')
        return bytes(damaged)
    if fate < 0.4:
        return message[: rng.randrange(len(message))]
    if fate < 0.45:
        return message + message
    if fate < 0.5:
        return message
    whole = orjson.loads(message)
    part, key = whole, None
    while key is None:
        at = rng.choice(list(part)) if type(part) is dict else rng.randrange(len(part))
        inner = part[at]
        if type(inner) in (dict, list) and inner and rng.random() < 0.8:
            part = inner
        else:
            key = at
    if rng.random() < 0.3:
        del part[key]
    else:
        part[key] = rng.choice(VALUES)
    return orjson.dumps(whole, option=orjson.OPT_NON_STR_KEYS)


def is_json(message):
    try:
        orjson.loads(message)
    except ValueError:
        return False
    return True


@pytest.mark.parametrize("cls", SAMPLES)
def test_nothing_escapes_and_what_is_rejected_is_a_dead_letter(cls):
    rng, valid = random.Random(cls.__name__), SAMPLES[cls]
    variants = [mutated(rng, message) for message in valid for _ in range(1000)] + valid
    unread = {message for message in variants if not is_json(message)}
    venue, letters, wholes = operator(cls, "X", "Y"), 0, 0
    for first in range(1, COUNT + COUNT // AT_ONCE, AT_ONCE + 1):
        messages = rng.choices(variants, k=AT_ONCE)
        raw = raw_frame([(0, b""), *((0, m) for m in messages)], first)
        raw.rows["kind"][0] = RawKind.CONNECT  # or all that follows a stamp of the future would be late
        out = venue.process({"raw": raw})
        rejected = {}
        for cause, _, feed, reason, content in out["dead_letters"].tolist():
            assert cause not in rejected
            assert (feed, content) == (0, messages[cause - first - 1])
            assert 5 < len(reason) < 400
            rejected[cause] = content
        assert unread.intersection(messages) <= set(rejected.values())
        assert not set(valid) & set(rejected.values())
        letters += len(rejected)
        events = out.get("events", EVENTS.empty)
        dead = events[[cause in rejected for cause in events["cause"].tolist()]]
        assert set(dead[["kind", "qty"]].tolist()) <= {(EventKind.SYNC, 0)}
        assert (events["qty"] >= 0).all()
        assert (events["price"][events["kind"] == EventKind.LEVEL] > 0).all()
        wholes += int((events["kind"] == EventKind.CLEAR).sum())
    assert letters > COUNT // 5
    assert wholes > COUNT // 100
