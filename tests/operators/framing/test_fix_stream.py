"""FIX messages cut out of a stream, however it comes in pieces, and the damage between them."""

import random

from operators.framing.fix_message import decode
from operators.framing.fix_stream import FixStream
from operators.framing.refused import Refused
from tests.operators.framing.fix_talk import from_venue

MESSAGES = [from_venue(number, "X", ("58", f"text {number}" * (number % 5 + 1))) for number in range(1, 60)]


def pieces(data, rng):
    while data:
        size = rng.randrange(1, 90)
        yield data[:size]
        data = data[size:]


def test_messages_come_whole_from_any_pieces():
    for seed in range(20):
        stream, rng = FixStream(), random.Random(seed)
        assert [m for piece in pieces(b"".join(MESSAGES), rng) for m in stream.feed(piece)] == MESSAGES


def test_damage_costs_no_other_message():
    for seed in range(200):
        rng, stream = random.Random(seed), FixStream()
        at = rng.randrange(10, 40)
        damaged = bytearray(MESSAGES[at])
        for _ in range(rng.randrange(1, 4)):
            damaged[rng.randrange(len(damaged))] = rng.choice(b"0123456789=\x018FIX|")
        data = b"".join(MESSAGES[:at]) + bytes(damaged) + b"".join(MESSAGES[at + 1 :])
        found = [m for piece in pieces(data, rng) for m in stream.feed(piece)]
        whole = [m for m in found if not isinstance(m, Refused) and not isinstance(decode(m), Refused)]
        assert [m for m in whole if m in MESSAGES] == [m for i, m in enumerate(MESSAGES) if i != at or m in whole], seed
        assert b"".join(m.data if isinstance(m, Refused) else m for m in found) == data


def test_what_may_become_a_message_is_waited_for():
    stream = FixStream()
    assert stream.feed(b"noise8=F") == [Refused("stream: expected 8=FIX, came what begins no message", b"noise")]
    assert stream.feed(b"IX.4.4\x019=") == []
    assert stream.feed(b"5\x01") == []
    assert stream.feed(b"35=0\x0110=163\x01") == [b"8=FIX.4.4\x019=5\x0135=0\x0110=163\x01"]


def test_a_length_beyond_all_reason_is_not_waited_for():
    stream = FixStream()
    assert [type(m) for m in stream.feed(b"8=FIX.4.4\x019=9999999\x0135=0\x01" + MESSAGES[0])] == [Refused, bytes]
