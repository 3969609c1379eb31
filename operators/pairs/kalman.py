"""Slope and intercept as a random walk, followed by a Kalman filter.

State `b = (slope, intercept)`, `b' = b + N(0, w I)`; observation `y = h b + N(0, v)` with `h = (x, 1)`
(Kalman, "A new approach to linear filtering and prediction problems", 1960; for pairs: Chan, "Algorithmic
Trading", 2013, chapter 3, with `w = delta / (1 - delta)`).

The textbook update `P = R - K h R` subtracts, and loses symmetry and sign. With two states nothing need be
subtracted. Let `D = det R`, `g = x R11 + R12` and `q = h R h' + v`; then

    h R h' = (g**2 + D) / R11          q >= v > 0
    P = (v R + D [[1, -x], [-x, x**2]]) / q
    det P = v D / q                    det(P + w I) = D' + w (P11 + P22) + w**2

so that both variances and the determinant are sums of terms that are not negative. The determinant is
carried along instead of being computed from the rest. P is symmetric because only one corner is kept.
"""

from typing import Any

import numpy as np

from operators.kernel import kernel

FILTER = np.dtype(
    [
        ("r11", "f8"),  # covariance of slope and intercept, as predicted for the next sample
        ("r12", "f8"),
        ("r22", "f8"),
        ("det", "f8"),  # r11 * r22 - r12**2
        ("noise", "f8"),  # variance of a measurement
    ],
    align=True,
)
"""What a filter knows beside the slope and intercept themselves, which are the pair's hedge."""


@kernel
def prediction_variance(knows: Any, x: float) -> float:
    """Variance of the prediction error at `x`: of slope * x + intercept, and of a measurement."""
    if knows.r11 <= 0.0:
        return knows.r22 + knows.noise
    g = x * knows.r11 + knows.r12
    return (g * g + knows.det) / knows.r11 + knows.noise


@kernel
def filter_line(
    knows: Any, walk: float, adapt: float, slope: float, level: float, x: float, y: float
) -> tuple[float, float, float, bool]:
    """Take a sample; return the new slope and intercept, the prediction error, and whether all is finite.

    `walk` is w, the variance that slope and intercept gain from sample to sample. Where `adapt` is above 0
    the noise follows the data: `noise += adapt * (r**2 + h P h' - noise)` with `r` the residual after the
    update, an estimate that cannot turn negative (Mohamed and Schwarz, "Adaptive Kalman filtering for
    INS/GPS", 1999). Where a result is not finite the filter stays as it was.
    """
    error = y - slope * x - level
    q = prediction_variance(knows, x)
    share = 1.0 / q
    gain = (x * knows.r11 + knows.r12) * share
    gain_level = (x * knows.r12 + knows.r22) * share
    kept, freed = knows.noise * share, knows.det * share
    p11 = kept * knows.r11 + freed
    p12 = kept * knows.r12 - freed * x
    p22 = kept * knows.r22 + freed * x * x
    det = kept * knows.det + walk * (p11 + p22) + walk * walk
    noise = knows.noise
    if adapt > 0.0:
        residual = kept * error
        noise += adapt * (residual * residual + kept * (q - noise) - noise)
    slope += gain * error
    level += gain_level * error
    if not (np.isfinite(slope) and np.isfinite(level) and np.isfinite(det + p12) and 0.0 < noise < np.inf):
        return slope, level, error, False
    knows.r11 = p11 + walk
    knows.r12 = p12
    knows.r22 = p22 + walk
    knows.det = det
    knows.noise = noise
    return slope, level, error, True
