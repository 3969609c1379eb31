"""What is recorded is what is replayed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operators.sources.desk_input import DeskInput
from operators.sources.feed import feed_config
from operators.sources.session_writer import SessionWriter
from schemas.errors import CaptureError
from schemas.market import RawKind
from tests.operators.sources.log import entries

KINDS = (RawKind.MESSAGE, RawKind.CONNECT, RawKind.DISCONNECT)
ENTRIES = st.lists(st.tuples(st.integers(0, 3_000_000_000 * 10**6), st.sampled_from(KINDS), st.text(max_size=40)))


def replayed(path, connection="c"):
    source = DeskInput([(feed_config(id="f", format="session", path=path.name, connection=connection), path)], 7, None)
    found = [(clock, kind, data) for _, clock, kind, _, data in entries(source)]
    source.close()
    return found[:-1]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("written")


@given(log=ENTRIES, name=st.sampled_from(["a.jsonl", "a.jsonl.zst"]))
def test_entries_come_back_to_the_byte_and_the_microsecond(folder, log, name):
    log = [(0, RawKind.CONNECT, "wss://x"), *sorted(log, key=lambda e: e[0])]
    writer = SessionWriter(folder / name)
    for us, kind, text in log:
        writer.write(kind, "c", us * 1000 + 999, text.encode())
        writer.write(RawKind.MESSAGE, "another", us * 1000, b"of another")
        writer.write_text("send", "c", us * 1000, "data", "said")
    writer.close()
    assert replayed(writer.path) == [(us * 1000, int(kind), text.encode()) for us, kind, text in log]
    writer.path.unlink()


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.zst"])
def test_what_was_handed_over_can_be_read_though_the_file_was_never_finished(tmp_path, name):
    now = [0.0]
    writer = SessionWriter(tmp_path / name, lambda: now[0])
    for second in range(4):
        now[0] = 0.6 * second
        writer.write(RawKind.MESSAGE, "c", second * 10**9, b"%d" % second)
    assert [data for _, _, data in replayed(writer.path)] == [b"0", b"1", b"2"]
    now[0] = 5.0
    writer.tend()
    assert [data for _, _, data in replayed(writer.path)] == [b"0", b"1", b"2", b"3"]
    writer.abandon()


def test_an_earlier_recording_is_left_alone(tmp_path):
    paths = []
    for i in range(3):
        writer = SessionWriter(tmp_path / "new" / "day.jsonl.zst")
        writer.write(RawKind.MESSAGE, "c", i, b"%d" % i)
        writer.close()
        paths.append(writer.path)
    assert [path.name for path in paths] == ["day.jsonl.zst", "day.2.jsonl.zst", "day.3.jsonl.zst"]
    assert [replayed(path)[0][2] for path in paths] == [b"0", b"1", b"2"]


def test_a_folder_that_cannot_be_made_is_told_of(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(CaptureError, match=r"recording .*/file/a.jsonl: .*; correct the path, or make its folder"):
        SessionWriter(tmp_path / "file" / "a.jsonl")
