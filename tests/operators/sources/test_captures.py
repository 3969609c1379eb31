"""Framing and clocks of single captures."""

from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operators.sources import captures
from tests.operators.sources import log
from tests.operators.sources.log import MIDNIGHT_NS, itch_bytes, itch_feed, itch_message, recording_feed, write


def messages(feed):
    """(clock after the session's midnight, message), without the END entry."""
    return [(ts, message) for _, ts, _, _, message in log.read_all([feed])[:-1]]


@pytest.mark.parametrize("name", ["day", "day.gz"])
def test_itch_clock_is_midnight_plus_timestamp_plus_delay_made_monotone(tmp_path, name):
    times = [5, 3, 9, 9, 7, 10]
    content = [itch_message(t, 11 + t) for t in times]
    path = write(tmp_path / name, itch_bytes(content))
    clocks = [MIDNIGHT_NS + 2000 + t for t in (5, 5, 9, 9, 9, 10)]
    assert messages(itch_feed(path, delay="2us")) == list(zip(clocks, content, strict=True))


def test_itch_messages_without_a_proper_timestamp_keep_the_clock(tmp_path):
    content = [b"", itch_message(7), b"A", b"", itch_message(86_400 * 10**9), itch_message(8)]
    path = write(tmp_path / "day", itch_bytes(content))
    assert messages(itch_feed(path)) == [
        (MIDNIGHT_NS + clock, message) for clock, message in zip((0, 7, 7, 7, 7, 8), content, strict=True)
    ]


@pytest.mark.parametrize("left", range(21))
def test_a_cut_last_itch_message_is_passed_on_with_the_bytes_there_are(tmp_path, left):
    first, last = itch_message(1), itch_message(2)
    path = write(tmp_path / "day", itch_bytes([first, last])[: 21 + left])
    expected = [(MIDNIGHT_NS + 1, first)]
    if left:
        expected.append((MIDNIGHT_NS + (2 if left >= 13 else 1), last[: max(left - 2, 0)]))
    assert messages(itch_feed(path)) == expected


def test_the_longest_itch_message_fits(tmp_path):
    content = [itch_message(i, 65_535) for i in range(200)]  # 13 MB: several blocks
    assert messages(itch_feed(write(tmp_path / "day", itch_bytes(content)))) == [
        (MIDNIGHT_NS + i, m) for i, m in enumerate(content)
    ]


@pytest.mark.parametrize("name", ["session", "session.gz"])
def test_recorded_lines_lose_their_receive_time(tmp_path, name):
    path = write(tmp_path / name, b'5 {"a":1}\n3 {"b": 2}\r\n\n12 last')
    assert messages(recording_feed(path)) == [(5, b'{"a":1}'), (5, b'{"b": 2}\r'), (5, b""), (12, b"last")]


@pytest.mark.parametrize(
    "line",
    [
        b"x",
        b" 9 a",
        b"9",
        b"9\ta",
        b"-9 a",
        b"9.5 a",
        b"9x a",
        b"9223372036854775807 a",
        b"99999999999999999999 a",
        b"\xd9\xa3 a",
        b'{"a":1}',
        bytes(30),
    ],
)
def test_a_line_without_a_proper_receive_time_is_passed_on_whole(tmp_path, line):
    path = write(tmp_path / "session", b"5 before\n" + line + b"\n7 after\n")
    assert messages(recording_feed(path)) == [(5, b"before"), (5, line), (7, b"after")]


def test_the_largest_receive_time_passes(tmp_path):
    path = write(tmp_path / "session", b"9223372036854775806 a")
    assert messages(recording_feed(path)) == [(2**63 - 2, b"a")]


def test_a_line_longer_than_a_block_comes_in_pieces(tmp_path):
    path = write(tmp_path / "session", b"5 a\n7 " + b"x" * 150 + b"\n8 b\n")
    with mock.patch.object(captures, "BLOCK_BYTES", 64):
        assert messages(recording_feed(path)) == [(5, b"a"), (7, b"x" * 62), (7, b"x" * 64), (7, b"x" * 24), (8, b"b")]


MESSAGES = st.lists(st.binary(max_size=40) | st.integers(0, 2**48 - 1).map(itch_message), max_size=30)
LINES = st.lists(
    st.builds(b"%d %s".__mod__, st.tuples(st.integers(0, 2**64), st.binary(max_size=20))) | st.binary(max_size=25),
    max_size=30,
)


@given(MESSAGES, st.integers(0, 30), st.integers(64, 200))
def test_itch_is_what_the_oracle_reads(tmp_path_factory, content, cut, block):
    content = itch_bytes(content)
    content = content[: max(len(content) - cut, 0)]
    path = write(tmp_path_factory.getbasetemp() / "itch", content)
    with mock.patch.object(captures, "BLOCK_BYTES", block):
        assert messages(itch_feed(path)) == log.itch_oracle(content)


@given(LINES.map(b"\n".join), st.integers(64, 200))
def test_a_recording_is_what_the_oracle_reads(tmp_path_factory, content, block):
    path = write(tmp_path_factory.getbasetemp() / "recording", content)
    with mock.patch.object(captures, "BLOCK_BYTES", block):
        assert messages(recording_feed(path)) == log.recording_oracle(content)


def test_real_captures(data_path):
    day = data_path / "itch" / "nasdaq_real_first_1MiB.itch50"
    found = messages(itch_feed(day))
    assert len(found) == 35_582  # the last one is cut
    assert found == log.itch_oracle(day.read_bytes())
