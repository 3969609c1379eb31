"""The entries of a journal as bytes: each behind a checksum and its own number.

A record is, little-endian: CRC-32 of all that follows (4 bytes), size of the data (4), number of the entry in the
input log (8), clock in ns UTC (8), index of the feed or -1 (2), RawKind (2), data.
"""

import struct
from typing import Any
from zlib import crc32

import numpy as np

from operators.kernel import kernel, rows_at

HEAD = np.dtype([("crc", "u4"), ("size", "u4"), ("cause", "i8"), ("clock", "i8"), ("feed", "i2"), ("kind", "i2")])
"""What stands before the data of a record."""

HEAD_BYTES = HEAD.itemsize
SIZE_MAX = (1 << 32) - 1

_CRC = struct.Struct("<I")
_REST = struct.Struct("<Iqqhh")
_CRC_BYTES = _CRC.size


def encode_record(cause: int, clock: int, kind: int, feed: int, data: bytes) -> bytes:
    """The bytes of one entry. Raises struct.error for what a field cannot hold."""
    rest = _REST.pack(len(data), cause, clock, feed, kind)
    return _CRC.pack(crc32(data, crc32(rest))) + rest + data


def _crc_table() -> Any:
    """CRC-32 (IEEE 802.3) of each single byte, as `zlib.crc32` has it."""
    found = np.arange(256, dtype=np.int64)
    for _ in range(8):
        found = np.where(found & 1, 0xEDB88320 ^ (found >> 1), found >> 1)
    return found


_TABLE = _crc_table()


@kernel
def frame_records(block: Any, cause: int, rows: Any) -> tuple[int, int]:
    """Fill `rows` (schema RAW) with the records that `block` begins with, the first of which is number `cause`.

    Stops at the first that is not whole, not sound, or out of turn. `start` counts from where `block` begins.
    Returns how many there are, and how many bytes they take.
    """
    base = block.ctypes.data
    n = 0
    position: Any = 0
    while n < len(rows) and position + HEAD_BYTES <= len(block):
        head = rows_at(base + position, 1, HEAD)[0]
        start = position + HEAD_BYTES
        end = start + np.int64(head.size)
        if end > len(block) or head.cause != cause + n or not _is_sound(block, position, end):
            break
        row = rows[n]
        row.cause, row.ts, row.kind, row.feed = head.cause, head.clock, head.kind, head.feed
        row.start, row.size = start, end - start
        position = end
        n += 1
    return n, position


@kernel
def find_record(block: Any, cause: int) -> int:
    """Where in `block` a sound record begins, if it can hold any whose number is at least `cause`; else -1."""
    base, behind = block.ctypes.data, cause + len(block) // HEAD_BYTES + 1
    for position in range(len(block) - HEAD_BYTES + 1):
        head = rows_at(base + position, 1, HEAD)[0]
        end = position + HEAD_BYTES + np.int64(head.size)
        if cause <= head.cause < behind and end <= len(block) and _is_sound(block, position, end):
            return position
    return -1


@kernel
def _is_sound(block: Any, position: int, end: int) -> bool:
    """Whether the bytes of a record are those its checksum was made of."""
    found = np.int64(0xFFFFFFFF)
    for i in range(position + _CRC_BYTES, end):
        found = _TABLE[(found ^ block[i]) & 0xFF] ^ (found >> 8)
    stated = np.int64(rows_at(block.ctypes.data + position, 1, HEAD)[0].crc)
    return found ^ np.int64(0xFFFFFFFF) == stated
