"""100,000 damaged FIX messages: nothing escapes, and each rejected one is a dead letter with its bytes."""

import random

import pytest

from operators.feeds.fix import Fix
from operators.feeds.raw_log import raw_frame
from operators.framing.fix_message import decode, encode
from operators.framing.refused import Refused
from schemas.market import EventKind
from tests.operators.feeds.fix_messages import Venue, bid, change, delete, new, offer
from tests.operators.feeds.venue_session import operator

COUNT = 100_000
VALUES = ["", *"0123JYNX", "-1", "1e9", "9" * 30, "1.05", "0.0001", "nan", "\xff", "25:61:61"]
NUMBERS = (*range(268, 274), 34, 36, 43, 49, 52, 55, 60, 83, 95, 96, 123, 141, 278, 279, 290, 326, 1023, 1128, 1181)
TAGS = [*map(str, NUMBERS), "x"]
PARAMETERS = {"price": {}, "id": {"entries": "id"}, "position": {"entries": "position", "depth": 3}}


def samples(entries):
    """Messages that are good in their order, and in few others."""
    venue, ids = Venue(), {} if entries == "price" else {"_278": "a"} if entries == "id" else {"_290": 1}
    first = ids if entries == "id" else {}
    return [
        venue.whole(bid("1.0", "2", **first), offer("1.2", "3", **dict.fromkeys(first, "b"))),
        venue.changes(new(bid("1.1", "1", **dict.fromkeys(ids, "c" if entries == "id" else 1)))),
        venue.changes(change(bid("1.0", "4", **ids), None) | {55: "X"}, delete(bid("1.0", "0", **ids))),
        venue.changes(new({269: 2, 270: "1.1", 271: "1", 1003: 5, 273: "00:00:01"}, "Y"), new({269: 3, 270: "1.234"})),
        venue.whole({269: "J"}, symbol="Y", _83=4),
        venue.message("f", {55: "X", 326: 17}),
        venue.message("4", {123: "Y", 36: 20}),
        venue.message("A", {98: 0, 108: 30, 141: "Y"}),
        venue.message("0", {95: 3, 96: "a=b"}),
    ]


def mutated(rng, message):
    """One message with bytes changed, cut short, doubled, or with fields changed, added or left out, and a new sum."""
    fate = rng.random()
    if fate < 0.15:
        damaged = bytearray(message)
        damaged[rng.randrange(len(damaged))] = rng.choice(b"0123456789=\x01|8FIX \0\xff")
        return bytes(damaged)
    if fate < 0.2:
        return message[: rng.randrange(len(message))]
    if fate < 0.25:
        return message + message
    fields = decode(message)[1:]
    for _ in range(rng.randrange(1, 4)):
        at = rng.randrange(1, len(fields))
        kind = rng.random()
        if kind < 0.2 and len(fields) > 2:
            del fields[at]
        elif kind < 0.35:
            fields.insert(at, (rng.choice(TAGS), rng.choice(VALUES) or "1"))
        elif kind < 0.5:
            fields[at] = ("34", str(rng.randrange(1, 30)))
        else:
            fields[at] = (fields[at][0], rng.choice(VALUES) or "1")
    return encode(rng.choice(["FIX.4.4", "FIXT.1.1", "FIXT.1.1", "FIX.4.0"]), fields)


@pytest.mark.parametrize("entries", PARAMETERS)
def test_nothing_escapes_and_what_is_rejected_is_a_dead_letter(entries):
    rng, valid = random.Random(entries), samples(entries)
    variants = [mutated(rng, message) for message in valid for _ in range(500)] + valid * 100
    unread = {m for m in variants if m[:1] != b"\0" and b"|" not in m and isinstance(decode(m), Refused)}
    fix, letters, wholes = operator(Fix, "X", "Y", **PARAMETERS[entries]), 0, 0
    for at in range(0, COUNT // len(PARAMETERS), 5000):
        messages = rng.choices(variants, k=5000)
        out = fix.process({"raw": raw_frame([(0, m) for m in messages], at + 1)})
        rejected = {}
        for cause, _, feed, reason, content in out["dead_letters"].tolist():
            assert cause not in rejected
            assert (feed, content) == (0, messages[cause - at - 1])
            assert 5 < len(reason) < 400
            rejected[cause] = content
        assert unread.intersection(messages) <= set(rejected.values())
        letters += len(rejected)
        events = out["events"]
        dead = events[[cause in rejected for cause in events["cause"].tolist()]]
        assert set(dead[["kind", "qty"]].tolist()) <= {(EventKind.SYNC, 0)}
        assert (events["qty"] >= 0).all()
        assert (events["price"][events["kind"] == EventKind.LEVEL] > 0).all()
        wholes += int((events["kind"] == EventKind.CLEAR).sum())
        assert fix.snapshot() is not None
    assert letters > COUNT // 20
    assert wholes > COUNT // 1000
