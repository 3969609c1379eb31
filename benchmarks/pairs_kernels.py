"""What is known of pairs at every quote: the compiled operators, NumPy event by event and plain Python.

All three do the same. Of every pair a quote touches, a Kalman filter takes in what the pair showed before, and so
does the rolling correlation of its legs; the new spread is measured by its prediction error's deviation. At the end
of bars each pair is sampled, and now and then half-life, Hurst exponent and cointegration (one lag) are computed from
the last samples. The two for comparison use the textbook's updates and keep nothing but the last figures.
"""

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks import market, pairs_numpy, pairs_python
from benchmarks.pairs_terms import BAR_NS, DELTA, FIGURES, NOISE, STEP, WINDOW
from operators.operator import Desk, Frames
from operators.pairs.cointegration import Cointegration
from operators.pairs.correlation import Correlation
from operators.pairs.pair_statistics import PairStatistics
from operators.pairs.spread import Spread
from schemas.record import Frame

FRAME = 2_048
SIZES = (50, 500, 5_000)
"""Pairs of the desks on which the growth of the cost is measured, on 200 instruments or as many as there are pairs."""


def measured(events: int = 400_000, rounds: int = 5) -> dict[str, Any]:
    """Quote events per second of each, how far their last figures are apart at most, and the growth with pairs."""
    desk, quotes = market.desk(), market.quotes(events)
    few = quotes[: events // 4]
    _compiled(desk, quotes[: len(quotes) // 4])
    fast_s = min(_timed(_compiled, desk, quotes)[0] for _ in range(rounds))
    numpy_s, by_numpy = _timed(pairs_numpy.followed, desk, few)
    python_s, by_python = _timed(pairs_python.followed, desk, few)
    ours = _compiled(desk, few)
    apart = np.maximum(np.abs(ours - by_numpy), np.abs(ours - np.array(by_python))) / (1.0 + np.abs(ours))
    return {
        "events_per_s": len(quotes) / fast_s,
        "numpy_events_per_s": len(few) / numpy_s,
        "numpy_ratio": len(quotes) / fast_s * numpy_s / len(few),
        "python_events_per_s": len(few) / python_s,
        "python_ratio": len(quotes) / fast_s * python_s / len(few),
        "difference": float(apart.max()),
        "ns_per_pair_touched": growth(events // 2, rounds),
    }


def growth(events: int, rounds: int) -> dict[str, float]:
    """Nanoseconds per pair touched, by the number of pairs of the desk."""
    found = {}
    for pairs in SIZES:
        desk = market.desk(pairs)
        quotes = market.quotes(events * 10 // max(1, 2 * pairs // market.SHARES))
        touches = np.bincount(np.array(desk.legs).ravel(), minlength=market.SHARES)[quotes["instrument"]].sum()
        _compiled(desk, quotes)
        found[f"{pairs} pairs"] = min(_timed(_compiled, desk, quotes)[0] for _ in range(rounds)) * 1e9 / touches
    return found


def _timed(run: Callable[[Desk, Frame], Any], desk: Desk, quotes: Frame) -> tuple[float, Any]:
    started_s = time.thread_time()
    found = run(desk, quotes)
    return time.thread_time() - started_s, found


def _compiled(desk: Desk, quotes: Frame) -> Frame:
    hedge = {"type": "kalman", "delta": DELTA, "noise": NOISE, "warm_up": 0}
    kalman = {"hedge": hedge, "zscore": {"type": "innovation"}, "every": "event"}
    window = {"every": BAR_NS, "window": WINDOW, "step": STEP}
    spread = Spread(Spread.Parameters.model_validate(kalman), desk)
    correlation = Correlation(Correlation.Parameters(every="event", window=WINDOW), desk)
    statistics = PairStatistics(PairStatistics.Parameters.model_validate(window), desk)
    gate = Cointegration(Cointegration.Parameters.model_validate(window | {"lags": 1}), desk)
    found = np.zeros((len(desk.pairs), len(FIGURES)))
    for start in range(0, len(quotes), FRAME):
        frames: Frames = {"quotes": quotes[start : start + FRAME]}
        spreads = spread.process(frames)
        _keep(found, spreads.get("spreads"), {"z": 0})
        _keep(found, correlation.process(frames).get("correlations"), {"correlation": 1})
        _keep(found, statistics.process({**frames, **spreads}).get("statistics"), {"half_life": 2, "hurst": 3})
        _keep(found, gate.process(frames).get("gates"), {"statistic": 4})
    return found


def _keep(found: Frame, rows: Any, columns: dict[str, int]) -> None:
    """The last row of a pair wins."""
    if rows is not None:
        for name, column in columns.items():
            found[rows["pair"], column] = rows[name]
