"""Journals: cut anywhere, taken up again, replayed; and a recorder killed in the middle of a live session."""

import random
import socket
import subprocess
import sys
import time

import pytest

from operators.framing.mold_output import Ended, Gap, Lost, Message, Recovered
from operators.framing.notice import Began, decode_notice, encode_notice
from operators.framing.refused import Refused
from operators.sources.feed import FeedConfig
from operators.sources.journal import Journal
from schemas.errors import CaptureError
from tests.conftest import ROOT
from tests.operators.sources import log
from tests.operators.sources.servers import COUNT, LOCALHOST, SESSION, session_messages, started, stopped

TS = 1_692_712_024_000_000_000
SAID = [
    (b"A", [Message(5, b"five"), Gap(6, 7), Refused("packet: so", b"?")]),
    (b"A", [Recovered(6, 6), Message(6, b""), Lost(7, 8), Message(9, b"\0nine")]),
    (b"B", [Message(10, b"ten"), Ended(b"A", 11), Message(1, b"one")]),
]


def replayed(path):
    """(clock, message or notice) of the journal as a feed."""
    entries = log.read_all([(FeedConfig(id="f", format="journal", path=path.name), path)])[:-1]
    return [(clock, decode_notice(message) or message) for _, clock, _, _, message in entries]


def written(path, said=SAID):
    journal = Journal(path)
    for i, (session, out) in enumerate(said):
        journal.append(session, out, TS + i)
    journal.sync()
    journal.close()
    return journal


def test_a_journal_replays_as_what_was_received(tmp_path):
    journal = written(tmp_path / "j")
    assert replayed(tmp_path / "j") == [
        (TS, Began(b"A", 5)),
        (TS, b"five"),
        (TS, Refused("packet: so", b"?")),
        (TS + 1, Recovered(6, 6)),
        (TS + 1, b""),
        (TS + 1, Lost(7, 8)),
        (TS + 1, b"\0nine"),
        (TS + 2, b"ten"),
        (TS + 2, Began(b"B", 1)),
        (TS + 2, b"one"),
    ]
    assert (journal.session, journal.sequence) == (b"B", 2)


def test_a_journal_cut_anywhere_is_taken_up_behind_its_last_whole_entry(tmp_path):
    written(tmp_path / "whole")
    whole, expected = (tmp_path / "whole").read_bytes(), replayed(tmp_path / "whole")
    places = [(b"", 1), (b"A", 5), (b"A", 6), (b"A", 6), (b"A", 6), (b"A", 7), (b"A", 9), (b"A", 10), (b"A", 11)]
    places += [(b"B", 1), (b"B", 2)]
    for size in range(len(whole) + 1):
        path = tmp_path / "cut"
        path.write_bytes(whole[:size])
        journal = Journal(path)
        kept = replayed(path)
        assert kept == expected[: len(kept)]
        assert (journal.session, journal.sequence) == places[len(kept)]
        journal.append(b"C", [Message(1, b"more")], TS + 9)
        journal.close()
        assert replayed(path) == [*kept, (TS + 9, Began(b"C", 1)), (TS + 9, b"more")]
    assert len(kept) == len(expected)


def test_a_place_that_cannot_be_written_to_is_named(tmp_path):
    with pytest.raises(CaptureError, match=r"journal .*absent.j: No such file or directory; correct the path"):
        Journal(tmp_path / "absent" / "j")


def test_nothing_said_is_nothing_written(tmp_path):
    journal = written(tmp_path / "j", [(b"", []), (b"A", [Gap(1, 2)])])
    assert (tmp_path / "j").stat().st_size == 0
    assert journal.session == b""


@pytest.mark.parametrize("kind", ["mold", "soup"])
def test_a_recorder_killed_again_and_again_has_the_whole_session_once(tmp_path, kind):
    rng = random.Random(kind)
    path, line = tmp_path / "journal", free_port()
    server, port = started("mold", 3, 0, 1, 0.1, line) if kind == "mold" else started("soup", 3, 0, 5)
    kills = 0
    try:
        for attempt in range(9):
            recorder = recording(kind, path, port, *([line] if kind == "mold" else []))
            time.sleep(rng.uniform(0.05, 0.3) if attempt == 0 else 0)
            if attempt == 0:
                kills += recorder.poll() is None
                stopped(recorder)
            elif recorder.wait(20) == 0:
                break
    finally:
        stopped(recorder)
        stopped(server)
    assert kills >= 1
    entries = [entry for _, entry in replayed(path)]
    assert [entry for entry in entries if isinstance(entry, bytes)] == session_messages(3)
    assert {type(entry) for entry in entries} <= {bytes, Began, Recovered}
    session = SESSION.ljust(10) if kind == "mold" else SESSION
    assert [entry for entry in entries if isinstance(entry, Began)] == [Began(session.encode(), 1)]
    journal = Journal(path)
    journal.close()
    assert journal.sequence == COUNT + 1


def recording(kind, path, *ports):
    command = [sys.executable, "-m", "tests.operators.sources.recorder", kind, str(path), *map(str, ports)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert process.stdout.readline() == "listening\n"
    return process


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((LOCALHOST, 0))
        return sock.getsockname()[1]


def test_a_session_begins_with_a_notice():
    assert encode_notice(Began(b"S", 1)) == b"\0ses" + (1).to_bytes(8, "big") + b"S"
