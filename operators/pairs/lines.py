"""The line through samples, from their moments."""

import numpy as np

from operators.kernel import kernel

_ROUNDING = 1e-12


@kernel
def least_squares(x: float, y: float, xx: float, xy: float) -> tuple[float, float, bool]:
    """Slope, intercept and whether they are determined: the line with the least squares of distances along y.

    `x` and `y` are means, `xx` and `xy` sums of squares and products about them (about 0, with means 0, for
    a line through the origin).
    """
    slope = xy / xx
    level = y - slope * x
    return slope, level, xx > 0.0 and np.isfinite(slope) and np.isfinite(level)


@kernel
def total_least_squares(x: float, y: float, xx: float, xy: float, yy: float) -> tuple[float, float, bool]:
    """The same for squares of distances at a right angle: neither leg is taken to be without noise.

    The slope is the direction of the first principal component (Golub and Van Loan, "An analysis of the total
    least squares problem", 1980), `(d + r) / (2 xy)` with `d = yy - xx` and `r = hypot(d, 2 xy)`; where d is
    negative the same without cancellation. Up to rounding it is not determined where all directions are equal,
    nor for a line that stands upright.
    """
    d = yy - xx
    r = np.hypot(d, 2.0 * xy)
    slope = (d + r) / (2.0 * xy) if d >= 0.0 else 2.0 * xy / (r - d)
    level = y - slope * x
    leans = d < 0.0 or abs(2.0 * xy) > _ROUNDING * r
    return slope, level, r > _ROUNDING * (xx + yy) and leans and np.isfinite(slope) and np.isfinite(level)
