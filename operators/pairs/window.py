"""The last values of a pair, for statistics that look at all of them again. A window is a ring of float64."""

import numpy as np

from operators.kernel import kernel
from schemas.record import Frame


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
