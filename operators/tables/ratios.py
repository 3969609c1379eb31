"""How many units of 1e-9 a number of so many decimal places is at a column's scale: a fraction per number of places."""

from decimal import Decimal
from fractions import Fraction

import numpy as np

from schemas.record import DECIMAL_SCALE, Frame

PLACES_MAX = 20
"""Decimal places (of a number with an exponent, less that) that are read, and zeros that are put behind."""

RATIO = np.dtype([("num", "i8"), ("den", "i8"), ("most", "i8")])
"""Digits read as an integer, `most` at most, are `num / den` units of 1e-9 each; den 0: such a number cannot be."""

RATIOS = 2 * PLACES_MAX + 1
"""Rows of a column's table: of places -PLACES_MAX to PLACES_MAX."""

_INT64_MAX = (1 << 63) - 1


def ratios(scale: Decimal) -> Frame:
    """The table of a column that holds `scale` times what it means, in lowest terms."""
    table = np.zeros(RATIOS, RATIO)
    for i in range(RATIOS):
        ratio = Fraction(10**DECIMAL_SCALE) / (Fraction(scale) * Fraction(10) ** (i - PLACES_MAX))
        if max(ratio.numerator, ratio.denominator) <= _INT64_MAX:
            table[i] = ratio.numerator, ratio.denominator, _INT64_MAX // ratio.numerator
    return table
