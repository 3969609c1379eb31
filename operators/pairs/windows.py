"""What a snapshot keeps of the windows of all pairs: the samples. Their moments are computed again.

Windows are most of a desk's state, and a checkpoint copies it whole: what need not be written is time won.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from operators.kernel import State
from operators.pairs import deviation, regression
from operators.pairs.deviation import SPREAD_SLOT, values_of
from operators.pairs.regression import LINE_SLOT, SAMPLE, samples_of
from schemas.record import Frame


def packed_windows(state: State) -> dict[str, Frame]:
    """A snapshot of the spread operator's tables, with samples in the place of `lines` and `spreads`."""
    samples = np.empty(len(state["lines"]), SAMPLE)
    values = np.empty(len(state["spreads"]))
    samples_of(state["lines"], samples)
    values_of(state["spreads"], values)
    return state.snapshot(lines=samples, spreads=values)


def unpacked_windows(kept: Mapping[str, Any], terms: Any) -> dict[str, Frame]:
    """The tables that `packed_windows` made `kept` of; `terms` are the operator's parameters."""
    tables = dict(kept)
    samples, values, statistics = kept["lines"], kept["spreads"], np.ascontiguousarray(kept["statistics"])
    tables["lines"] = np.zeros(len(samples), LINE_SLOT)
    tables["spreads"] = np.zeros(len(values), SPREAD_SLOT)
    if len(samples):
        is_fitted, window = bool(terms["fit_intercept"]), int(terms["hedge_window"])
        regression.ring_of(samples, statistics, window, is_fitted, tables["lines"])
    if len(values):
        deviation.ring_of(values, statistics, int(terms["spread_window"]), tables["spreads"])
    return tables
