"""How many of many small p-values may be believed.

Of 124,750 pairs of unrelated walks 6,237 pass a test at 5 %. What is controlled instead is the false discovery
rate, the expected share of the pairs found that are not cointegrated (Y. Benjamini and Y. Hochberg, "Controlling
the false discovery rate", Journal of the Royal Statistical Society B 57, 1995). Pairs that share a leg are
dependent in ways nobody knows, and for those the rate holds with all p-values multiplied by 1 + 1/2 + … + 1/m
(Y. Benjamini and D. Yekutieli, "The control of the false discovery rate in multiple testing under dependency",
Annals of Statistics 29, 2001).
"""

import numpy as np

from schemas.record import Frame


def adjusted(p_values: Frame, tests: int, is_dependent: bool) -> Frame:
    """The p-values in view of all `tests`: a test is found at the rates from its adjusted value on, 1 at most.

    p-values of 1 may be left out.
    """
    order = np.argsort(p_values, kind="stable")
    penalty = float((1.0 / np.arange(1, tests + 1)).cumsum()[-1]) if is_dependent and tests else 1.0
    stepped = p_values[order] * (tests * penalty) / np.arange(1, len(order) + 1)
    least = np.minimum(np.minimum.accumulate(stepped[::-1])[::-1], 1.0)
    result = np.empty(len(order))
    result[order] = least
    return result
