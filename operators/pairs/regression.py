"""Least squares of y on x over the last `window` samples, free of drift.

The window is kept as in `operators.pairs.deviation`: blocks folded from their end, merged, never
subtracted from. A slot is 48 bytes; a third of it, the samples, is all that has to be kept in a snapshot.
"""

from typing import Any

import numpy as np

from operators.kernel import inlined, kernel
from schemas.record import Frame

LINE_SLOT = np.dtype([("mean_x", "f8"), ("mean_y", "f8"), ("xx", "f8"), ("xy", "f8"), ("x", "f8"), ("y", "f8")])
"""The newest sample that came to this place (x, y), and the moments from here to the end of the last whole block:
means of x and y, sum of squares of x and of products, about the means (about 0 through the origin)."""

SAMPLE = np.dtype([("x", "f8"), ("y", "f8")])
"""What a snapshot keeps of a slot."""


@inlined
def roll_line(
    stats: Any, ring: Frame, first: int, window: int, intercept: bool, x: float, y: float
) -> tuple[float, float, bool]:
    """Add a sample; return slope, intercept and whether the last `window` samples determine them.

    The window's slots are `ring[first : first + window]`; `stats` holds the running block (`line_x`,
    `line_y`, `line_xx`, `line_xy`) and `line_next`, its length. With `intercept` false the line goes through
    the origin. Until `window` samples have come the result means nothing.
    """
    n = stats.line_next + 1
    slot = ring[first + stats.line_next]
    mean_x, mean_y, xx, xy = _add(n, intercept, stats.line_x, stats.line_y, stats.line_xx, stats.line_xy, x, y)
    slot.x = x
    slot.y = y
    if n == window:
        _fold(ring, first, window, intercept, window)
        stats.line_next = 0
        stats.line_x = stats.line_y = stats.line_xx = stats.line_xy = 0.0
    else:
        stats.line_next = n
        stats.line_x = mean_x
        stats.line_y = mean_y
        stats.line_xx = xx
        stats.line_xy = xy
        old = ring[first + n]
        share = (window - n) / window
        gap_x = old.mean_x - mean_x
        gap_y = old.mean_y - mean_y
        xx += old.xx + gap_x * gap_x * n * share
        xy += old.xy + gap_x * gap_y * n * share
        mean_x += gap_x * share
        mean_y += gap_y * share
    slope = xy / xx
    level = mean_y - slope * mean_x
    return slope, level, xx > 0.0 and np.isfinite(slope) and np.isfinite(level)


@kernel
def samples_of(ring: Frame, samples: Frame) -> None:
    """Copy what a snapshot keeps of every slot."""
    for i in range(len(ring)):
        samples[i].x = ring[i].x
        samples[i].y = ring[i].y


@kernel
def ring_of(samples: Frame, statistics: Frame, window: int, intercept: bool, ring: Frame) -> None:
    """Put kept samples back into their slots, with the same moments as before, bit for bit; a window per statistics."""
    for i in range(len(ring)):
        ring[i].x = samples[i].x
        ring[i].y = samples[i].y
    for p in range(len(statistics)):
        _fold(ring, p * window, window, intercept, window - statistics[p].line_next)


@kernel
def _fold(ring: Frame, first: int, window: int, intercept: bool, count: int) -> None:
    """Give the last `count` slots of a window the moments from each of their samples to the last one."""
    mean_x, mean_y, xx, xy = 0.0, 0.0, 0.0, 0.0
    for n in range(1, count + 1):
        slot = ring[first + window - n]
        mean_x, mean_y, xx, xy = _add(n, intercept, mean_x, mean_y, xx, xy, slot.x, slot.y)
        slot.mean_x = mean_x
        slot.mean_y = mean_y
        slot.xx = xx
        slot.xy = xy


@inlined
def _add(
    n: int, intercept: bool, mean_x: float, mean_y: float, xx: float, xy: float, x: float, y: float
) -> tuple[float, float, float, float]:
    """The moments once (x, y) is the `n`-th sample. Through the origin the means stay 0."""
    if not intercept:
        return 0.0, 0.0, xx + x * x, xy + x * y
    gap_x = x - mean_x
    gap_y = y - mean_y
    share = (n - 1) / n
    return mean_x + gap_x / n, mean_y + gap_y / n, xx + gap_x * gap_x * share, xy + gap_x * gap_y * share
