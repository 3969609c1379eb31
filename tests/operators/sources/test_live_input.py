"""A desk that listens: what its lines hear is its log, through any number of lives, and its journal is that log."""

import random
import time
from contextlib import closing
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from operators.sources.journal_input import JournalInput
from operators.sources.journal_segment import segments_of
from operators.sources.line import Entry, Line
from operators.sources.live_input import LiveInput
from schemas.errors import CaptureError, JournalError
from schemas.market import RawKind
from tests.operators.sources import log

HOUR_NS = 3600 * 10**9
MESSAGE, TICK, END, DISCONNECT = RawKind.MESSAGE, RawKind.TICK, RawKind.END, RawKind.DISCONNECT


class Scripted(Line):
    """Hears a list of messages, some at each look; goes on behind those it is told it has handed over before."""

    def __init__(self, messages, rng):
        self.messages, self.rng, self.heard, self.is_closed = messages, rng, 0, False

    def poll(self):
        count = min(self.rng.choice((0, 1, 3, 20)), len(self.messages) - self.heard)
        clock = time.time_ns()
        found = [Entry(clock, MESSAGE, m) for m in self.messages[self.heard : self.heard + count]]
        self.heard += count
        return found

    def follow(self, entry):
        if entry.kind == MESSAGE:
            assert entry.data == self.messages[self.heard]
            self.heard += 1

    @property
    def is_over(self):
        return self.heard == len(self.messages)

    def close(self):
        self.is_closed = True


class Placed(Scripted):
    """The same, knowing its place."""

    followed = 0

    @property
    def place(self):
        return str(self.heard)

    def resume(self, place):
        self.heard = int(place)

    def follow(self, entry):
        super().follow(entry)
        self.followed += 1


class Told(Line):
    """Hears what it is told to."""

    def __init__(self, *looks):
        self.looks = list(looks)

    def poll(self):
        return self.looks.pop(0)

    def close(self):
        pass


def live(folder, lines, frame=1000, resume=None, tick_ns=HOUR_NS, segment_bytes=1 << 20):
    ids = [f"feed{i}" for i in range(len(lines))]
    options = {"tick_ns": tick_ns, "segment_bytes": segment_bytes, "sync": "never"}
    return LiveInput(folder, ids, lambda: lines, frame, resume, "desk", **options)


def journaled(folder, feeds):
    with closing(JournalInput(folder, [f"feed{i}" for i in range(feeds)], 7, None)) as source:
        return log.entries(source)


def messages_of(entries, feed):
    return [entry[4] for entry in entries if entry[2] == MESSAGE and entry[3] == feed]


@settings(max_examples=20)
@given(
    st.integers(0, 2**32 - 1),
    st.integers(1, 9),
    st.integers(100, 3000),
    st.lists(st.integers(0, 12), min_size=1, max_size=6),
    st.sampled_from([Scripted, Placed]),
)
def test_any_number_of_lives_hear_everything_once_and_in_one_order(tmp_path_factory, seed, frame, size, lives, kind):
    rng, folder = random.Random(seed), tmp_path_factory.mktemp("j")
    sent = [[rng.randbytes(rng.randrange(20)) for _ in range(rng.randrange(60))] for _ in range(2)]
    handed_on, checkpoint, is_over, life = [], None, False, 0
    while not is_over:
        lines = [kind(messages, rng) for messages in sent]
        source = live(folder, lines, frame, checkpoint, segment_bytes=size)
        del handed_on[checkpoint.cause if checkpoint else 0 :]  # what came behind the checkpoint comes again
        for _ in range(lives[life % len(lives)] if life < 12 else 10_000):
            found = log.next_entries(source)
            if found is None:
                is_over = True
                break
            handed_on += found
            if rng.random() < 0.3:
                checkpoint = source.snapshot()
                assert checkpoint.cause == len(handed_on)
        source.close()  # as a kill does: without a word to the journal
        life += 1
    assert handed_on == journaled(folder, 2)
    assert [messages_of(handed_on, feed) for feed in (0, 1)] == sent
    assert [entry[0] for entry in handed_on] == list(range(1, len(handed_on) + 1))
    assert [entry[1] for entry in handed_on] == sorted(entry[1] for entry in handed_on)
    assert [entry[2] for entry in handed_on].count(END) == 1
    assert handed_on[-1][2] == END
    assert len(segments_of(folder)) > 1 or sum(map(len, sent[0] + sent[1])) < size


