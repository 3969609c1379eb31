"""Arithmetic in twice the precision of a float64, compiled: what a million recursive updates are compared with.

A number is a pair (high, low) with |low| at most half a unit of high's last place (Dekker, "A floating-point
technique for extending the available precision", 1971): 106 bits, so that 1e8 steps leave errors far below
1e-16. Test code alone: nothing here is shared with what it tests.
"""

from numba import njit


@njit
def plus(a, b):
    total = a[0] + b[0]
    part = total - a[0]
    error = (a[0] - (total - part)) + (b[0] - part) + a[1] + b[1]
    high = total + error
    return high, error - (high - total)


@njit
def _split(a):
    scaled = 134217729.0 * a
    high = scaled - (scaled - a)
    return high, a - high


@njit
def times(a, b):
    product = a[0] * b[0]
    a_high, a_low = _split(a[0])
    b_high, b_low = _split(b[0])
    error = ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low
    error += a[0] * b[1] + a[1] * b[0]
    high = product + error
    return high, error - (high - product)


@njit
def minus(a, b):
    return plus(a, (-b[0], -b[1]))


@njit
def over(a, b):
    first = a[0] / b[0]
    rest = minus(a, times((first, 0.0), b))
    second = rest[0] / b[0]
    rest = minus(rest, times((second, 0.0), b))
    return plus(plus((first, 0.0), (second, 0.0)), (rest[0] / b[0], 0.0))
