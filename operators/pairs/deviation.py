"""Mean and standard deviation of a stream: over the last `window` values, or exponentially weighted.

The window never subtracts. It is cut into blocks as long as itself: when a block is complete it is folded
from its end, so that slot `k` holds the moments of values `k..window-1`; while the next block fills, the
window is the new block's running moments merged with the slot that follows the value being replaced (the
two-stacks queue of Tangwongsan, Hirzel and Schneider, "In-order sliding-window aggregation in worst-case
constant time", 2021). So nothing drifts however long the stream is, and a jump that has left the window
leaves no trace. The cost per value is constant on average; a slot is 24 bytes, of which a snapshot keeps the value.

Moments are kept as mean and sum of squared deviations, updated and merged by Chan, Golub and LeVeque,
"Updating formulae and a pairwise algorithm for computing sample variances" (1979). Adding a value uses
`delta**2 * (n - 1) / n` rather than Welford's `delta * (value - mean)`: the new mean is rounded, and for
few values far from zero that rounding would show.
"""

from typing import Any

import numpy as np

from operators.kernel import inlined, kernel
from schemas.record import Frame

SPREAD_SLOT = np.dtype([("mean", "f8"), ("squares", "f8"), ("value", "f8")])
"""The newest value that came to this place, and the moments from here to the end of the last whole block."""


@inlined
def roll_deviation(stats: Any, ring: Frame, first: int, window: int, value: float) -> tuple[float, float]:
    """Add `value`; return mean and sample variance (ddof 1) of the last `window` values.

    The window's slots are `ring[first : first + window]`. `stats` holds the running block: `mean`,
    `squares` and `next`, its length. Until `window` values have come the result means nothing.
    """
    n = stats.next + 1
    delta = value - stats.mean
    mean = stats.mean + delta / n
    squares = stats.squares + delta * delta * (n - 1) / n
    ring[first + stats.next].value = value
    stats.next = n
    stats.mean = mean
    stats.squares = squares
    if n == window:
        _fold(ring, first, window, window)
        stats.next = 0
        stats.mean = 0.0
        stats.squares = 0.0
        return mean, squares / (window - 1)
    old = ring[first + n]
    share = (window - n) / window
    gap = old.mean - mean
    return mean + gap * share, (squares + old.squares + gap * gap * n * share) / (window - 1)


@kernel
def values_of(ring: Frame, values: Frame) -> None:
    """Copy what a snapshot keeps of every slot."""
    for i in range(len(ring)):
        values[i] = ring[i].value


@kernel
def ring_of(values: Frame, statistics: Frame, window: int, ring: Frame) -> None:
    """Put kept values back into their slots, with the same moments as before, bit for bit; a window per statistics."""
    for i in range(len(ring)):
        ring[i].value = values[i]
    for p in range(len(statistics)):
        _fold(ring, p * window, window, window - statistics[p].next)


@kernel
def _fold(ring: Frame, first: int, window: int, count: int) -> None:
    """Give the last `count` slots of a window the moments from each of their values to the last one."""
    mean, squares = 0.0, 0.0
    for n in range(1, count + 1):
        slot = ring[first + window - n]
        delta = slot.value - mean
        mean += delta / n
        squares += delta * delta * (n - 1) / n
        slot.mean = mean
        slot.squares = squares


@inlined
def decay_deviation(stats: Any, alpha: float, value: float) -> tuple[float, float]:
    """Add `value`; return the exponentially weighted mean and variance.

    With `delta = value - mean`: `mean += alpha * delta`, then
    `variance = (1 - alpha) * (variance + alpha * delta**2)` (Finch, "Incremental calculation of weighted
    mean and variance", 2009, section 9). The first value starts them at itself and 0. `stats` holds
    `mean`, the variance as `squares`, and `residuals`, how many values have come.
    """
    if stats.residuals == 0:
        stats.mean = value
        stats.squares = 0.0
    else:
        delta = value - stats.mean
        step = alpha * delta
        stats.mean += step
        stats.squares = (1.0 - alpha) * (stats.squares + delta * step)
    return stats.mean, stats.squares
