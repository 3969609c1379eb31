"""Engle and Granger's test: whether the residuals of a regression of y on x have a unit root.

R. F. Engle and C. W. J. Granger, "Co-integration and error correction", Econometrica 55 (1987). The
augmented Dickey-Fuller regression of the residuals has no constant, since they have none:
`diff r[t] = rho r[t-1] + sum of phi[i] diff r[t-i]`, and the statistic is the t-value of rho. Regressions
are solved by Householder reflections, which square no condition number and give the same bits on every
machine.

p-values: J. G. MacKinnon, "Approximate asymptotic distribution functions for unit-root and cointegration
tests", Journal of Business & Economic Statistics 12 (1994), tables 3 and 4; critical values: "Critical values
for cointegration tests", Queen's Economics Department working paper 1227 (2010), table 2; both for two
series and a constant.
"""

import math

import numpy as np

from operators.kernel import kernel
from schemas.record import Frame

_P_LEFT = (2.92, 1.5012, 0.039796)
_P_RIGHT = (2.1945, 0.64695, -0.29198, -0.042377)
_P_SPLIT, _P_LEAST, _P_MOST = -2.62, -18.86, 0.92
COLLINEAR = 1.0 - 100.0 * 2.0**-26
"""Above this share of variance explained the residuals are rounding."""


@kernel
def p_value(statistic: float) -> float:
    """Probability of a statistic this low or lower where y and x are not cointegrated."""
    if statistic > _P_MOST:
        return 1.0
    if statistic < _P_LEAST:
        return 0.0
    s = statistic
    if s <= _P_SPLIT:
        normal = _P_LEFT[0] + s * (_P_LEFT[1] + s * _P_LEFT[2])
    else:
        normal = _P_RIGHT[0] + s * (_P_RIGHT[1] + s * (_P_RIGHT[2] + s * _P_RIGHT[3]))
    return 0.5 * math.erfc(-normal / math.sqrt(2.0))


@kernel
def p_values(statistics: Frame) -> Frame:
    """The same of many; 1 where there is no statistic (NaN)."""
    found = np.ones(len(statistics))
    for i in range(len(statistics)):
        if not np.isnan(statistics[i]):
            found[i] = p_value(statistics[i])
    return found


@kernel
def critical_value(samples: int) -> float:
    """The statistic that is undercut in 5 % of samples of this size where y and x are not cointegrated."""
    t = samples - 1.0
    return -3.33613 - 6.1101 / t - 6.823 / (t * t)


def schwert_lags(samples: int) -> int:
    """Lags to consider at most: 12 * (n / 100) ** (1 / 4), rounded up (Schwert, 1989)."""
    return min(math.ceil(12.0 * (samples / 100.0) ** 0.25), samples // 2 - 1)


@kernel
def engle_granger(y: Frame, x: Frame, lags_max: int, chooses: bool) -> tuple[float, float, int, bool]:
    """Return the statistic, the hedge of the regression, the lags used, and whether there is a statistic.

    `chooses`: of 0 to `lags_max` lags those with the least Akaike criterion; otherwise exactly `lags_max`.
    There is no statistic where x does not move, or y is x in other units.
    """
    y, x = y - y[0], x - x[0]  # what stands still is then 0 without rounding
    y -= y.mean()
    x -= x.mean()
    xx = (x * x).sum()
    hedge = (x * y).sum() / xx
    residuals = y - hedge * x
    left = (residuals * residuals).sum() / (y * y).sum()
    if not (xx > 0.0 and left > 1.0 - COLLINEAR):
        return 0.0, 0.0, 0, False
    lags = choose_lags(residuals, lags_max) if chooses else lags_max
    statistic = dickey_fuller(residuals, lags)
    return statistic, hedge, lags, bool(np.isfinite(statistic) and np.isfinite(hedge))


@kernel
def choose_lags(r: Frame, lags_max: int) -> int:
    """The number of lags with the least Akaike criterion, on the samples that all of them have.

    One triangular form serves every number of lags: the models are nested.
    """
    rows = len(r) - 1 - lags_max
    a = np.empty((lags_max + 2, rows))
    a[0] = r[lags_max : len(r) - 1]
    for lag in range(1, lags_max + 2):  # the last one is the left-hand side
        back = lag if lag <= lags_max else 0
        a[lag] = r[lags_max + 1 - back : len(r) - back] - r[lags_max - back : len(r) - 1 - back]
    _triangulate(a)
    unexplained = (a[-1, lags_max + 1 :] ** 2).sum()
    best, least = 0, np.inf
    for lags in range(lags_max, -1, -1):
        criterion = rows * math.log(unexplained) + 2.0 * (lags + 1)
        if criterion <= least:
            best, least = lags, criterion
        unexplained += a[-1, lags] ** 2
    return best


@kernel
def dickey_fuller(r: Frame, lags: int) -> float:
    """The t-value of rho. Its column comes last, so that its coefficient is the last of the triangle."""
    rows = len(r) - 1 - lags
    a = np.empty((lags + 2, rows))
    for lag in range(1, lags + 1):
        a[lag - 1] = r[lags + 1 - lag : len(r) - lag] - r[lags - lag : len(r) - 1 - lag]
    a[lags] = r[lags : len(r) - 1]
    a[lags + 1] = r[lags + 1 :] - r[lags : len(r) - 1]
    diagonal = _triangulate(a)
    unexplained = (a[-1, lags + 1 :] ** 2).sum()
    return np.sign(diagonal) * a[-1, lags] / math.sqrt(unexplained / (rows - lags - 1))


@kernel
def _triangulate(a: Frame) -> float:
    """Bring the regressors, all rows of `a` but the last, to triangular form; return the last diagonal element.

    The left-hand side, the last row, is reflected with them.
    """
    diagonal = 0.0
    for j in range(len(a) - 1):
        v = a[j, j:]
        norm = math.sqrt((v * v).sum())
        diagonal = -norm if v[0] > 0.0 else norm
        v[0] -= diagonal
        half = (v * v).sum() / 2.0
        if half > 0.0:
            for c in range(j + 1, len(a)):
                u = a[c, j:]
                u -= (v * u).sum() / half * v
    return diagonal
