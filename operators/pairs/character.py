"""What kind of series a spread is: how its legs move together, how fast it reverts, whether it trends.

Each is computed anew from the samples of a window, in two passes: nothing accumulates, so nothing drifts.
"""

import math

import numpy as np

from operators.kernel import kernel
from schemas.record import Frame


@kernel
def correlation(y: Frame, x: Frame) -> float:
    """Correlation of the changes of y and x from sample to sample; NaN where one never changes."""
    dy, dx = y[1:] - y[:-1], x[1:] - x[:-1]
    dy = dy - dy.mean()
    dx = dx - dx.mean()
    return (dy * dx).sum() / math.sqrt((dy * dy).sum() * (dx * dx).sum())


@kernel
def reversion(spread: Frame) -> float:
    """Coefficient of the AR(1) regression `s[t] = c + phi s[t-1]`; NaN where the spread never changes.

    The discrete form of an Ornstein-Uhlenbeck process, whose half-life is `half_life(phi)` samples.
    """
    level = spread - spread[0]  # of a spread that stands still 0, without rounding
    before, after = level[:-1], level[1:]
    gap = before - before.mean()
    return (gap * (after - after.mean())).sum() / (gap * gap).sum()


@kernel
def half_life(phi: float) -> float:
    """Samples until half of a deviation is gone: `-ln 2 / ln phi`; 0 for phi up to 0. Infinite from phi = 1 on."""
    if phi <= 0.0:
        return 0.0
    return -math.log(2.0) / math.log(phi) if phi < 1.0 else np.inf


@kernel
def hurst(spread: Frame) -> float:
    """Hurst exponent: below 1/2 the spread reverts, at 1/2 it is a random walk, above it trends.

    Half the slope of log mean squared change over log lag, for lags 1, 2, 4, … up to a quarter of the
    samples (the generalised Hurst exponent of order 2: Di Matteo, Aste and Dacorogna, "Scaling behaviors in
    differently developed markets", Physica A 324, 2003). NaN where the spread does not change over some lag.
    """
    n, sum_u, sum_v, sum_uu, sum_uv = 0, 0.0, 0.0, 0.0, 0.0
    lag = 1
    while lag <= len(spread) // 4:
        change = spread[lag:] - spread[:-lag]
        u, v = math.log(lag), math.log((change * change).mean())
        n += 1
        sum_u += u
        sum_v += v
        sum_uu += u * u
        sum_uv += u * v
        lag *= 2
    return 0.5 * (n * sum_uv - sum_u * sum_v) / (n * sum_uu - sum_u * sum_u)
