"""What a snapshot keeps of the windows of all pairs: the samples. Their moments are computed again.

Windows are most of a desk's state, and a checkpoint copies it whole: what need not be written is time won. Mid prices
are multiples of half a tick, so that samples of them are kept as small integers, provided that every one of them comes
back bit for bit.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from operators.kernel import State, kernel
from operators.pairs import deviation, regression
from operators.pairs.deviation import SPREAD_SLOT, values_of
from operators.pairs.regression import LINE_SLOT, SAMPLE, samples_of
from schemas.record import Frame

_HALVES_MAX = (1 << 31) - 1


def packed_windows(state: State, ticks: Frame, legs: Frame) -> dict[str, Frame]:
    """A snapshot of the spread operator's tables, with samples in the place of `lines` and `spreads`.

    `ticks` are those of the instruments, `legs` y and x of every pair, one after the other.
    """
    lines, spreads = state["lines"], state["spreads"]
    values, halves = np.empty(len(spreads)), np.empty(2 * len(lines), np.int32)
    values_of(spreads, values)
    if _count_halves(lines, ticks, legs, halves):
        return state.snapshot(lines=halves, spreads=values)
    samples = np.empty(len(lines), SAMPLE)
    samples_of(lines, samples)
    return state.snapshot(lines=samples, spreads=values)


def unpacked_windows(kept: Mapping[str, Any], terms: Any, ticks: Frame, legs: Frame) -> dict[str, Frame]:
    """The tables that `packed_windows` made `kept` of; `terms` are the operator's parameters."""
    tables = dict(kept)
    samples, values, statistics = kept["lines"], kept["spreads"], np.ascontiguousarray(kept["statistics"])
    if samples.dtype == np.int32:
        halves, samples = samples, np.empty(len(samples) // 2, SAMPLE)
        _take_halves(halves, ticks, legs, samples)
    tables["lines"] = np.zeros(len(samples), LINE_SLOT)
    tables["spreads"] = np.zeros(len(values), SPREAD_SLOT)
    if len(samples):
        is_fitted, window = bool(terms["fit_intercept"]), int(terms["hedge_window"])
        regression.ring_of(samples, statistics, window, is_fitted, tables["lines"])
    if len(values):
        deviation.ring_of(values, statistics, int(terms["spread_window"]), tables["spreads"])
    return tables


@kernel
def _count_halves(lines: Any, ticks: Any, legs: Any, halves: Any) -> bool:
    """Every sample in halves of its instrument's tick, x before y; False where one cannot be."""
    window = 2 * len(lines) // len(legs)
    for p in range(len(legs) // 2):
        tick_y, tick_x = ticks[legs[2 * p]], ticks[legs[2 * p + 1]]
        per_y, per_x = 2.0 / tick_y, 2.0 / tick_x
        for i in range(p * window, (p + 1) * window):
            x, y = np.rint(lines[i].x * per_x), np.rint(lines[i].y * per_y)
            is_exact = x * 0.5 * tick_x == lines[i].x and y * 0.5 * tick_y == lines[i].y
            if not (is_exact and abs(x) <= _HALVES_MAX and abs(y) <= _HALVES_MAX):
                return False
            halves[2 * i], halves[2 * i + 1] = np.int32(x), np.int32(y)
    return True


@kernel
def _take_halves(halves: Any, ticks: Any, legs: Any, samples: Any) -> None:
    window = 2 * len(samples) // len(legs)
    for p in range(len(legs) // 2):
        tick_y, tick_x = ticks[legs[2 * p]], ticks[legs[2 * p + 1]]
        for i in range(p * window, (p + 1) * window):
            samples[i].x = float(halves[2 * i]) * 0.5 * tick_x
            samples[i].y = float(halves[2 * i + 1]) * 0.5 * tick_y
