"""What the trace statistics of Johansen's test say.

p-values: J. A. Doornik, "Approximations to the asymptotic distributions of cointegration tests", Journal of Economic
Surveys 12 (1998), a gamma distribution with fitted moments. Critical values: J. G. MacKinnon, A. A. Haug and
L. Michelis, "Numerical distribution functions of likelihood ratio tests for cointegration", Journal of Applied
Econometrics 14 (1999), case III.
"""

import math

from schemas.record import Frame

CRITICAL = (3.8415, 15.4943, 29.7961, 47.8545, 69.8189)
"""Trace statistics exceeded by 5 % of samples of as many series, number 1 first, that have no relation left."""


def rank(statistics: Frame) -> int:
    """Relations found at 5 %, one after the other, from the trace statistics of 0, 1, … of them."""
    count = len(statistics)
    found = 0
    while found < count and statistics[found] > CRITICAL[count - found - 1]:
        found += 1
    return found


def trace_p_value(statistic: float, series: int) -> float:
    """The probability of a trace statistic this great or greater of so many series that are not cointegrated."""
    n = series
    mean = 2.0 * n * n + 1.05 * n - 1.55 - (0.5 if n == 1 else 0.23 if n == 2 else 0.0)
    variance = 3.0 * n * n + 1.8 * n - (2.8 if n == 1 else 1.1 if n == 2 else 0.0)
    return _gamma_tail(mean * mean / variance, statistic * mean / variance)


def _gamma_tail(shape: float, x: float) -> float:
    """Upper tail of the gamma distribution of scale 1: by its series near 0, by Lentz's continued fraction beyond."""
    if x <= 0.0:
        return 1.0
    front = math.exp(shape * math.log(x) - x - math.lgamma(shape))
    if x < shape + 1.0:
        term = total = 1.0 / shape
        n = shape
        while term > 1e-17 * total:
            n += 1.0
            term *= x / n
            total += term
        return max(1.0 - front * total, 0.0)
    b = x + 1.0 - shape
    c, d = 1e300, 1.0 / b
    value = d
    for i in range(1, 500):
        a = -i * (i - shape)
        b += 2.0
        d = 1.0 / (a * d + b)
        c = b + a / c
        value *= c * d
        if abs(c * d - 1.0) < 1e-15:
            break
    return front * value
