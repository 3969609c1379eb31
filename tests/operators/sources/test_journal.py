"""Journals: read again as written, cut anywhere, damaged anywhere, on a full disk, and by two at a time."""

import errno
import multiprocessing
import random
import resource
import shutil
import signal
from contextlib import closing
from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from operators.sources import journal_segment
from operators.sources.journal import Journal, Logged
from operators.sources.journal_copy import write_journal
from operators.sources.journal_input import JournalInput
from operators.sources.journal_reader import JournalReader
from operators.sources.journal_records import HEAD_BYTES, encode_record
from operators.sources.journal_segment import segments_of
from schemas.errors import CaptureError, JournalError
from schemas.market import RAW, RawKind
from tests.operators.sources import log

TS = 1_692_712_024_000_000_000
FEEDS = ["a", "b"]
KINDS = (RawKind.MESSAGE, RawKind.CONNECT)


def entries_of(seed, count):
    """Entries whose clocks now and then run backwards, and whose data is anything, other records among it."""
    rng = random.Random(seed)
    found = []
    for i in range(count):
        data = rng.randbytes(rng.randrange(40)) if rng.random() < 0.9 else encode_record(i + 1, TS, 0, 0, b"bait")
        found.append(Logged(TS + rng.randrange(-5, 50) + 10 * i, rng.choice(KINDS), rng.randrange(2), data))
    return found


def expected_of(entries):
    """The log that the entries are: clocks made monotone, numbers from 1."""
    clocks = np.maximum.accumulate([entry.clock for entry in entries]).tolist() if entries else []
    return [
        (i, clock, int(e.kind), e.feed, e.data) for i, (clock, e) in enumerate(zip(clocks, entries, strict=True), 1)
    ]


def written(folder, entries, batch=3, **options):
    """The journal that the entries were written to, some at a time."""
    with closing(Journal(folder, FEEDS, **options)) as journal:
        for i in range(0, len(entries), batch):
            if journal.is_full:
                journal.begin_segment((str(i), None))
            journal.append(entries[i : i + batch])
    return folder


def read(folder, cause=0, most=1000):
    """All entries behind `cause`."""
    found = []
    with closing(JournalReader(folder, cause)) as reader:
        while (frame := reader.frame(most, "")) is not None:
            assert not frame.data.flags.writeable
            rows = frame.rows[["cause", "ts", "kind", "feed"]].tolist()
            found += [(*row, frame.message(i)) for i, row in enumerate(rows)]
    return found


@settings(max_examples=25)
@given(
    st.integers(0, 2**32 - 1),
    st.integers(0, 60),
    st.integers(1, 7),
    st.integers(64, 900),
    st.integers(1, 30),
    st.integers(1, 5000),
    st.sampled_from(["always", "never", 1]),
)
def test_what_was_written_is_read_from_anywhere(
    tmp_path_factory, seed, count, batch, segment_bytes, most, block_bytes, sync
):
    entries = entries_of(seed, count)
    folder = tmp_path_factory.mktemp("j")
    written(folder, entries, batch, segment_bytes=segment_bytes, sync=sync)
    expected = expected_of(entries)
    with mock.patch.object(journal_segment, "BLOCK_BYTES", block_bytes):
        assert read(folder, most=most) == expected
        cause = random.Random(seed).randrange(count + 1)
        assert read(folder, cause, most) == expected[cause:]
    with closing(Journal(folder, FEEDS)) as journal:
        assert (journal.cause, journal.clock) == ((count, expected[-1][1]) if count else (0, 0))


def test_the_records_written_are_returned(tmp_path):
    with closing(Journal(tmp_path, FEEDS)) as journal:
        records = journal.append([Logged(5, RawKind.MESSAGE, 1, b"x"), Logged(3, RawKind.END, -1, b"")])
        assert journal.is_ended
    assert records == encode_record(1, 5, 0, 1, b"x") + encode_record(2, 5, 2, -1, b"")
    assert segments_of(tmp_path)[0].read_bytes().endswith(records)


