"""Random numbers that are the same on every machine.

Only IEEE additions, multiplications, divisions and square roots are used, which round alike everywhere;
the logarithm and the exponential of a C library do not. The generator is xoshiro256++ (Blackman and Vigna, 2019).
"""

import math

import numpy as np

from operators.kernel import kernel
from schemas.record import Frame

GENERATOR = np.dtype([("a", "u8"), ("b", "u8"), ("c", "u8"), ("d", "u8")])
"""The state of one generator; not all zero."""

_LN2_HIGH = 6.93147180369123816490e-01  # its low 32 bits are zero, so a small integer times it is exact
_LN2_LOW = 1.90821492927058770002e-10
_INVERSE_LN2 = 1.44269504088896340736
_SQRT_HALF = 0.7071067811865476
_EXP_TERMS = 13
_LOG_TERMS = 10
_INVERSE_FACTORIALS = np.array([1 / math.factorial(n) for n in range(_EXP_TERMS + 1)])


def seeded(seed: int) -> Frame:
    """One generator, of dtype GENERATOR and shape (1,)."""
    return np.random.SeedSequence(seed).generate_state(4, np.uint64).view(GENERATOR)


@kernel
def _rotate(x: np.uint64, left: int) -> np.uint64:
    return (x << np.uint64(left)) | (x >> np.uint64(64 - left))


@kernel
def bits(generator: Frame) -> np.uint64:
    """The next 64 random bits, as uint64."""
    g = generator[0]
    a, b, c, d = g.a, g.b, g.c, g.d
    result = _rotate(a + d, 23) + a
    shifted = b << np.uint64(17)
    c ^= a
    d ^= b
    g.b = b ^ c
    g.a = a ^ d
    g.c = c ^ shifted
    g.d = _rotate(d, 45)
    return result


@kernel
def uniform(generator: Frame) -> float:
    """A number inside (0, 1): the middle of one of 2**52 equal cells."""
    return (np.float64(bits(generator) >> np.uint64(12)) + 0.5) * 2.0**-52


@kernel
def below(generator: Frame, n: int) -> np.int64:
    """A whole number from 0 to n - 1, for n up to 2**31."""
    return np.int64((bits(generator) >> np.uint64(32)) * np.uint64(n) >> np.uint64(32))


@kernel
def log(x: float) -> float:
    """Natural logarithm of a positive x: 2 atanh((m - 1) / (m + 1)) of the mantissa, to about one unit in the last."""
    mantissa, exponent = math.frexp(x)
    if mantissa < _SQRT_HALF:
        mantissa *= 2.0
        exponent -= 1
    s = (mantissa - 1.0) / (mantissa + 1.0)
    z = s * s
    series = 0.0
    for n in range(_LOG_TERMS, -1, -1):
        series = series * z + 1.0 / (2 * n + 1)
    return exponent * _LN2_HIGH + (exponent * _LN2_LOW + 2.0 * s * series)


@kernel
def exp(x: float) -> float:
    """Exponential of x, for x up to 700: Taylor series around the nearest multiple of ln 2."""
    if x < -700.0:
        return 0.0
    k = math.floor(x * _INVERSE_LN2 + 0.5)
    r = (x - k * _LN2_HIGH) - k * _LN2_LOW
    series = 0.0
    for n in range(_EXP_TERMS, -1, -1):
        series = series * r + _INVERSE_FACTORIALS[n]
    return math.ldexp(series, int(k))


@kernel
def normals(generator: Frame) -> tuple[float, float]:
    """Two independent standard normal numbers (Marsaglia's polar method)."""
    while True:
        u = 2.0 * uniform(generator) - 1.0
        v = 2.0 * uniform(generator) - 1.0
        s = u * u + v * v
        if s < 1.0:
            scale = math.sqrt(-2.0 * log(s) / s)
            return u * scale, v * scale
