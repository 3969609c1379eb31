"""The merged input log: order, cutting, resuming, identity, memory."""

import gzip
import itertools
import pickle
import resource
from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from operators.sources import captures, desk_input
from operators.sources.desk_input import DeskInput
from schemas.errors import CaptureError
from schemas.market import RawKind
from tests.operators.sources import log
from tests.operators.sources.log import itch_bytes, itch_feed, itch_message, log_oracle, read_all, recording_feed, write

RECORDINGS = ("usdm_btcusdt", "usdm_ethusdt", "spot_btcusdt", "spot_ethusdt")


@st.composite
def desks(draw):
    """Feeds with many equal clocks: (name, content, oracle) each."""
    feeds = []
    for i in range(draw(st.integers(1, 4))):
        times = draw(st.lists(st.integers(0, 6), max_size=25))
        if draw(st.booleans()):
            content = itch_bytes([itch_message(t, 11 + n % 5) for n, t in enumerate(times)])
            feeds.append((f"itch{i}{draw(st.sampled_from(['', '.gz']))}", content, log.itch_oracle(content)))
        else:
            lines = [b"%d %d" % (log.MIDNIGHT_NS + t, n) for n, t in enumerate(times)]
            content = b"\n".join(lines)
            feeds.append((f"recording{i}{draw(st.sampled_from(['', '.gz']))}", content, log.recording_oracle(content)))
    return feeds


def written(folder, desk):
    """The feeds of a desk, on disk."""
    return [
        (itch_feed if name.startswith("itch") else recording_feed)(write(folder / name, content), name)
        for name, content, _ in desk
    ]


@given(desks(), st.integers(1, 40), st.integers(32, 200), st.integers(1, 9))
def test_the_log_is_the_sorted_log_in_frames_of_any_size(tmp_path_factory, desk, frame, block, ahead):
    feeds = written(tmp_path_factory.getbasetemp(), desk)
    expected = log_oracle([oracle for _, _, oracle in desk])
    with (
        mock.patch.object(captures, "BLOCK_BYTES", block),
        mock.patch.object(desk_input, "_LOOKAHEAD_MIN", 1),
        mock.patch.object(desk_input, "_LOOKAHEAD_MAX", ahead),
    ):
        source = DeskInput(feeds, frame, None)
        found = log.entries(source)
        source.close()
    assert found == expected


@settings(max_examples=50)
@given(desks(), st.integers(1, 20), st.integers(32, 200), st.lists(st.integers(1, 4), min_size=1))
def test_resuming_anywhere_any_number_of_times_changes_nothing(tmp_path_factory, desk, frame, block, lives):
    feeds = written(tmp_path_factory.getbasetemp(), desk)
    uninterrupted = read_all(feeds)
    found, position = [], None
    with mock.patch.object(captures, "BLOCK_BYTES", block), mock.patch.object(desk_input, "_LOOKAHEAD_MIN", 1):
        for life in itertools.cycle(lives):
            source = DeskInput(feeds, frame, position)
            for _ in range(life):
                part = log.next_entries(source)
                found += part or []
            position = pickle.loads(pickle.dumps(source.snapshot()))
            source.close()
            if part is None:
                break
    assert found == uninterrupted
    assert position.is_ended


def test_end_comes_once_with_the_last_clock_and_stays_the_end(tmp_path):
    feeds = [recording_feed(write(tmp_path / name, line), name) for name, line in (("a", b"5 x"), ("b", b"9 y"))]
    source = DeskInput(feeds, 10, None, desk="d")
    assert source.fraction < 1
    frames = [source.next() for _ in range(2)]
    assert [f.desk for f in frames] == ["d", "d"]
    assert source.fraction < 1 or source.snapshot().is_ended
    while (frame := source.next()) is not None:
        frames.append(frame)
    assert frames[-1].rows.tolist() == [(3, 9, int(RawKind.END), -1, 0, 0)]
    assert source.fraction == 1
    assert source.next() is None
    resumed = DeskInput(feeds, 10, source.snapshot())
    assert resumed.next() is None
    assert resumed.fraction == 1
    source.close()
    resumed.close()


