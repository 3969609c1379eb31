"""What was heard: for the desk, for the watch, for the recording."""

import pytest

from operators.sources import websocket_heard
from operators.sources.line import Entry
from operators.sources.session_writer import SessionWriter
from operators.sources.websocket_heard import Heard
from schemas.market import RawKind

MESSAGE, CONNECT = RawKind.MESSAGE, RawKind.CONNECT


def heard(*clocks, writer=None):
    times = iter(clocks)
    return Heard("f", writer, lambda: next(times, 0))


def test_time_is_in_whole_microseconds_and_never_runs_backwards():
    found = heard(5_000_001_999, 4_000_000_000, 7_000_000_000)
    for text in (b"a", b"b", b"c"):
        found.add(MESSAGE, text)
    assert [entry.clock for entry in found.take()] == [5_000_001_000, 5_000_001_000, 7_000_000_000]


def test_the_desk_and_the_watch_each_get_all_of_it_once():
    found = heard()
    found.add(CONNECT, b"wss://x")
    assert found.take() == [Entry(0, CONNECT, b"wss://x")]
    found.add(MESSAGE, b"a")
    assert found.take() == [Entry(0, MESSAGE, b"a")]
    assert [entry.data for entry in found.unwatched()] == [b"wss://x", b"a"]
    assert found.take() == found.unwatched() == []


@pytest.mark.parametrize(
    ("came", "kept"),
    [(b"plain", b"plain"), ("ü".encode(), "ü".encode()), (b"\xffa\xc3\xbc", b"\\xffa\xc3\xbc"), (b"", b"")],
)
def test_bytes_that_are_no_text_are_spelt_out(came, kept):
    found = heard()
    found.add(MESSAGE, came)
    [entry] = found.take()
    assert entry.data == kept


def test_it_is_full_until_the_desk_takes_what_waits(monkeypatch):
    monkeypatch.setattr(websocket_heard, "WAITING_MAX", 2)
    found = heard()
    found.add(MESSAGE, b"a")
    assert not found.is_full
    found.add(MESSAGE, b"b")
    assert found.is_full
    found.take()
    assert not found.is_full


@pytest.mark.parametrize("broken", ["write", "write_text", "tend", "close"])
def test_a_recording_that_cannot_go_on_is_given_up_and_nothing_else(tmp_path, monkeypatch, broken):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(SessionWriter, broken, full)
    found = heard(writer=SessionWriter(tmp_path / "a.jsonl"))
    assert found.is_recording
    found.add(MESSAGE, b"a")
    found.sent("b")
    found.tend()
    found.close()
    assert not found.is_recording
    found.add(MESSAGE, b"c")
    assert [entry.data for entry in found.take()] == [b"a", b"c"]
