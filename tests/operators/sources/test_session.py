"""The entries of one connection out of a session's lines."""

import gzip
import json

import pytest
from backports import zstd
from hypothesis import given
from hypothesis import strategies as st

from operators.sources.capture_file import CaptureFile
from operators.sources.desk_input import DeskInput
from operators.sources.feed import feed_config
from schemas.errors import CaptureError
from schemas.market import RawKind
from tests.operators.sources.log import next_entries, read_all

MESSAGE, CONNECT, DISCONNECT, END = map(int, (RawKind.MESSAGE, RawKind.CONNECT, RawKind.DISCONNECT, RawKind.END))
HEADER = {"t": "header", "format": 2, "exchange": "X"}


def line(kind, ts, data=None, conn="A", **fields):
    fields |= {} if data is None else {{"connect": "addr", "close": "why"}.get(kind, "data"): data}
    return json.dumps({"t": kind, "conn": conn, "ts": ts, **fields}).encode()


def write(path, lines):
    """Compressed where the name says so, and then in two frames or members."""
    content = b"\n".join(lines) + b"\n"
    half = len(content) // 2
    if path.suffix == ".zst":
        content = zstd.compress(content[:half]) + zstd.compress(content[half:])
    elif path.suffix == ".gz":
        content = gzip.compress(content[:half]) + gzip.compress(content[half:])
    path.write_bytes(content)
    return path


def feed(path, connection="A"):
    return feed_config(id=connection, format="session", path=path.name, connection=connection), path


def read(*feeds):
    return [(ts, kind, which, message) for _, ts, kind, which, message in read_all(list(feeds))]


SESSION = [
    json.dumps(HEADER).encode(),
    line("connect", 1.0, "wss://a"),
    line("send", 1.5, '{"subscribe":1}'),
    line("recv", 1.000001, '{"a":"\\u00fc\\n"}'),
    line("connect", 1.2, "wss://b", conn="B"),
    line("recv", 1.5, "b1", conn="B"),
    line("recv", 1.25, "b2 goes back", conn="B"),
    line("http", 1.4, '{"rest":[]}', url="https://x"),
    line("recv", 1.6, ""),
    line("close", 1.7, "nothing came"),
]
OF_A = [
    (1_000_000_000, CONNECT, b"wss://a"),
    (1_000_001_000, MESSAGE, b'{"a":"\\u00fc\\n"}'),
    (1_400_000_000, MESSAGE, b'{"rest":[]}'),
    (1_600_000_000, MESSAGE, b""),
    (1_700_000_000, DISCONNECT, b"nothing came"),
]


@pytest.mark.parametrize("name", ["s.jsonl", "s.jsonl.zst", "s.jsonl.gz"])
def test_a_feed_is_what_one_connection_received(tmp_path, name):
    path = write(tmp_path / name, SESSION)
    assert read(feed(path)) == [*[(ts, kind, 0, m) for ts, kind, m in OF_A], (1_700_000_000, END, -1, b"")]


def test_connections_of_one_file_are_merged_by_receive_time(tmp_path):
    path = write(tmp_path / "s", SESSION)
    found = [(ts - 10**9, which, message) for ts, _, which, message in read(feed(path), feed(path, "B"))]
    assert found == [
        (0, 0, b"wss://a"),
        (1000, 0, b'{"a":"\\u00fc\\n"}'),
        (200_000_000, 1, b"wss://b"),
        (400_000_000, 0, b'{"rest":[]}'),
        (500_000_000, 1, b"b1"),
        (500_000_000, 1, b"b2 goes back"),
        (600_000_000, 0, b""),
        (700_000_000, 0, b"nothing came"),
        (700_000_000, -1, b""),
    ]


@pytest.mark.parametrize(
    "damaged",
    [
        b"{",
        b"not JSON",
        b"[]",
        b"5",
        b'{"t":"recv"}',
        b'{"t":"close","conn":"A","ts":2}',
        b'{"t":["recv"],"conn":"A","ts":2,"data":"x"}',
        b'{"t":"recv","conn":"A","ts":"2","data":"x"}',
        b'{"t":"recv","conn":"A","ts":-2,"data":"x"}',
        b'{"t":"recv","conn":"A","ts":1e300,"data":"x"}',
        b'{"t":"recv","conn":"A","ts":2,"data":7}',
        b'{"t":"recv","conn":7,"ts":2,"data":"x"}',
        b'{"t":"recv","conn":"A","ts":2,"data":"x"} ',
        b"\xff\x00",
    ],
)
def test_a_line_that_is_no_record_is_a_message_as_a_whole(tmp_path, damaged):
    path = write(tmp_path / "s", [line("recv", 1.0, "x"), damaged, b"", line("recv", 3.0, "y")])
    expected = (10**9, MESSAGE, 0, damaged) if damaged[-1:] != b" " else (2 * 10**9, MESSAGE, 0, b"x")
    assert read(feed(path))[:-1] == [(10**9, MESSAGE, 0, b"x"), expected, (3 * 10**9, MESSAGE, 0, b"y")]


def test_a_message_longer_than_a_block_is_whole(tmp_path):
    """Coinbase's snapshot of a book has six million bytes."""
    long = "x" * 9_000_000
    path = write(tmp_path / "s.zst", [line("recv", 1.0, "a"), line("recv", 2.0, long), line("recv", 3.0, "b")])
    assert [m for *_, m in read(feed(path))] == [b"a", long.encode(), b"b", b""]


def test_a_session_cut_short_gives_what_there_is(tmp_path):
    path = write(tmp_path / "s.zst", [line("recv", i / 8, f"{i}" * 50) for i in range(2000)])
    path.write_bytes(path.read_bytes()[:-2000])
    *whole, last, _ = read(feed(path))
    assert [m for *_, m in whole] == [f"{i}".encode() * 50 for i in range(len(whole))]
    assert last[3] == b"" or last[3].startswith(b"{") or last[3] == f"{len(whole)}".encode() * 50


def test_a_damaged_compressed_session_says_where(tmp_path):
    path = write(tmp_path / "s.zst", SESSION)
    content = bytearray(path.read_bytes())
    content[2] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(CaptureError, match=r"s\.zst is damaged at or before byte"):
        read(feed(path))


def test_a_connection_that_never_occurs_is_refused_with_those_that_do(tmp_path):
    path = write(tmp_path / "s", SESSION)
    with pytest.raises(CaptureError, match="no line is of connection 'C'; the capture has A, B; correct the feed's"):
        read(feed(path, "C"))


@given(st.integers(1, 2), st.lists(st.integers(1, 4), min_size=1))
def test_however_it_is_cut_and_resumed_the_log_is_the_same(tmp_path_factory, connections, frames):
    """Each frame size is good until the next resumption."""
    path = write(tmp_path_factory.mktemp("s") / "s.jsonl.zst", SESSION * 3)
    feeds = [feed(path), feed(path, "B")][:connections]
    found, position, sizes = [], None, iter(frames)
    while True:
        size = next(sizes, 3)
        source = DeskInput(feeds, size, position)
        part, position = next_entries(source), source.snapshot()
        source.close()
        if part is None:
            break
        found += part
    assert found == read_all(feeds)


def test_any_size_of_buffer_gives_the_same_bytes(tmp_path):
    path = write(tmp_path / "s.zst", SESSION)
    contents = []
    for size in (1, 7, 1 << 16):
        file, content = CaptureFile("f", path, "A"), b""
        while count := file.read_into(memoryview(buffer := bytearray(size))):
            content += buffer[:count]
        assert file.consumed == file.size
        file.close()
        contents.append(content)
    assert contents[0] == contents[1] == contents[2]
