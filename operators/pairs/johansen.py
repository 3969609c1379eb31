"""Johansen's test: how many combinations of several series revert, and which.

S. Johansen, "Estimation and hypothesis testing of cointegration vectors in Gaussian vector autoregressive models",
Econometrica 59 (1991). Changes and levels, each freed of a constant and of `lags` lagged changes, are compared by
their squared canonical correlations `e[1] >= e[2] >= …`; the trace statistic of at most r relations is
`-T sum(log(1 - e[i]), i > r)`. The constant is unrestricted.

The correlations are the singular values of the product of orthonormal bases, which are found by Gram and Schmidt's
projections made twice and Jacobi's rotations: no moment matrix is formed, so no condition number is squared, and the
bits are the same on every machine.
"""

import math

import numpy as np

from operators.kernel import kernel
from schemas.record import Frame

_SINGULAR = 1e-6
"""A series is a combination of others where less than this share of it is left without them."""


@kernel
def johansen(levels: Frame, lags: int) -> tuple[Frame, Frame, bool]:
    """The trace statistics of 0, 1, … relations, the weights of the first relation, and whether there is a test.

    `levels` are the series, a row each. There is none where a series stands still or follows from the others.
    """
    count, samples = levels.shape
    rows = samples - 1 - lags
    changes = np.empty((count, rows))
    before = np.empty((count, rows))
    lagged = np.empty((count * lags, rows))
    for i in range(count):
        own = levels[i] - levels[i, 0]
        turns = own[1:] - own[:-1]
        changes[i] = turns[lags:]
        before[i] = own[lags:-1]
        for lag in range(1, lags + 1):
            lagged[i * lags + lag - 1] = turns[lags - lag : len(turns) - lag]
    nothing, triangle = np.empty((0, rows)), np.zeros((count, count))
    for series in (changes, before, lagged):
        for i in range(len(series)):
            series[i] -= series[i].mean()
    is_sound = _orthonormalise(lagged, nothing, np.zeros((count * lags, count * lags)))
    is_sound &= _orthonormalise(changes, lagged, np.zeros((count, count)))
    is_sound &= _orthonormalise(before, lagged, triangle)
    if not is_sound:
        return np.zeros(count), np.zeros(count), False
    product = np.empty((count, count))  # of both bases: a row per level, a column per change
    for i in range(count):
        for j in range(count):
            product[i, j] = (before[i] * changes[j]).sum()
    squares, first = _rotate(product)
    statistics = np.zeros(count)
    left = 0.0
    for i in range(count - 1, -1, -1):
        left -= rows * math.log1p(-squares[i])
        statistics[i] = left
    weights = _solved(triangle, first)
    return statistics, weights, bool(np.isfinite(statistics[0]) and np.isfinite(weights.sum()))


@kernel
def _orthonormalise(series: Frame, others: Frame, triangle: Frame) -> bool:
    """Free the rows of what they share with `others`, which are orthonormal, and with those above, at length 1.

    `triangle[j, i]` is how much of row j's direction row i was made of. False where next to nothing is left of one.
    """
    for i in range(len(series)):
        own = series[i]
        whole = math.sqrt((own * own).sum())
        for _ in range(2):
            for j in range(len(others)):
                own -= (others[j] * own).sum() * others[j]
            for j in range(i):
                share = (series[j] * own).sum()
                triangle[j, i] += share
                own -= share * series[j]
        length = math.sqrt((own * own).sum())
        if not (0.0 < length < np.inf and length > _SINGULAR * whole):
            return False
        triangle[i, i] = length
        own /= length
    return True


@kernel
def _rotate(product: Frame) -> tuple[Frame, Frame]:
    """Squared singular values of a square matrix, the greatest first, and the left vector of the first.

    One-sided Jacobi: rows are rotated against each other until all are at right angles.
    """
    count = len(product)
    turned = np.eye(count)
    for _ in range(60):
        is_done = True
        for i in range(count):
            for j in range(i + 1, count):
                a, b, c = 0.0, 0.0, 0.0
                for k in range(count):
                    a += product[i, k] * product[i, k]
                    b += product[j, k] * product[j, k]
                    c += product[i, k] * product[j, k]
                if abs(c) <= 1e-15 * math.sqrt(a * b):
                    continue
                is_done = False
                zeta = (b - a) / (2.0 * c)
                tangent = (1.0 if zeta >= 0.0 else -1.0) / (abs(zeta) + math.sqrt(1.0 + zeta * zeta))
                cosine = 1.0 / math.sqrt(1.0 + tangent * tangent)
                sine = cosine * tangent
                for matrix in (product, turned):
                    for k in range(count):
                        u, v = matrix[i, k], matrix[j, k]
                        matrix[i, k] = cosine * u - sine * v
                        matrix[j, k] = sine * u + cosine * v
        if is_done:
            break
    squares = np.empty(count)
    for i in range(count):
        squares[i] = (product[i] * product[i]).sum()
    return np.sort(squares)[::-1], turned[np.argmax(squares)].copy()


@kernel
def _solved(triangle: Frame, right: Frame) -> Frame:
    """The weights of the series whose combination has the coordinates `right` in their basis; |weights| sum to 1.

    The first one that is not 0 is positive.
    """
    count = len(right)
    weights = np.zeros(count)
    for i in range(count - 1, -1, -1):
        rest = right[i]
        for j in range(i + 1, count):
            rest -= triangle[i, j] * weights[j]
        weights[i] = rest / triangle[i, i]
    weights /= np.abs(weights).sum()
    for i in range(count):
        if weights[i] != 0.0:
            return weights * np.sign(weights[i])
    return weights
