"""The files of a journal: each begins with a head that says whose it is, and holds the records from a number on.

A head is, little-endian: eight bytes that tell the format, size of what follows the checksum (4), CRC-32 of it (4),
and JSON. A segment is named by the number of its first record.
"""

import json
import os
import struct
from pathlib import Path
from typing import Any, NamedTuple
from zlib import crc32

import numpy as np

from operators.sources.journal_records import HEAD, HEAD_BYTES, find_record, frame_records
from schemas.errors import CaptureError
from schemas.record import Frame

SUFFIX = ".journal"
BLOCK_BYTES = 4 << 20
"""How much of a segment is read at once; more only where a record is longer."""

_DIGITS = 20

_FORMAT = b"pfjnl\r\n\x01"
_SIZES = struct.Struct("<8sII")

Bytes = np.ndarray[tuple[int], np.dtype[np.uint8]]


class SegmentHead(NamedTuple):
    """What a segment says of itself."""

    journal: str
    """What tells this journal from every other."""
    first: int
    """Number of its first record."""
    clock: int
    """Clock of the record before that, ns UTC."""
    feeds: tuple[str, ...]
    """Ids of the desk's feeds, in the order in which records number them."""
    places: tuple[str | None, ...]
    """Of each feed, what its line may know in the stead of all records of it before."""

    def encode(self) -> bytes:
        """The head's bytes."""
        text = json.dumps(self._asdict(), separators=(",", ":")).encode()
        return _SIZES.pack(_FORMAT, len(text), crc32(text)) + text


def segments_of(folder: Path) -> list[Path]:
    """The segments of a journal, in order."""
    return sorted(folder.glob("[0-9]" * _DIGITS + SUFFIX))


def segment_path(folder: Path, first: int) -> Path:
    """The segment whose first record has this number."""
    return folder / f"{first:0{_DIGITS}d}{SUFFIX}"


def first_of(path: Path) -> int:
    """The number of a segment's first record."""
    return int(path.stem)


class Segment:
    """A segment, read front to back up to its last whole record.

    `cause`, `clock` and `kind` are those of the last record read, `offset` is where the next one begins. Raises
    CaptureError where the file cannot be read, is no segment, or is damaged before its end.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._file = path.open("rb", buffering=0)
        except OSError as e:
            raise CaptureError(f"cannot read {path}: {e.strerror}; make it readable") from e
        self._block: Bytes = np.empty(0, np.uint8)
        self._at = self.offset = 0
        self.head = self._read_head()
        self.cause, self.clock, self.kind = self.head.first - 1, self.head.clock, -1

    @property
    def size(self) -> int:
        """Bytes of the file at present."""
        return os.fstat(self._file.fileno()).st_size

    def read(self, rows: Frame) -> tuple[int, Bytes]:
        """Fill `rows` with the next records: how many, and the bytes that their `start` counts in; 0 at the end."""
        while True:
            block = self._block[self._at :]
            count, size = frame_records(block, self.cause + 1, rows)
            if count:
                break
            if _holds_whole_record(block) or not self._read_on():
                self._check_end()
                return 0, block[:0]
        self._at += size
        self.offset += size
        self.cause, self.clock, self.kind = (int(rows[name][count - 1]) for name in ("cause", "ts", "kind"))
        return count, block[:size]

    def damage(self, what: str) -> CaptureError:
        """The error to raise where the next record should be."""
        return CaptureError(
            f"{self.path} is damaged at byte {self.offset}, behind entry {self.cause} ({what}): nothing from there on "
            "can be trusted. Restore it from a copy, or give up the rest: cut it there "
            f"(truncate -s {self.offset} {self.path}), remove the segments behind it, and start a run of another name"
        )

    def close(self) -> None:
        """Give the file back."""
        self._file.close()

    def _read_head(self) -> SegmentHead:
        form, size, crc = _SIZES.unpack(self._file.read(_SIZES.size).ljust(_SIZES.size, b"\0"))
        text = self._file.read(size) if form == _FORMAT and size < self.size else b""
        if not text or crc32(text) != crc:
            self.close()
            raise CaptureError(f"{self.path} has not the head of a journal's segment; restore it from a copy")
        self.offset = _SIZES.size + size
        said: dict[str, Any] = json.loads(text)
        return SegmentHead(**said | {"feeds": tuple(said["feeds"]), "places": tuple(said["places"])})

    def _read_on(self) -> bool:
        """A new block that starts with what is left of this one, which may still be in use; false at the file's end."""
        left = self._block[self._at :]
        block = np.empty(max(BLOCK_BYTES, 2 * len(left)), np.uint8)
        block[: len(left)] = left
        count = self._file.readinto(block.data[len(left) :]) or 0
        self._block, self._at = block[: len(left) + count], 0
        self._block.flags.writeable = False
        return count > 0

    def _check_end(self) -> None:
        """Raise CaptureError if there is a sound record somewhere behind what should be the next one."""
        rest = np.fromfile(self.path, np.uint8, offset=self.offset)
        rest.flags.writeable = False
        if find_record(rest, self.cause + 1) >= 0:
            raise self.damage("sound entries follow")


def _holds_whole_record(block: Bytes) -> bool:
    """Whether a block begins with as many bytes as the record there says it has."""
    if len(block) < HEAD_BYTES:
        return False
    return bool(HEAD_BYTES + int(block[:HEAD_BYTES].view(HEAD)[0]["size"]) <= len(block))
