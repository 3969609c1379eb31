"""Spreads at a Kalman hedge, sampled at every quote: the compiled operator, NumPy and plain Python.

All three do the same: of every pair a quote touches, the filter takes in what the pair showed before, and
the new spread is measured by its prediction error's deviation. The two for comparison use the textbook's
covariance update and keep nothing but the last z of each pair.
"""

import math
import time
from collections.abc import Callable

import numpy as np

from benchmarks import market
from operators.operator import Desk
from operators.pairs.spread import Spread
from schemas.record import Frame

DELTA, NOISE = 1e-4, 1e-3
FRAME = 2_048
_WALK = DELTA / (1 - DELTA)


def measured(events: int = 400_000, rounds: int = 3) -> dict[str, float]:
    """Quote events per second of each, and how far the last z-scores are apart at most."""
    desk, quotes = market.desk(), market.quotes(events)
    few = quotes[: events // 20]
    _compiled(desk, quotes[:FRAME])
    fast_s = min(_timed(_compiled, desk, quotes)[0] for _ in range(rounds))
    numpy_s, numpy_z = _timed(_numpy, desk, few)
    python_s, python_z = _timed(_python, desk, few)
    z = _compiled(desk, few)
    return {
        "events_per_s": len(quotes) / fast_s,
        "numpy_events_per_s": len(few) / numpy_s,
        "python_events_per_s": len(few) / python_s,
        "z_difference": max(float(np.abs(z - numpy_z).max()), float(np.abs(z - python_z).max())),
    }


def _timed(run: Callable[[Desk, Frame], Frame], desk: Desk, quotes: Frame) -> tuple[float, Frame]:
    started_s = time.perf_counter()
    z = run(desk, quotes)
    return time.perf_counter() - started_s, z


def _compiled(desk: Desk, quotes: Frame) -> Frame:
    hedge = {"type": "kalman", "delta": DELTA, "noise": NOISE, "warm_up": 0}
    parameters = {"hedge": hedge, "zscore": {"type": "innovation"}, "every": "event"}
    spread = Spread(Spread.Parameters.model_validate(parameters), desk)
    z = np.zeros(len(desk.pairs))
    for start in range(0, len(quotes), FRAME):
        rows = spread.process({"quotes": quotes[start : start + FRAME]}).get("spreads")
        if isinstance(rows, np.ndarray):
            z[rows["pair"]] = rows["z"]
    return z


def _numpy(desk: Desk, quotes: Frame) -> Frame:
    """Event by event, the touched pairs at once."""
    legs = np.array(desk.legs)
    touched = [np.flatnonzero((legs == i).any(axis=1)) for i in range(len(desk.instruments))]
    mids = np.full(len(desk.instruments), np.nan)
    state = np.zeros((6, len(legs)))  # slope, level, r11, r12, r22, z
    state[0] = 1.0
    for instrument, bid, ask in zip(quotes["instrument"], quotes["bid"], quotes["ask"], strict=True):
        pairs = touched[instrument]
        y, x = mids[legs[pairs, 0]], mids[legs[pairs, 1]]
        known = ~np.isnan(y + x)
        if known.any():
            taking, y, x = pairs[known], y[known], x[known]
            slope, level, r11, r12, r22, _ = state[:, taking]
            g, h = r11 * x + r12, r12 * x + r22
            q = g * x + h + NOISE
            e = y - slope * x - level
            state[0, taking] = slope + g / q * e
            state[1, taking] = level + h / q * e
            state[2, taking] = r11 - g * g / q + _WALK
            state[3, taking] = r12 - g * h / q
            state[4, taking] = r22 - h * h / q + _WALK
        mids[instrument] = (bid + ask) * 0.005
        y, x = mids[legs[pairs, 0]], mids[legs[pairs, 1]]
        slope, level, r11, r12, r22, _ = state[:, pairs]
        state[5, pairs] = (y - slope * x - level) / np.sqrt((r11 * x + 2 * r12) * x + r22 + NOISE)
    return np.nan_to_num(state[5])


def _python(desk: Desk, quotes: Frame) -> Frame:
    """Floats and lists."""
    legs = desk.legs
    touched = [[p for p, pair in enumerate(legs) if i in pair] for i in range(len(desk.instruments))]
    mids: list[float | None] = [None] * len(desk.instruments)
    states = [[1.0, 0.0, 0.0, 0.0, 0.0, 0.0] for _ in legs]
    columns = (quotes[name].tolist() for name in ("instrument", "bid", "ask"))
    for instrument, bid, ask in zip(*columns, strict=True):
        was, now = mids[instrument], (bid + ask) * 0.005
        mids[instrument] = now
        for p in touched[instrument]:
            state = states[p]
            i, j = legs[p]
            y, x = mids[i], mids[j]
            if y is None or x is None:
                continue
            slope, level, r11, r12, r22, _ = state
            if was is not None:
                old_y, old_x = (was, x) if i == instrument else (y, was)
                g, h = r11 * old_x + r12, r12 * old_x + r22
                q = g * old_x + h + NOISE
                e = (old_y - slope * old_x - level) / q
                slope += g * e
                level += h * e
                r11 += _WALK - g * g / q
                r12 -= g * h / q
                r22 += _WALK - h * h / q
            state[:] = (
                slope,
                level,
                r11,
                r12,
                r22,
                (y - slope * x - level) / math.sqrt((r11 * x + 2 * r12) * x + r22 + NOISE),
            )
    return np.array([state[5] for state in states])
