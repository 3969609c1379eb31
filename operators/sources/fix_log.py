"""The kernel that finds FIX messages in a log, whatever stands between them, and gives each its clock.

A message runs from `8=FIX` to the `10=ddd` that its BodyLength says. Where that is not there the message is damaged,
and runs to the next `10=ddd`, `8=FIX` or end of line. Text between messages is the log's own, unless there is an SOH
in it: then it is what is left of a message, and is passed on for what it is. `|` may stand for SOH.
"""

from typing import Any

import numpy as np

from operators.kernel import kernel
from operators.sources.log_time import log_time, timestamp
from schemas.market import RawKind

_MESSAGE = int(RawKind.MESSAGE)
_SOH, _NEWLINE, _RETURN, _PIPE = 1, 10, 13, 124
_HEAD_BYTES = 5
_BEGIN_STRING_LONGEST = 20
_LENGTH_LONGEST = 7
_TRAILER_BYTES = 7
_BODY_LONGEST = 1 << 20
"""A longer body is a damaged length."""
_DAMAGED_LONGEST = 2 * _BODY_LONGEST


@kernel
def frame_fix(block: Any, is_final: bool, cursor: Any, origin: int, feed: int, cause: int, rows: Any, ends: Any) -> int:
    """Index the messages of a log in `block`, as the kernels of operators.sources.framing do. Returns how many."""
    base, clock, stop = cursor[0], cursor[1], len(block)
    position = base
    n = 0
    while n < len(rows):
        first, line, soh = _find_head(block, position, stop)
        if first == stop and not is_final and (soh < 0 or position > 0 or stop < _DAMAGED_LONGEST):
            position = line if soh < 0 else position  # whole lines of text are done with
            break
        if soh >= 0:
            first, end = position, soh + 1
        elif first == stop:
            position = stop
            break
        else:
            end = _find_end(block, first, stop, is_final)
            if end > stop and not is_final and (position > 0 or stop < _DAMAGED_LONGEST):
                break
            end = min(end, stop)
            clock = max(clock, _clock(block, line, first, end, origin))
        row = rows[n]
        row.cause, row.ts, row.kind, row.feed = cause + n, clock, _MESSAGE, feed
        row.start, row.size = first - base, end - first
        ends[n] = end - base
        position = end
        n += 1
    cursor[0], cursor[1] = position, clock
    return n


@kernel
def _find_head(block: Any, position: int, stop: int) -> tuple[int, int, int]:
    """(where the next message begins, or `stop`; where its line does; the last SOH before it, or -1)."""
    line, soh = position, -1
    for i in range(position, stop):
        if _is_head(block, i, stop):
            return i, line, soh
        if block[i] == _NEWLINE:
            line = i + 1
        elif block[i] == _SOH:
            soh = i
    return stop, line, soh


@kernel
def _is_head(block: Any, i: int, stop: int) -> bool:
    """Whether `8=FIX` is at `i`."""
    return (
        i + _HEAD_BYTES <= stop
        and block[i] == 56
        and block[i + 1] == 61
        and block[i + 2] == 70
        and block[i + 3] == 73
        and block[i + 4] == 88
    )


@kernel
def _find_end(block: Any, start: int, stop: int, is_final: bool) -> int:
    """Where the message at `start` ends; behind `stop` where that cannot be told yet."""
    i = start + _HEAD_BYTES
    while i < stop and block[i] not in (_SOH, _PIPE) and i - start < _BEGIN_STRING_LONGEST:
        i += 1
    delimiter = np.int64(block[i]) if i < stop else _SOH
    if i + 2 < stop and delimiter in (_SOH, _PIPE) and block[i + 1] == 57 and block[i + 2] == 61:
        i, length, digits = i + 3, 0, 0
        while i < stop and 48 <= block[i] <= 57 and digits < _LENGTH_LONGEST:
            length = 10 * length + (block[i] - 48)
            i, digits = i + 1, digits + 1
        if digits and i < stop and block[i] == delimiter and length <= _BODY_LONGEST:
            trailer = i + 1 + length
            if trailer + _TRAILER_BYTES > stop and not is_final:
                return stop + 1
            end = _trailer_end(block, trailer, delimiter, stop)
            if end >= 0:
                return end
    return _damaged_end(block, start, delimiter, stop)


@kernel
def _trailer_end(block: Any, i: int, delimiter: int, stop: int) -> int:
    """Where the `10=ddd` at `i` ends; -1 where there is none. Its delimiter may be missing at the end of a line."""
    if i + _TRAILER_BYTES > stop or block[i] != 49 or block[i + 1] != 48 or block[i + 2] != 61:
        return -1
    for j in range(i + 3, i + 6):
        if not 48 <= block[j] <= 57:
            return -1
    if block[i + 6] == delimiter:
        return i + 7
    return i + 6 if block[i + 6] in (_NEWLINE, _RETURN) else -1


@kernel
def _damaged_end(block: Any, start: int, delimiter: int, stop: int) -> int:
    """Where a message ends whose length does not say so; behind `stop` where that cannot be told yet."""
    for i in range(start + _HEAD_BYTES, stop):
        if block[i] == _NEWLINE or _is_head(block, i, stop):
            return i
        if block[i] == delimiter:
            end = _trailer_end(block, i + 1, delimiter, stop)
            if end >= 0:
                return end
    return stop + 1


@kernel
def _clock(block: Any, line: int, start: int, end: int, origin: int) -> int:
    """When the message was received: the log's own time, or SendingTime from `origin` on; 0 where neither is there."""
    time = log_time(block, line, start)
    if time >= 0:
        return time
    for i in range(start, end - 4):
        if block[i + 1] == 53 and block[i + 2] == 50 and block[i + 3] == 61 and block[i] in (_SOH, _PIPE):
            time = timestamp(block, i + 4, end)
            return origin + time if time >= 0 else 0
    return 0
