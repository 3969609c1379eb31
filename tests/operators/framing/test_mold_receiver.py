"""Whatever a network does, what comes out is what was sent, or is reported lost."""

import pickle
import random
import struct

from hypothesis import given, settings
from hypothesis import strategies as st

from operators.framing.mold_output import Ended, Gap, Lost, Message, Output, Recovered
from operators.framing.mold_packet import Packet, Request, encode_packet, encode_request
from operators.framing.mold_receiver import MoldReceiver
from operators.framing.mold_sender import MoldSender
from operators.framing.refused import Refused
from tests.operators.framing.lossy import assert_honest, interleaved, line, messages_of

SESSION = b"20191230A "
FOREVER = 1 << 62
COUNT = 90

seeds = st.integers(0, 2**32 - 1)


def packet(sequence: int, *messages: bytes, session: bytes = SESSION) -> bytes:
    return encode_packet(Packet(session, sequence, messages))


def end(sequence: int) -> bytes:
    return encode_packet(Packet(SESSION, sequence, (), is_end=True))


def passed_on(out: list[Output]) -> list[bytes]:
    return [item.data for item in out if isinstance(item, Message)]


@settings(max_examples=1000)
@given(seeds, st.floats(0, 0.3), st.floats(0, 0.5), st.floats(0, 8), st.integers(1, 3))
def test_lossy_lines_become_one_stream_that_is_whole_or_says_where_not(seed, loss, repeats, reach, lines):
    rng = random.Random(seed)
    sent = messages_of(rng, COUNT)
    sender = MoldSender(SESSION, payload_max=rng.choice((60, 120, 1400)))
    packets = [p for start in range(0, COUNT, 6) for p in sender.send(sent[start : start + 6])]
    packets += [sender.heartbeat(), sender.end()]
    arriving = interleaved(rng, [line(rng, packets, loss, repeats, reach) for _ in range(lines)])
    receiver = MoldReceiver(sequence=1, patience_ns=FOREVER, waiting_max=rng.choice((5, 40, 10_000)))
    out = [item for data in [*arriving, sender.end()] for item in receiver.receive(data)]
    whole_at_last = receiver.waiting_max == 10_000
    lost = assert_honest(out := out + receiver.finish(), sent)
    assert out[-1] == Ended(SESSION, COUNT + 1)
    counts = receiver.counts
    assert (counts.messages, counts.lost) == (COUNT - len(lost), len(lost))
    assert counts.missing == counts.recovered + counts.lost
    assert counts.refused == 0
    came = {n for p in arriving for n in numbers(p)}
    assert not whole_at_last or lost == set(range(1, COUNT + 1)) - came
    assert counts.duplicates == sum(len(numbers(p)) for p in arriving) - counts.messages


@settings(max_examples=300)
@given(seeds, st.floats(0, 0.3), st.floats(0, 0.5), st.floats(0, 8))
def test_a_server_that_sends_again_makes_a_lossy_line_whole(seed, loss, repeats, reach):
    rng = random.Random(seed)
    sent = messages_of(rng, 100)
    sender, receiver = MoldSender(SESSION, payload_max=150), MoldReceiver(sequence=1, patience_ns=FOREVER)
    packets = [p for start in range(0, 100, 5) for p in sender.send(sent[start : start + 5])]
    out: list[Output] = []
    now = 0
    for data in [*line(rng, packets, loss, repeats, reach), sender.end()]:
        now += 1_000_000
        out += receiver.receive(data, now)
    while not receiver._is_over:
        now += receiver.ask_every_ns
        for request in receiver.requests(now):
            reply = sender.reply(encode_request(request))
            assert isinstance(reply, bytes)
            for data in line(rng, [reply], loss, repeats, reach):
                out += receiver.receive(data, now)
    assert assert_honest(out, sent) == set()
    assert passed_on(out) == sent


@settings(max_examples=300)
@given(st.lists(st.binary(max_size=60) | seeds, max_size=20), st.integers(0, 3))
def test_bytes_of_any_kind_are_refused_or_understood_but_never_an_exception(garbage, sequence):
    receiver = MoldReceiver(sequence=sequence)
    for data in (damaged_packet(piece) if isinstance(piece, int) else piece for piece in garbage):
        for item in receiver.receive(data):
            assert not isinstance(item, Refused) or (item.data == data and item.reason)
    receiver.finish()
    assert receiver.counts.missing == receiver.counts.recovered + receiver.counts.lost


def damaged_packet(seed: int) -> bytes:
    """A true packet with up to two bytes changed."""
    rng = random.Random(seed)
    damaged = bytearray(packet(rng.randrange(9), *messages_of(rng, rng.randrange(4))))
    for _ in range(rng.randrange(3)):
        damaged[rng.randrange(len(damaged))] = rng.randrange(256)
    return bytes(damaged)