def test_a_journal_cut_anywhere_is_taken_up_behind_its_last_whole_entry(tmp_path, capsys):
    entries = entries_of(3, 9)
    written(tmp_path / "whole", entries, batch=2, segment_bytes=200)
    path = segments_of(tmp_path / "whole")[-1]
    last, first = path.read_bytes(), int(path.stem)
    expected = expected_of(entries)
    head = last.index(encode_record(*expected[first - 1]))
    ends = {head + sum(HEAD_BYTES + len(e[4]) for e in expected[first - 1 : k]): k for k in range(first - 1, 10)}
    folder = shutil.copytree(tmp_path / "whole", tmp_path / "cut")
    for size in range(head, len(last) + 1):
        whole = ends[max(end for end in ends if end <= size)]
        segments_of(folder)[-1].write_bytes(last[:size])
        assert read(folder) == expected[:whole]
        capsys.readouterr()
        with closing(Journal(folder, FEEDS)) as journal:
            assert journal.cause == whole
            told = capsys.readouterr().out
            assert ("cut it off" in told) == (size not in ends)
            journal.append([Logged(0, RawKind.MESSAGE, 0, b"more")])
        assert read(folder)[-1] == (whole + 1, expected[whole - 1][1], 0, 0, b"more")


@settings(max_examples=60)
@given(st.integers(0, 2**32 - 1))
def test_no_damage_passes_for_what_was_written(tmp_path_factory, seed):
    """Whatever bit flips: entries are read as written or not at all, and those behind the damage are never guessed."""
    rng = random.Random(seed)
    entries = entries_of(seed, 12)
    folder = written(tmp_path_factory.mktemp("j"), entries, batch=2, segment_bytes=rng.choice([150, 10_000]))
    path = rng.choice(segments_of(folder))
    content = bytearray(path.read_bytes())
    content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    path.write_bytes(content)
    expected = expected_of(entries)
    try:
        found = read(folder)
    except CaptureError as e:
        assert "damaged at byte" in str(e) or "has not the head" in str(e)  # noqa: PT017
        return
    assert found == expected[: len(found)]
    assert len(found) == len(entries) - 1  # only the very last record may pass for one that was never finished


def test_damage_before_the_end_is_refused_with_the_good_length_and_how_to_go_on(tmp_path):
    entries = entries_of(1, 10)
    folder = written(tmp_path / "j", entries)
    path = segments_of(folder)[0]
    content = bytearray(path.read_bytes())
    good = content.index(encode_record(*expected_of(entries)[6]))
    content[good + HEAD_BYTES - 3] ^= 4
    path.write_bytes(content)
    pattern = rf"{path} is damaged at byte {good}, behind entry 6 .*truncate -s {good} {path}.*run of another name"
    with pytest.raises(CaptureError, match=pattern):
        Journal(folder, FEEDS)
    with pytest.raises(CaptureError, match=pattern):
        read(folder)
    path.write_bytes(content[:good])
    assert read(folder) == expected_of(entries)[:6]


@pytest.mark.parametrize("what", ["cut", "another", "lacking"])
def test_segments_that_do_not_follow_each_other_are_refused(tmp_path, what):
    entries = entries_of(2, 30)
    folder = written(tmp_path / "j", entries, segment_bytes=300)
    other = written(tmp_path / "other", entries, segment_bytes=300)
    assert len(segments_of(folder)) > 3
    second = segments_of(folder)[1]
    if what == "cut":
        second.write_bytes(second.read_bytes()[:-1])
    elif what == "another":
        second.write_bytes((other / second.name).read_bytes())
    else:
        second.unlink()
    with pytest.raises(CaptureError, match="ends inside an entry" if what == "cut" else "does not follow it"):
        read(folder)


