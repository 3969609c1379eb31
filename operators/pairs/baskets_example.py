"""Baskets over a universe in which some instruments go together for a while, for the contract suite."""

from operators.operator import Example
from operators.pairs.discovery_example import universe_desk, universe_quotes

_SYMBOLS = 8


def baskets_example(seed: int) -> Example:
    """Two instruments that part at the turn, three of which two come together there, and two that never do."""
    baskets = [
        {"id": "parting", "instruments": ["U1", "U0"]},
        {"id": "meeting", "instruments": ["U2", "U3", "U5"]},
        {"id": "strangers", "instruments": ["U6", "U4"]},
    ]
    parameters = {"baskets": baskets, "every": "1s", "window": 80, "step": 5}
    return Example(universe_desk(_SYMBOLS), parameters, {"quotes": universe_quotes(seed, _SYMBOLS, 240, 120)})