def test_frames_are_read_only_and_outlive_the_source(tmp_path):
    path = write(tmp_path / "day", itch_bytes([itch_message(i) for i in range(300)]))
    with mock.patch.object(captures, "BLOCK_BYTES", 256):
        for feeds in ([itch_feed(path)], [itch_feed(path), itch_feed(path, "again")]):
            source, frames = DeskInput(feeds, 7, None), []
            while (frame := source.next()) is not None:
                frames.append((frame, [frame.message(i) for i in range(len(frame.rows))]))
            for frame, messages in frames[:-1]:
                assert [frame.message(i) for i in range(len(frame.rows))] == messages
                assert len(frame.rows) <= 7
                with pytest.raises(ValueError, match="read-only"):
                    frame.data[0] = 1
            source.close()


@pytest.fixture
def half_read(tmp_path):
    """A compressed recording, and the position behind its second message."""
    path = write(tmp_path / "session.gz", b"".join(b"%d line %d\n" % (i, i) for i in range(100)))
    source = DeskInput([recording_feed(path)], 2, None)
    source.next()
    source.close()
    return path, source.snapshot()


def test_a_moved_or_renamed_capture_is_resumed(half_read):
    path, position = half_read
    moved = path.rename(path.parent / "elsewhere.gz")
    assert [e[4] for e in read_all([recording_feed(moved)], 50, position)][:2] == [b"line 2", b"line 3"]


@pytest.mark.parametrize("change", [lambda b: b + b"\0", lambda b: b[:10] + b"\1" + b[11:]])
def test_another_file_is_refused_with_what_to_do(half_read, change):
    path, position = half_read
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(CaptureError, match=r"is not the capture this run has read.*'session.gz'.*put that file back"):
        DeskInput([recording_feed(path)], 2, position)


def test_other_feeds_are_refused_with_what_to_do(half_read):
    path, position = half_read
    for feeds in ([recording_feed(path, "other")], [recording_feed(path), recording_feed(path, "more")]):
        with pytest.raises(CaptureError, match=r"has read the feeds recording so far.*put the feeds back"):
            DeskInput(feeds, 2, position)


def test_snapshots_are_small(half_read):
    assert len(pickle.dumps(half_read[1])) < 500


def test_real_recordings_merge_to_one_order_whatever_the_cut(data_path):
    paths = [data_path / "binance" / f"{name}_20240808.gz" for name in RECORDINGS]
    feeds = [recording_feed(path, path.name) for path in paths]
    expected = log_oracle([log.recording_oracle(gzip.decompress(path.read_bytes())) for path in paths])
    assert len(expected) == 93_954 + 74_655 + 41_249 + 33_618 + 1
    assert read_all(feeds, 10_000) == expected
    source = DeskInput(feeds, 7, None)
    found = [entry for _ in range(2000) for entry in log.next_entries(source)]
    assert found == expected[: len(found)]
    assert read_all(feeds, 10_000, source.snapshot()) == expected[len(found) :]
    source.close()


def test_memory_stays_flat(tmp_path):
    """A capture of 200 MB passes through a few blocks."""
    path = tmp_path / "day"
    part = itch_bytes([itch_message(i, 40) for i in range(50_000)])
    with path.open("wb") as file:
        for _ in range(100):
            file.write(part)
    source = DeskInput([itch_feed(path)], 10_000, None)
    source.next()
    before, rows = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, 10_000
    while (frame := source.next()) is not None:
        rows += len(frame.rows)
    grown_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert rows == 5_000_001
    assert grown_kib < 40_000
    source.close()


def test_clocks_are_monotone_in_the_merge(tmp_path):
    rng = np.random.default_rng(5)
    feeds = []
    for i in range(6):
        lines = b"".join(b"%d m\n" % t for t in rng.integers(0, 10**6, 500))
        feeds.append(recording_feed(write(tmp_path / f"r{i}", lines), f"r{i}"))
    clocks = [e[1] for e in read_all(feeds, 64)]
    assert clocks == sorted(clocks)
    assert len(clocks) == 3001