def test_segments_that_are_no_longer_needed_may_be_removed(tmp_path):
    entries = entries_of(2, 30)
    folder = written(tmp_path, entries, segment_bytes=300)
    first, second, *_ = segments_of(folder)
    first.unlink()
    begin = int(second.stem)
    assert read(folder, begin - 1) == expected_of(entries)[begin - 1 :]
    with pytest.raises(CaptureError, match=f"begins with entry {begin}, but entry 1 is needed: put back the segments"):
        read(folder)


def test_a_crash_between_two_segments_leaves_nothing_behind(tmp_path):
    folder = written(tmp_path, entries_of(1, 4))
    (folder / "00000000000000000005.fresh").write_bytes(b"half a he")
    with closing(Journal(folder, FEEDS)) as journal:
        assert journal.cause == 4
    assert [path.suffix for path in folder.iterdir()] == [".journal"]


def test_a_segment_holds_an_entry_however_small_it_is_to_be(tmp_path):
    with closing(Journal(tmp_path, FEEDS, segment_bytes=1)) as journal:
        assert not journal.is_full
        journal.append([Logged(TS, RawKind.MESSAGE, 0, b"x")])
        assert journal.is_full
        journal.begin_segment((None, None))
        assert not journal.is_full


def test_two_processes_do_not_write_one_journal(tmp_path):
    with (
        closing(Journal(tmp_path, FEEDS)),
        pytest.raises(CaptureError, match="is being written by another process; wait for it, or stop it"),
    ):
        Journal(tmp_path, FEEDS)
    Journal(tmp_path, FEEDS).close()


def test_another_desks_journal_is_refused(tmp_path):
    written(tmp_path, [])
    with pytest.raises(CaptureError, match="is of the feeds a, b, the desk now has b, a; put the feeds back"):
        Journal(tmp_path, ["b", "a"])


