"""The operators, NumPy event by event and plain Python find the same of 500 pairs, each its own way."""

import numpy as np

from benchmarks import market, pairs_kernels, pairs_numpy, pairs_python
from benchmarks.pairs_terms import BAR_NS, STEP, WINDOW


def test_three_ways_find_the_same() -> None:
    desk = market.desk()
    quotes = market.quotes(45_000)
    assert (quotes["ts"][-1] - quotes["ts"][0]) // BAR_NS > WINDOW + STEP
    ours = pairs_kernels._compiled(desk, quotes)
    known = (ours != 0).mean(axis=0)
    assert min(known[[0, 1, 3, 4]]) > 0.95
    assert known[2] > 0.3, "many spreads of a filter that follows closely have no half-life"
    np.testing.assert_allclose(ours, pairs_numpy.followed(desk, quotes), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(ours, np.array(pairs_python.followed(desk, quotes)), rtol=1e-9, atol=1e-9)
