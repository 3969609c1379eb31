"""Captures of MoldUDP64 as feeds: one line or two, whole or lossy, left and taken up anywhere."""

import pickle
import random
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from operators.framing.mold_output import Lost, Recovered, Repeated
from operators.framing.mold_packet import Packet, encode_packet
from operators.framing.mold_sender import MoldSender
from operators.framing.notice import decode_notice
from operators.framing.refused import Refused
from operators.sources import captures
from operators.sources.desk_input import DeskInput
from operators.sources.feed import feed_config
from schemas.errors import CaptureError
from tests.operators.framing.frames import classic, ethernet, nanosecond_sections
from tests.operators.framing.lossy import line, messages_of
from tests.operators.sources import log

TS = 1_692_712_024_000_000_000
MS = 1_000_000


def mold_feed(path, **settings):
    return feed_config(id="mold", format="mold_pcap", path=path.name, **settings), path


def stamped(payloads, every=MS, first=TS):
    return [(first + i * every, ethernet(payload)) for i, payload in enumerate(payloads)]


def packet(sequence, *messages):
    return encode_packet(Packet(b"SESSION", sequence, messages))


def read(feed, frame=100, resume=None):
    """(clock, message or notice) of a feed's log."""
    entries = log.read_all([feed], frame, resume)[:-1]
    return [(clock, decode_notice(message) or message) for _, clock, _, _, message in entries]


def write_lines(folder, seed, loss):
    """Two lossy lines of one session, in captures of either kind, one of them compressed; and what was sent."""
    rng = random.Random(seed)
    sent = messages_of(rng, 80)
    sender = MoldSender(b"SESSION", payload_max=80)
    packets = [p for start in range(0, 80, 4) for p in sender.send(sent[start : start + 4])]
    lines = [[packets[0], *line(rng, packets[1:], loss, 0.2, 2), sender.end()] for _ in "AB"]
    log.write(folder / "a.pcap.gz", classic(stamped(lines[0])))
    log.write(folder / "b.pcapng", nanosecond_sections(stamped(lines[1], first=TS + 300_000)))
    return mold_feed(folder / "a.pcap.gz", path_b="b.pcapng", patience="20ms"), sent


@settings(max_examples=50)
@given(st.integers(0, 2**32 - 1), st.floats(0, 0.3), st.integers(1, 50))
def test_two_lossy_lines_are_one_feed_that_is_whole_or_says_where_not(tmp_path_factory, seed, loss, frame):
    feed, sent = write_lines(tmp_path_factory.getbasetemp(), seed, loss)
    found = read(feed, frame)
    whole, lost = [], 0
    for _, entry in found:
        if isinstance(entry, Lost):
            assert entry.first == len(whole) + 1
            lost += entry.last + 1 - entry.first
            whole += sent[entry.first - 1 : entry.last]
        elif not isinstance(entry, Recovered | Repeated):
            whole.append(entry)
    assert whole == sent
    assert loss > 0 or sum(entry.messages for _, entry in found if isinstance(entry, Repeated)) >= len(sent)
    assert loss > 0 or lost == 0
    clocks = [clock for clock, _ in found]
    assert clocks == sorted(clocks)


@settings(max_examples=30)
@given(st.integers(0, 2**32 - 1), st.integers(1, 20), st.lists(st.integers(1, 4), min_size=1, max_size=5))
def test_resuming_anywhere_changes_nothing(tmp_path_factory, seed, frame, lives):
    feed, _ = write_lines(tmp_path_factory.getbasetemp(), seed, 0.3)
    uninterrupted, found, position = log.read_all([feed]), [], None
    with mock.patch.object(captures, "BLOCK_BYTES", 256):
        while not (position and position.is_ended):
            source = DeskInput([feed], frame, position)
            for _ in range(lives[len(found) % len(lives)]):
                found += log.next_entries(source) or []
            position = pickle.loads(pickle.dumps(source.snapshot()))
            source.close()
    assert found == uninterrupted


def test_a_message_that_waited_has_the_time_at_which_it_could_pass(tmp_path):
    path = tmp_path / "a.pcap"
    path.write_bytes(classic(stamped([packet(1, b"a"), packet(3, b"c"), packet(2, b"b"), packet(5, b"e")])))
    assert read(mold_feed(path)) == [
        (TS, b"a"),
        (TS + 2 * MS, Recovered(2, 2)),
        (TS + 2 * MS, b"b"),
        (TS + 2 * MS, b"c"),
        (TS + 3 * MS, Lost(4, 4)),
        (TS + 3 * MS, b"e"),
    ]


def test_patience_is_counted_in_the_captures_own_time(tmp_path):
    path = tmp_path / "a.pcap"
    path.write_bytes(classic(stamped([packet(1, b"a"), packet(3, b"c"), packet(4, b"d"), packet(5, b"e")])))
    found = read(mold_feed(path, patience="2ms"))
    assert found[1:3] == [(TS + 3 * MS, Lost(2, 2)), (TS + 3 * MS, b"c")]


def test_what_is_no_packet_of_the_feed_is_told_or_ignored(tmp_path):
    path = tmp_path / "a.pcap"
    frames = [*stamped([packet(1, b"a"), b"no packet"]), (TS + 2 * MS, ethernet(packet(2, b"other"), port=1))]
    path.write_bytes(classic([*frames, (TS + 3 * MS, b"no frame"), (TS + 4 * MS, ethernet(packet(2, b"b")))])[:-1])
    found = read(mold_feed(path, port=26477))
    assert found[:2] == [(TS, b"a"), (TS + MS, Refused("packet: expected at least 20 bytes, came 9", b"no packet"))]
    assert [entry.reason for _, entry in found[2:]] == ["capture, record: expected 65 bytes, came 64"]


@pytest.mark.parametrize("content", [b"", b"no capture", classic([], link=105)])
def test_a_file_that_is_no_capture_is_refused_with_its_name(tmp_path, content):
    path = tmp_path / "a.pcap"
    path.write_bytes(content)
    with pytest.raises(CaptureError, match=r"feed 'mold': .*a\.pcap cannot be read"):
        read(mold_feed(path))


def test_another_second_line_is_not_the_capture_to_resume(tmp_path):
    feed, _ = write_lines(tmp_path, 1, 0)
    source = DeskInput([feed], 5, None)
    source.next()
    source.close()
    assert source.snapshot().captures[0].name == "a.pcap.gz + b.pcapng"
    (tmp_path / "b.pcapng").write_bytes(nanosecond_sections(stamped([packet(1, b"x")])))
    with pytest.raises(CaptureError, match="is not the capture this run has read so far"):
        DeskInput([feed], 5, source.snapshot())


def test_a_missing_second_line_is_named(tmp_path):
    (tmp_path / "a.pcap").write_bytes(classic([]))
    with pytest.raises(CaptureError, match=r"cannot read .*b\.pcap"):
        DeskInput([mold_feed(tmp_path / "a.pcap", path_b="b.pcap")], 5, None)
