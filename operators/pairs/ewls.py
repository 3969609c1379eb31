"""Least squares of y on x with weights that halve every `half_life` samples.

Recursive least squares with a forgetting factor, in the form that cannot wind up: weighted means and
moments about them, by the updates of Chan, Golub and LeVeque (1979) with decaying counts. The weights are
normalised, so there is no bias towards the first sample and no prior to choose.
"""

from typing import Any

import numpy as np

from operators.kernel import kernel

DECAYED_LINE = np.dtype(
    [
        ("weight", "f8"),  # sum of the weights of all samples; the last one's is 1
        ("x", "f8"),  # weighted means
        ("y", "f8"),
        ("xx", "f8"),  # weighted sums of squares and products about the means (about 0 through the origin)
        ("xy", "f8"),
    ],
    align=True,
)

_ROUNDING = 2.0**-50


@kernel
def decay_line(moments: Any, keep: float, intercept: bool, x: float, y: float) -> tuple[float, float, bool]:
    """Add a sample; return slope, intercept and whether the samples so far determine them.

    `keep` is what a weight is multiplied by from sample to sample. x stands still where its deviation is
    no more than what rounding the mean can leave over.
    """
    before = keep * moments.weight
    weight = before + 1.0
    moments.weight = weight
    moments.xx *= keep
    moments.xy *= keep
    if intercept:
        gap_x = x - moments.x
        gap_y = y - moments.y
        share = before / weight
        moments.xx += gap_x * gap_x * share
        moments.xy += gap_x * gap_y * share
        moments.x += gap_x / weight
        moments.y += gap_y / weight
        least = _ROUNDING * weight * abs(moments.x)
    else:
        moments.xx += x * x
        moments.xy += x * y
        least = 0.0
    slope = moments.xy / moments.xx
    level = moments.y - slope * moments.x
    return slope, level, moments.xx > least * least * weight and np.isfinite(slope) and np.isfinite(level)
