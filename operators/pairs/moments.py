"""Moments of the samples in a window whose number changes: a window of time, or one that starts empty.

Every sample has a key that grows; the window is the last `span` keys. With the sample's own number as key it
holds the last `span` samples, with the number of a bar those of the last `span` bars. Nothing is ever
subtracted: the window is a queue of two stacks, of which the older holds the moments from each sample to
its newest one, and the younger only its running moments (Tangwongsan, Hirzel and Schneider, "In-order
sliding-window aggregation in worst-case constant time", 2021). When the older stack is used up the younger
is folded into one. The cost per sample is constant on average; a slot is 48 bytes and a window has `span`.

A window of single values keeps them as y, and takes its mean and variance from there.
"""

from typing import Any

import numpy as np

from operators.kernel import kernel
from schemas.record import Frame

MOMENTS = np.dtype([("key", "i8"), ("x", "f8"), ("y", "f8"), ("xx", "f8"), ("xy", "f8"), ("yy", "f8")])
"""A sample of the younger stack (in `x` and `y`), or the moments from here to the newest of the older one:
means of x and y, and sums of squares and products about them (about 0 through the origin)."""

QUEUE = np.dtype(
    [
        ("first", "i8"),  # slot of the oldest sample
        ("older", "i8"),  # samples in each stack
        ("younger", "i8"),
        ("x", "f8"),  # running moments of the younger stack
        ("y", "f8"),
        ("xx", "f8"),
        ("xy", "f8"),
        ("yy", "f8"),
    ],
    align=True,
)
"""A window's stacks. All zeros: empty."""


@kernel
def roll_moments(
    queue: Any, ring: Frame, first: int, span: int, key: int, centred: bool, x: float, y: float
) -> tuple[int, float, float, float, float, float]:
    """Add a sample; return the moments of the samples with the last `span` keys, up to and with `key`.

    The window's slots are `ring[first : first + span]`. With `centred` false moments are about 0 and the
    means stay 0.
    """
    while queue.older + queue.younger > 0 and ring[first + queue.first].key <= key - span:
        if queue.older == 0:
            _fold(queue, ring, first, span, centred)
        queue.first = (queue.first + 1) % span
        queue.older -= 1
    slot = ring[first + (queue.first + queue.older + queue.younger) % span]
    slot.key = key
    slot.x = x
    slot.y = y
    x, y, xx, xy, yy = _alone(centred, x, y)
    n, queue.x, queue.y, queue.xx, queue.xy, queue.yy = _merge(
        queue.younger, queue.x, queue.y, queue.xx, queue.xy, queue.yy, 1, x, y, xx, xy, yy
    )
    queue.younger = n
    if queue.older == 0:
        return n, queue.x, queue.y, queue.xx, queue.xy, queue.yy
    old = ring[first + queue.first]
    return _merge(n, queue.x, queue.y, queue.xx, queue.xy, queue.yy, queue.older, old.x, old.y, old.xx, old.xy, old.yy)


@kernel
def _fold(queue: Any, ring: Frame, first: int, span: int, centred: bool) -> None:
    """Make the younger stack the older one."""
    n, x, y, xx, xy, yy = 0, 0.0, 0.0, 0.0, 0.0, 0.0
    for i in range(queue.younger - 1, -1, -1):
        slot = ring[first + (queue.first + i) % span]
        own_x, own_y, own_xx, own_xy, own_yy = _alone(centred, slot.x, slot.y)
        n, x, y, xx, xy, yy = _merge(n, x, y, xx, xy, yy, 1, own_x, own_y, own_xx, own_xy, own_yy)
        slot.x = x
        slot.y = y
        slot.xx = xx
        slot.xy = xy
        slot.yy = yy
    queue.older = n
    queue.younger = 0
    queue.x = queue.y = queue.xx = queue.xy = queue.yy = 0.0


@kernel
def _alone(centred: bool, x: float, y: float) -> tuple[float, float, float, float, float]:
    """The moments of one sample: means, squares and products."""
    if centred:
        return x, y, 0.0, 0.0, 0.0
    return 0.0, 0.0, x * x, x * y, y * y


@kernel
def _merge(
    n: int,
    x: float,
    y: float,
    xx: float,
    xy: float,
    yy: float,
    m: int,
    x_m: float,
    y_m: float,
    xx_m: float,
    xy_m: float,
    yy_m: float,
) -> tuple[int, float, float, float, float, float]:
    """The moments of n and of m samples together (Chan, Golub and LeVeque, 1979)."""
    share = m / (n + m)
    gap_x, gap_y = x_m - x, y_m - y
    between = n * share
    return (
        n + m,
        x + gap_x * share,
        y + gap_y * share,
        xx + xx_m + gap_x * gap_x * between,
        xy + xy_m + gap_x * gap_y * between,
        yy + yy_m + gap_y * gap_y * between,
    )
