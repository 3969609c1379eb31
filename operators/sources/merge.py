"""Kernels that merge the indexed messages of several captures into one order: by clock, then feed, then position."""

from typing import Any

import numpy as np

from operators.kernel import kernel, table
from operators.sources.framing import CLOCK_MAX
from schemas.market import RAW

_ROW = RAW.dtype
_U8 = np.dtype(np.uint8)

LANE = np.dtype([("clock", "i8"), ("head", "i8"), ("count", "i8")])
"""A capture in the merge: clock of its next message (CLOCK_MAX: there is none), that message's row, rows indexed."""


@kernel
def merge(ctx: Any, lanes: Any, rows: Any, cause: int) -> tuple[int, int, int]:
    """Fill `rows` with the next messages of all captures, numbered from `cause`.

    Tables 2k and 2k + 1 of `ctx` are the indexed rows of capture k and their data; `start` counts in the
    latter until `gather` has been called. Stops early when the indexed rows of a capture are used up.
    Returns (rows filled, their bytes, the capture to index further or -1).
    """
    n = 0
    size = 0
    used_up = -1
    while n < len(rows):
        k = 0
        for i in range(1, len(lanes)):
            if lanes[i].clock < lanes[k].clock:
                k = i
        lane = lanes[k]
        if lane.clock == CLOCK_MAX:
            break
        indexed = table(ctx, 2 * k, _ROW)
        rows[n] = indexed[lane.head]
        rows[n].cause = cause + n
        size += rows[n].size
        n += 1
        lane.head += 1
        if lane.head == lane.count:
            used_up = k
            break
        lane.clock = indexed[lane.head].ts
    return n, size, used_up


@kernel
def gather(ctx: Any, rows: Any, data: Any) -> None:
    """Copy the messages of `rows` into `data`, one behind the other, and let `start` count there."""
    at = 0
    for n in range(len(rows)):
        source = table(ctx, 2 * rows[n].feed + 1, _U8)
        start = rows[n].start
        size = rows[n].size
        data[at : at + size] = source[start : start + size]
        rows[n].start = at
        at += size
