"""LOBSTER's two files as one: each message with the book it leads to."""

import datetime
import struct
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from functools import partial
from pathlib import Path

import numpy as np

from operators.sources.capture_file import CaptureFile, Unzip
from operators.sources.file_feed import LobsterFeed
from operators.sources.made_content import MadeContent, open_all
from operators.sources.session_entry import entry
from operators.tables.zone import zone_table
from schemas.errors import CaptureError

_CHUNK_BYTES = 1 << 16
_DAY_SECONDS = 86_400
_TIME = struct.Struct("<q")
_MESSAGE, _BOOK = "_message_", "_orderbook_"
"""What their names have at the same place."""


class LobsterCapture(MadeContent):
    """Per row of the two files an entry as `frame_session` takes it.

    It is the time (8 bytes, little-endian, ns UTC), the message's row, an end of line, and the book's row.
    `path` is a zip of both, or the message file, beside which the other lies. A row without a proper time has that of
    the row before. Raises CaptureError where a file is missing or unreadable.
    """

    def __init__(self, feed: LobsterFeed, path: Path) -> None:
        self._zone = zone_table(feed.timezone)
        self._midnight = (feed.date - datetime.date(1970, 1, 1)).days * _DAY_SECONDS * 10**9
        if path.suffix != ".zip" and _MESSAGE not in path.name:
            raise CaptureError(
                f"feed {feed.id!r}: expected a zip, or a file with {_MESSAGE!r} in its name, beside which lies that "
                f"with {_BOOK!r}; found {path}"
            )
        super().__init__(open_all(_opened(feed.id, path, which) for which in (_MESSAGE, _BOOK)))

    def _make(self) -> Iterator[bytes | memoryview]:
        """Pieces of one row of both files."""
        clock = 0
        messages, books = (_lines(file) for file in self._files)
        for message in messages:
            clock = max(clock, self._time(message))
            yield entry(clock, _TIME.pack(clock) + message + b"\n" + next(books, b""))
        for book in books:
            yield entry(clock, _TIME.pack(clock) + b"\n" + book)

    def _time(self, message: bytes) -> int:
        """When it happened, ns UTC; 0 where it does not say."""
        try:
            seconds = Decimal(message.partition(b",")[0].decode("ascii"))
        except (InvalidOperation, UnicodeDecodeError):
            return 0
        if not 0 <= seconds < 2 * _DAY_SECONDS:
            return 0
        wall = self._midnight + int(seconds * 10**9)
        return wall - int(self._zone["offset"][np.searchsorted(self._zone["wall"], wall, side="right") - 1])


def _opened(feed: str, path: Path, which: str) -> CaptureFile:
    if path.suffix == ".zip":
        return CaptureFile(
            feed, path, content=partial(Unzip, wanted=which, remedy="use a zip with LOBSTER's two files")
        )
    return CaptureFile(feed, path.with_name(path.name.replace(_MESSAGE, which)))


def _lines(file: CaptureFile) -> Iterator[bytes]:
    """The lines of a file, without their ends; empty ones are none."""
    scratch = memoryview(bytearray(_CHUNK_BYTES))
    rest = b""
    while count := file.read_into(scratch):
        *lines, rest = (rest + scratch[:count].tobytes()).split(b"\n")
        yield from filter(None, (line.rstrip(b"\r") for line in lines))
    if rest.strip():
        yield rest.rstrip(b"\r")
