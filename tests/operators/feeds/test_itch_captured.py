"""Every capture of a real line, read as a feed: each message with the values of all its fields."""

import struct
from pathlib import Path

import pytest

from operators.feeds.itch_message import decode, encode
from operators.framing.mold_output import Lost
from operators.framing.notice import decode_notice
from operators.sources.feed import feed_config
from tests.operators.feeds.itch_captured import CAPTURED
from tests.operators.feeds.itch_reference import FORMATS
from tests.operators.sources.log import read_all

FOLDER = "Nasdaq.Equities.TotalView.Itch.v5.0"


def read(data_path: Path, name: str) -> list[tuple[int, bytes]]:
    """(receive time, message) of a capture's log."""
    version, _, file = name.rpartition("/")
    path = data_path / "itch/pcap" / (f"{FOLDER}.{version}" if version else FOLDER) / f"{file}.pcap"
    feed = feed_config(id="f", format="mold_pcap", path=path.name)
    return [(clock, message) for _, clock, _, _, message in read_all([(feed, path)])[:-1]]


@pytest.mark.parametrize("name", CAPTURED)
def test_every_field_of_every_captured_message(data_path: Path, name: str) -> None:
    found = [(clock, data, decode(data)) for clock, data in read(data_path, name) if decode_notice(data) is None]
    rows = [(clock, m.code, m.locate, m.tracking, m.ts, *m.fields.values()) for clock, _, m in found]
    assert rows[: len(CAPTURED[name])] == CAPTURED[name]
    assert len(rows) == (39 if name == "Multiple.Packets" else len(CAPTURED[name]))
    for _, data, message in found:
        code, locate, tracking, ts, *values = struct.unpack(FORMATS[message.code], data)
        assert (code.decode(), locate, tracking, int.from_bytes(ts, "big")) == message[:4]
        assert values == list(message.fields.values())
        assert encode(message) == data
        assert message.unknown_codes == []


def test_every_capture_is_listed(data_path: Path) -> None:
    files = {path.relative_to(data_path / "itch/pcap").as_posix() for path in (data_path / "itch/pcap").rglob("*.pcap")}
    listed = {f"{FOLDER}.{name}.pcap" if "/" in name else f"{FOLDER}/{name}.pcap" for name in CAPTURED}
    assert files == listed


def test_what_lies_between_two_captured_packets_is_lost(data_path: Path) -> None:
    log = read(data_path, "Multiple.Packets")
    assert [decode_notice(data) for _, data in log[:3]] == [None, Lost(14_764_497, 19_009_116), None]
