"""Quotes and the spreads measured on them, for the contract suite and for trying the operator out."""

import numpy as np

from operators.operator import Example
from operators.pairs.example import example_desk, example_quotes
from operators.pairs.spread import Spread
from schemas.record import Frame


def statistics_example(seed: int) -> Example:
    """Spreads of twenty pairs that jump, halt and fall silent, at a hedge that moves."""
    desk, quotes = example_desk(seed), example_quotes(seed, 3000)
    hedge, zscore = {"type": "kalman", "warm_up": 5}, {"type": "innovation"}
    spread = Spread(Spread.Parameters.model_validate({"hedge": hedge, "zscore": zscore, "every": "100ms"}), desk)
    spreads = spread.process({"quotes": quotes})["spreads"]
    assert isinstance(spreads, np.ndarray)
    measured: Frame = spreads.copy()
    return Example(desk, {"every": "100ms", "window": 32, "step": 5}, {"quotes": quotes, "spreads": measured})
