"""A universe of 500 symbols, of which all 124,750 pairs are screened at the end of every bar."""

import time

import numpy as np

from operators.pairs.discovery import Discovery
from operators.pairs.discovery_example import universe_desk, universe_quotes

SYMBOLS, WINDOW, LAGS = 500, 300, 8


def measured(screenings: int = 5) -> dict[str, float]:
    """Seconds of one core for a bar of a quote per symbol and the screening at its end: the median and the longest."""
    desk = universe_desk(SYMBOLS)
    parameters = {"every": "1s", "window": WINDOW, "step": 1, "lags": LAGS}
    discovery = Discovery(Discovery.Parameters.model_validate(parameters), desk)
    quotes = universe_quotes(1, SYMBOLS, WINDOW + screenings + 2, WINDOW)
    discovery.process({"quotes": quotes[: (WINDOW + 1) * SYMBOLS]})
    taken_s = []
    for k in range(1, screenings + 1):
        bar = quotes[(WINDOW + k) * SYMBOLS : (WINDOW + k + 1) * SYMBOLS]
        started_s = time.thread_time()
        found = discovery.process({"quotes": bar})
        taken_s.append(time.thread_time() - started_s)
        assert len(found["screenings"]) == 1
    return {"pairs": len(desk.pairs), "s_per_bar": float(np.median(taken_s)), "s_per_bar_max": max(taken_s)}
