"""Captures written from lists of messages, and the input log they should give, by other means."""

import gzip
import struct
from pathlib import Path

from operators.sources.desk_input import DeskInput, InputPosition
from operators.sources.feed import AnyCapture, feed_config
from schemas.market import RawKind

ITCH = {"format": "itch50", "date": "2019-12-30", "timezone": "America/New_York"}
MIDNIGHT_NS = 1_577_682_000 * 10**9
"""2019-12-30 00:00 in New York is 05:00 UTC."""

Entry = tuple[int, int, int, int, bytes]
"""cause, clock, kind, feed, message."""


def itch_message(time_ns: int, size: int = 19) -> bytes:
    return b"A" + bytes(4) + time_ns.to_bytes(6, "big") + bytes(i % 251 for i in range(size - 11))


def itch_bytes(messages: list[bytes]) -> bytes:
    return b"".join(struct.pack(">H", len(m)) + m for m in messages)


def write(path: Path, content: bytes) -> Path:
    """Compressed where the name says so, and then in two members."""
    if path.suffix == ".gz":
        half = len(content) // 2
        content = gzip.compress(content[:half], 1) + gzip.compress(content[half:], 1)
    path.write_bytes(content)
    return path


def itch_feed(path: Path, name: str = "itch", **settings: object) -> tuple[AnyCapture, Path]:
    return feed_config(id=name, path=path.name, **ITCH | settings), path


def recording_feed(path: Path, name: str = "recording") -> tuple[AnyCapture, Path]:
    return feed_config(id=name, format="recording", path=path.name), path


def entries(source: DeskInput) -> list[Entry]:
    """All that is left of an input log."""
    found: list[Entry] = []
    while (part := next_entries(source)) is not None:
        found += part
    return found


def next_entries(source: DeskInput) -> list[Entry] | None:
    frame = source.next()
    if frame is None:
        return None
    rows = frame.rows[["cause", "ts", "kind", "feed"]].tolist()
    return [(*row, frame.message(i)) for i, row in enumerate(rows)]


def read_all(
    feeds: list[tuple[AnyCapture, Path]], frame: int = 10_000, resume: InputPosition | None = None
) -> list[Entry]:
    source = DeskInput(feeds, frame, resume)
    found = entries(source)
    source.close()
    return found


def itch_oracle(content: bytes, origin_ns: int = MIDNIGHT_NS) -> list[tuple[int, bytes]]:
    """(clock, message) of BinaryFILE content."""
    found, clock = [], origin_ns
    while content:
        size = int.from_bytes(content[:2], "big") if len(content) > 1 else 0
        message, content = content[2 : 2 + size], content[2 + size :]
        time_ns = int.from_bytes(message[5:11], "big")
        if len(message) >= 11 and time_ns < 86_400 * 10**9:
            clock = max(clock, origin_ns + time_ns)
        found.append((clock, message))
    return found


def recording_oracle(content: bytes) -> list[tuple[int, bytes]]:
    """(clock, payload) of the lines of a recording."""
    lines = content.split(b"\n")
    if lines[-1] == b"":
        lines.pop()
    found, clock = [], 0
    for line in lines:
        prefix, space, payload = line.partition(b" ")
        if space and prefix.isdigit() and len(prefix) <= 19 and int(prefix) < 2**63 - 1:
            clock = max(clock, int(prefix))
            found.append((clock, payload))
        else:
            found.append((clock, line))
    return found


def log_oracle(captures: list[list[tuple[int, bytes]]]) -> list[Entry]:
    """The merged and numbered log, by sorting."""
    order = sorted(
        (clock, feed, position, message)
        for feed, capture in enumerate(captures)
        for position, (clock, message) in enumerate(capture)
    )
    log = [(i + 1, clock, int(RawKind.MESSAGE), feed, m) for i, (clock, feed, _, m) in enumerate(order)]
    return [*log, (len(log) + 1, log[-1][1] if log else 0, int(RawKind.END), -1, b"")]