def test_a_place_that_cannot_be_used_is_named(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(CaptureError, match=r"cannot keep a journal in .*file/j: Not a directory; correct the path"):
        Journal(tmp_path / "file" / "j", FEEDS)
    with pytest.raises(CaptureError, match="there is no journal in"):
        read(tmp_path)


def fill(folder, limit, answers):
    """Write until the file may grow no more, then once more; in a process of its own, as the limit is for good."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    journal = Journal(folder, FEEDS)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    said = []
    for _ in range(1000):
        try:
            journal.append([Logged(TS, RawKind.MESSAGE, 0, b"z" * 30), Logged(TS, RawKind.MESSAGE, 0, b"y" * 31)])
        except JournalError as e:
            said.append(str(e))
            if len(said) == 2:
                break
    answers.put((journal.cause, said))


@pytest.mark.parametrize("limit", [1000, 1027, 1056])
def test_a_full_disk_leaves_a_journal_of_whole_entries(tmp_path, limit):
    fork = multiprocessing.get_context("fork")
    answers = fork.Queue()
    process = fork.Process(target=fill, args=(tmp_path, limit, answers))
    process.start()
    cause, said = answers.get(timeout=20)
    process.join()
    reason = f"takes nothing behind entry {cause}: File too large; make room, and run the same command again"
    assert len(said) == 2
    assert all(reason in one for one in said)
    assert segments_of(tmp_path)[0].stat().st_size <= limit
    found = read(tmp_path)
    assert len(found) == cause
    assert cause > 4
    with closing(Journal(tmp_path, FEEDS)) as journal:
        journal.append([Logged(TS, RawKind.MESSAGE, 0, b"room again")])
    assert [entry[4] for entry in read(tmp_path)[cause:]] == [b"room again"]


def test_a_disk_that_fails_is_an_error_too(tmp_path):
    with closing(Journal(tmp_path, FEEDS, sync="always")) as journal:
        journal.append([Logged(TS, RawKind.MESSAGE, 0, b"fine")])
        with (
            mock.patch("os.fdatasync", side_effect=OSError(errno.EIO, "Input/output error")),
            pytest.raises(JournalError, match="Input/output error; mend that, and run"),
        ):
            journal.append([Logged(TS, RawKind.MESSAGE, 0, b"lost")])
    assert [entry[4] for entry in read(tmp_path)] == [b"fine"]


def test_what_must_be_on_the_disk_is_there_before_it_is_handed_on(tmp_path):
    calls = []
    with mock.patch("os.fdatasync", side_effect=lambda _: calls.append("sync")):
        for sync, expected in (("always", 3), ("never", 0), (10**15, 0), (1, 3)):
            calls.clear()
            journal = Journal(tmp_path / str(sync), FEEDS, sync=sync)
            for _ in range(3):
                journal.append([Logged(TS, RawKind.MESSAGE, 0, b"x")])
            assert len(calls) == expected, sync
            journal.close()


def test_captures_written_down_once_replay_the_same(tmp_path):
    lines = [log.write(tmp_path / f"{i}.gz", b"".join(b"%d %d\n" % (7 * n + i, n) for n in range(500))) for i in (0, 1)]
    feeds = [log.recording_feed(path, path.stem) for path in lines]
    write_journal(feeds, tmp_path / "j")
    with closing(JournalInput(tmp_path / "j", ["0", "1"], 64, None)) as source:
        assert log.entries(source) == log.read_all(feeds)
    with pytest.raises(CaptureError, match=r"there is a journal in .* already"):
        write_journal(feeds, tmp_path / "j")


@settings(max_examples=30)
@given(st.integers(0, 2**32 - 1), st.booleans(), st.integers(1, 9), st.lists(st.integers(1, 4), min_size=1, max_size=5))
def test_a_journal_is_an_input_log_that_is_left_and_taken_up_anywhere(tmp_path_factory, seed, is_ended, frame, lives):
    entries = entries_of(seed, 25) + [Logged(0, RawKind.END, -1, b"")] * is_ended
    folder = written(tmp_path_factory.mktemp("j"), entries, segment_bytes=300)
    expected = expected_of(entries)
    if not is_ended:
        expected.append((26, expected[-1][1], RawKind.END, -1, b""))
    found, position, life = [], None, 0
    while not (position and position.is_ended):
        source = JournalInput(folder, FEEDS, frame, position)
        for _ in range(lives[life % len(lives)]):
            found += log.next_entries(source) or []
        assert (source.fraction == 1) == source.snapshot().is_ended
        position, life = source.snapshot(), life + 1
        source.close()
    assert found == expected
    with closing(JournalInput(folder, FEEDS, frame, position)) as source:
        assert source.next() is None


def test_another_journal_is_not_the_one_to_resume(tmp_path):
    written(tmp_path / "j", entries_of(1, 5))
    written(tmp_path / "k", entries_of(1, 5))
    with closing(JournalInput(tmp_path / "j", FEEDS, 2, None)) as source:
        source.next()
        position = source.snapshot()
    with pytest.raises(CaptureError, match="is not the one this run has read so far"):
        JournalInput(tmp_path / "k", FEEDS, 2, position)
    with pytest.raises(CaptureError, match="is of the feeds a, b, the desk has a; give the desk those feeds"):
        JournalInput(tmp_path / "j", ["a"], 2, None)
    path = segments_of(tmp_path / "j")[0]
    path.write_bytes(path.read_bytes()[: path.read_bytes().index(encode_record(*expected_of(entries_of(1, 5))[1]))])
    with pytest.raises(CaptureError, match="ends with entry 1, but this run has processed 2"):
        JournalInput(tmp_path / "j", FEEDS, 2, position)


def test_frames_are_of_the_declared_schema(tmp_path):
    with closing(JournalReader(written(tmp_path, entries_of(1, 5)))) as reader:
        assert reader.frame(3, "desk").rows.dtype == RAW.dtype
