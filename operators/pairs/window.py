"""When a pair is sampled, and its last values, for statistics that look at all of them again.

A window is a ring of float64.
"""

from typing import Literal

import numpy as np

from operators.kernel import kernel
from schemas.parameter_types import Duration
from schemas.record import Frame

Sampling = Duration | Literal["event", "change"]
"""When a pair is sampled: at the end of each bar of so many ns, at every touch, or when its prices have changed."""

BY_EVENT, BY_CHANGE = 0, -1
"""What a kernel finds in the place of a bar's length."""


def bar_ns(every: int | str) -> int:
    """A Sampling as a kernel sees it."""
    return {"event": BY_EVENT, "change": BY_CHANGE}[every] if isinstance(every, str) else every


@kernel
def in_order(ring: Frame, first: int, window: int, split: int) -> Frame:
    """A copy of the full window `ring[first : first + window]`, from the oldest value, in slot `split`, on."""
    values = np.empty(window)
    values[: window - split] = ring[first + split : first + window]
    values[window - split :] = ring[first : first + split]
    return values


@kernel
def is_due(taken: int, window: int, step: int) -> bool:
    """Whether the window is full, and this is sample number `window`, `window + step`, `window + 2 * step`, …."""
    return taken >= window and (taken - window) % step == 0