def numbers(data: bytes) -> range:
    _, sequence, count = struct.unpack_from(">10sQH", data)
    return range(sequence, sequence + (0 if count == 0xFFFF else count))


def test_a_gap_is_reported_when_seen_and_recovered_by_the_other_line():
    receiver = MoldReceiver()
    assert receiver.receive(packet(1, b"a")) == [Message(1, b"a")]
    assert receiver.receive(packet(4, b"d")) == [Gap(2, 3)]
    assert receiver.receive(packet(3, b"c")) == []
    assert receiver.receive(packet(1, b"a", b"b")) == [
        Recovered(2, 3),
        Message(2, b"b"),
        Message(3, b"c"),
        Message(4, b"d"),
    ]
    assert receiver.counts.duplicates == 1


def test_a_heartbeat_tells_of_what_was_lost_last():
    receiver = MoldReceiver(sequence=1)
    assert receiver.receive(packet(3)) == [Gap(1, 2)]
    assert receiver.receive(packet(3)) == []
    assert receiver.finish() == [Lost(1, 2)]


def test_patience_ends_for_each_gap_by_itself_and_what_came_of_it_is_kept():
    receiver = MoldReceiver(sequence=1, patience_ns=100)
    receiver.receive(packet(5, b"e"), 10)
    receiver.receive(packet(3, b"c"), 20)
    receiver.receive(packet(7, b"g"), 60)
    assert receiver.expire(109) == []
    assert (receiver.asks_ns, receiver.expires_ns) == (10, 110)
    assert receiver.expire(110) == [
        Lost(1, 2),
        Recovered(3, 3),
        Message(3, b"c"),
        Lost(4, 4),
        Message(5, b"e"),
    ]
    assert receiver.receive(packet(8, b"h"), 160) == [Lost(6, 6), Message(7, b"g"), Message(8, b"h")]
    assert receiver.receive(packet(6, b"f"), 161) == []
    assert receiver.counts.duplicates == 1


def test_too_much_waiting_gives_up_the_oldest_gap_only():
    receiver = MoldReceiver(sequence=1, waiting_max=2)
    receiver.receive(packet(2, b"b"))
    receiver.receive(packet(4, b"d"))
    assert receiver.receive(packet(5, b"e")) == [Lost(1, 1), Message(2, b"b")]
    assert receiver.receive(packet(3, b"c"))[0] == Recovered(3, 3)


def test_what_is_missing_is_asked_for_in_turns():
    receiver = MoldReceiver(sequence=1, ask_every_ns=50)
    receiver.receive(packet(4, b"d"), 0)
    receiver.receive(packet(2, b"b"), 5)
    assert list(receiver.requests(5)) == [Request(SESSION, 1, 1), Request(SESSION, 3, 1)]
    assert list(receiver.requests(54)) == []
    assert receiver.asks_ns == 55
    assert list(receiver.requests(55)) == [Request(SESSION, 1, 1), Request(SESSION, 3, 1)]


def test_another_session_is_refused_until_this_one_ends():
    other = b"20191231A "
    receiver = MoldReceiver(SESSION.strip())
    assert receiver.receive(packet(1, b"x", session=other)) == [
        Refused(f"session: expected {SESSION!r}, came {other!r}", packet(1, b"x", session=other))
    ]
    assert receiver.receive(packet(7, b"g")) == [Message(7, b"g")]
    assert isinstance(receiver.receive(packet(8, b"x", session=other))[0], Refused)
    assert receiver.receive(end(8)) == [Ended(SESSION, 8)]
    assert receiver.receive(end(8)) == []
    assert isinstance(receiver.receive(packet(8, b"h"))[0], Refused)
    assert receiver.receive(packet(2, b"b", session=other)) == [Gap(1, 1)]
    assert receiver.receive(packet(1, b"a", session=other))[-1] == Message(2, b"b")


def test_unnumbered_packets_pass_as_they_come():
    receiver = MoldReceiver()
    for _ in range(2):
        assert receiver.receive(packet(0, b"a", b"b")) == [Message(0, b"a"), Message(0, b"b")]
    assert receiver.counts.duplicates == 0


def test_nothing_happens_before_the_first_packet():
    receiver = MoldReceiver()
    assert (receiver.expire(9), receiver.finish(), list(receiver.requests(9))) == ([], [], [])
    assert (receiver.asks_ns, receiver.expires_ns) == (None, None)


def test_a_pickled_receiver_goes_on_as_the_one_before():
    before = MoldReceiver(sequence=1)
    before.receive(packet(3, b"c"))
    after = pickle.loads(pickle.dumps(before))
    assert after.receive(packet(1, b"a", b"b")) == before.receive(packet(1, b"a", b"b"))