def test_the_time_nobody_listened_is_marked_for_every_feed_that_goes_on(tmp_path):
    rng = random.Random(1)
    lines = [Scripted([b"only"], rng), Scripted([b"%d" % i for i in range(100)], rng)]
    with closing(live(tmp_path, lines)) as source:
        while not lines[0].is_over:
            source.next()
    assert lines[0].is_closed
    before = source.snapshot().cause
    again = [Scripted(line.messages, rng) for line in lines]
    with closing(live(tmp_path, again)) as source:
        found = log.entries(source)
    assert [entry[2] for entry in found[:before]] == [MESSAGE] * before
    assert found[before][2:] == (DISCONNECT, 1, b"")
    assert [entry[2] for entry in found[before + 1 :]] == [MESSAGE] * (101 - before) + [END]


def test_time_is_told_while_nothing_comes(tmp_path):
    line = Scripted([b"a", b"b"], mock.Mock(choice=lambda _: 0))
    begin = time.time_ns()
    with closing(live(tmp_path, [line], tick_ns=5_000_000)) as source:
        found = []
        while len(found) < 3:
            found += log.next_entries(source)
        assert [entry[2:] for entry in found] == [(TICK, -1, b"")] * 3
        assert found[0][1] - begin >= 5_000_000
        assert found[2][1] - found[0][1] >= 9_000_000
        line.rng.choice = lambda _: 20
        assert [entry[2] for entry in log.entries(source)] == [MESSAGE, MESSAGE, END]


def test_an_ended_desk_stays_so_and_opens_no_line(tmp_path):
    with closing(live(tmp_path, [Scripted([b"a"], random.Random(1))])) as source:
        expected = log.entries(source)
        assert source.fraction == 1
        position = source.snapshot()

    def none():
        raise AssertionError("nobody is to listen")

    for resume, left in ((None, expected), (position, [])):
        with closing(
            LiveInput(tmp_path, ["feed0"], none, 9, resume, tick_ns=1, segment_bytes=1000, sync="never")
        ) as source:
            assert log.entries(source) == left


def test_a_line_that_knows_its_place_reads_no_more_than_the_last_segment(tmp_path):
    messages, rng = [b"%d" % i for i in range(500)], random.Random(2)
    for kind in (Placed, Scripted):
        line, folder = kind(messages, rng), tmp_path / kind.__name__
        with closing(live(folder, [line], segment_bytes=500)) as source:
            while line.heard < 400:
                source.next()
        segments_of(folder)[0].unlink()
        again = kind(messages, rng)
        if kind is Placed:
            live(folder, [again], 1000, source.snapshot()).close()
            assert again.heard == line.heard
            assert again.followed < 40
        else:
            with pytest.raises(CaptureError, match="begins with entry"):
                live(folder, [again], 1000, source.snapshot())


def test_a_clock_that_is_set_back_does_not_run_backwards(tmp_path):
    line = Told([Entry(50, MESSAGE, b"a")], [Entry(40, MESSAGE, b"b"), Entry(60, MESSAGE, b"c")])
    with closing(live(tmp_path, [line])) as source:
        found = log.next_entries(source) + log.next_entries(source)
    assert [(entry[1], entry[4]) for entry in found] == [(50, b"a"), (50, b"b"), (60, b"c")]


def test_what_several_lines_hear_at_one_look_is_in_the_order_of_its_clocks(tmp_path):
    one = Told([Entry(10, MESSAGE, b"a"), Entry(30, MESSAGE, b"d")])
    other = Told([Entry(10, MESSAGE, b"b"), Entry(20, MESSAGE, b"c")])
    with closing(live(tmp_path, [one, other])) as source:
        assert b"".join(entry[4] for entry in log.next_entries(source)) == b"abcd"


def test_nothing_is_handed_on_that_the_journal_has_not_taken(tmp_path):
    line = Scripted([b"a"], mock.Mock(choice=lambda _: 1))
    source = live(tmp_path, [line])
    with mock.patch("os.write", side_effect=OSError(28, "No space left on device")), pytest.raises(JournalError):
        source.next()
    assert source.snapshot().cause == 0
    source.close()
    with closing(live(tmp_path, [Scripted([b"a"], random.Random(1))])) as source:
        assert [entry[2:] for entry in log.entries(source)] == [(MESSAGE, 0, b"a"), (END, -1, b"")]


def test_another_journal_is_not_the_one_to_resume(tmp_path):
    with closing(live(tmp_path / "j", [Scripted([b"a"] * 9, random.Random(1))])) as source:
        log.next_entries(source)
        position = source.snapshot()
    with pytest.raises(CaptureError, match=r"is not the one this run has read so far|ends with entry 0"):
        live(tmp_path / "k", [Scripted([b"a"] * 9, random.Random(1))], 1000, position)
    live(tmp_path / "k", [Scripted([b"a"] * 9, random.Random(1))]).close()  # nothing holds on to it
