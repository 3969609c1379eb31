"""Kernels that find the messages in a block of a capture, and give each its clock.

All write rows of RAW whose `start` counts from where the call began, and to `ends` where each message's
successor begins, counted likewise. `cursor` is (offset in the block, clock in ns): where the call begins,
and afterwards where the next one does. A message that the block ends inside is left for the next block,
unless the capture ends there too (`is_final`): then it is what there is of it.
"""

from typing import Any

import numpy as np

from operators.feeds.itch_bytes import be16, be64
from operators.kernel import kernel
from schemas.market import RawKind

_MESSAGE = int(RawKind.MESSAGE)
_DAY_NS = 86_400 * 10**9
_TIME_END = 11
"""A message of ITCH 5.0 has its timestamp in bytes 5 to 10: nanoseconds since midnight, big-endian."""
_TIME_BITS = (1 << 48) - 1

_STAMP_LENGTH = 12

CLOCK_MAX = (1 << 63) - 1
"""Behind every clock."""

HEAD_BYTES = 16
"""Before an entry of a session, little-endian: receive time in 8 bytes, kind and size in 4 each."""


@kernel
def frame_itch50(
    block: Any, is_final: bool, cursor: Any, origin: int, feed: int, cause: int, rows: Any, ends: Any
) -> int:
    """Index messages behind two-byte lengths in `block`. Returns how many.

    A message too short for a timestamp, or with one of 24 hours or more, keeps the clock of the one before.
    """
    base, clock, stop = cursor[0], cursor[1], len(block)
    data = block.ctypes.data
    position = base
    n = 0
    while n < len(rows) and position + 2 <= stop:
        start = position + 2
        end = start + be16(data + position)
        if end > stop:
            break
        if end - start >= _TIME_END:
            time = be64(data + start + _TIME_END - 8) & _TIME_BITS
            if time < _DAY_NS:
                clock = max(clock, origin + time)
        _write(rows[n], cause + n, clock, _MESSAGE, feed, start - base, end - start)
        ends[n] = end - base
        position = end
        n += 1
    if n < len(rows) and position < stop and is_final:
        start = min(position + 2, stop)
        if stop - start >= _TIME_END:
            time = be64(data + start + _TIME_END - 8) & _TIME_BITS
            if time < _DAY_NS:
                clock = max(clock, origin + time)
        _write(rows[n], cause + n, clock, _MESSAGE, feed, start - base, stop - start)
        ends[n] = stop - base
        position = stop
        n += 1
    cursor[0], cursor[1] = position, clock
    return n


@kernel
def frame_recording(
    block: Any, is_final: bool, cursor: Any, origin: int, feed: int, cause: int, rows: Any, ends: Any
) -> int:
    """Index lines `<receive ns> <payload>` in `block`. Returns how many.

    A line without a proper receive time is a message as a whole, and keeps the clock of the one before. A line
    that fills a whole block is passed on in pieces of a block.
    """
    base, clock, stop = cursor[0], cursor[1], len(block)
    position = base
    n = 0
    while n < len(rows) and position < stop:
        end = position
        while end < stop and block[end] != 10:
            end += 1
        if end == stop and position > 0 and not is_final:
            break
        start, time = _receive_time(block, position, end)
        clock = max(clock, origin + time)
        _write(rows[n], cause + n, clock, _MESSAGE, feed, start - base, end - start)
        position = min(end + 1, stop)
        ends[n] = position - base
        n += 1
    cursor[0], cursor[1] = position, clock
    return n


@kernel
def frame_session(
    block: Any, is_final: bool, cursor: Any, origin: int, feed: int, cause: int, rows: Any, ends: Any
) -> int:
    """Index entries of a session as operators.sources.session gives them. Returns how many."""
    base, clock, stop = cursor[0], cursor[1], len(block)
    position = base
    n = 0
    while n < len(rows) and position + HEAD_BYTES <= stop:
        start = position + HEAD_BYTES
        end = start + _little(block, position + 12, 4)
        if end > stop:
            break
        clock = max(clock, origin + _little(block, position, 8))
        _write(rows[n], cause + n, clock, _little(block, position + 8, 4), feed, start - base, end - start)
        position = end
        ends[n] = position - base
        n += 1
    cursor[0], cursor[1] = position, clock
    return n


@kernel
def frame_stamped(
    block: Any, is_final: bool, cursor: Any, origin: int, feed: int, cause: int, rows: Any, ends: Any
) -> int:
    """Index messages behind their receive time (8 bytes, big-endian) and length (4) in `block`. Returns how many."""
    base, clock, stop = cursor[0], cursor[1], len(block)
    position = base
    n = 0
    while n < len(rows) and position + _STAMP_LENGTH <= stop:
        start = position + _STAMP_LENGTH
        end = start + _number(block, start - 4, start)
        if end > stop:
            break
        clock = max(clock, origin + _number(block, position, start - 4))
        _write(rows[n], cause + n, clock, _MESSAGE, feed, start - base, end - start)
        ends[n] = end - base
        position = end
        n += 1
    cursor[0], cursor[1] = position, clock
    return n


@kernel
def _little(block: Any, start: int, size: int) -> Any:
    """A little-endian number of `size` bytes."""
    number = np.int64(0)
    for i in range(size):
        number |= np.int64(block[start + i]) << (8 * i)
    return number


@kernel
def _number(block: Any, start: int, end: int) -> Any:
    """The big-endian number in bytes `start` to `end`."""
    number = np.int64(0)
    for i in range(start, end):
        number = (number << 8) | np.int64(block[i])
    return number


@kernel
def _receive_time(block: Any, start: int, end: int) -> tuple[int, Any]:
    """(where the payload starts, time), or (`start`, 0) where the line has no proper receive time."""
    time = np.uint64(0)
    i = start
    while i < end and i - start < 19 and 48 <= block[i] <= 57:
        time = time * np.uint64(10) + np.uint64(block[i] - 48)
        i += 1
    if i in (start, end) or block[i] != 32 or time >= np.uint64(CLOCK_MAX):
        return start, 0
    return i + 1, np.int64(time)


@kernel
def _write(row: Any, cause: int, clock: int, kind: int, feed: int, start: int, size: int) -> None:
    row.cause = cause
    row.ts = clock
    row.kind = kind
    row.feed = feed
    row.start = start
    row.size = size
