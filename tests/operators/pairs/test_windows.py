"""What a snapshot keeps of the windows is enough for the same rows, bit for bit, and is all that it keeps."""

import pickle
from typing import Any

import numpy as np
import pytest

from operators.pairs.example import spread_example
from operators.pairs.spread import Spread

WINDOWS: dict[str, Any] = {"hedge": {"type": "rolling", "window": 40}, "zscore": {"type": "rolling", "window": 25}}


def spread(intercept: bool = True, price: str = "mid") -> tuple[Spread, Any]:
    """The operator and its input, with windows that are filled several times over."""
    example = spread_example(1)
    hedge = {**WINDOWS["hedge"], "intercept": intercept}
    parameters = Spread.Parameters.model_validate({**WINDOWS, "hedge": hedge, "every": "event", "price": price})
    return Spread(parameters, example.desk), example.frames["quotes"]


@pytest.mark.parametrize(("intercept", "price"), [(True, "mid"), (False, "mid"), (True, "log_mid")])
@pytest.mark.parametrize("stop", [30, 500, 1111, 2000])
def test_rows_go_on_bit_for_bit(stop: int, intercept: bool, price: str) -> None:
    one, quotes = spread(intercept, price)
    other, _ = spread(intercept, price)
    assert len(quotes) > stop + 100
    one.process({"quotes": quotes[:stop]})
    other.restore(pickle.loads(pickle.dumps(one.snapshot())))
    rows = [operator.process({"quotes": quotes[stop:]})["spreads"].tobytes() for operator in (one, other)]
    assert rows[0] == rows[1]


def test_the_moments_that_are_still_read_are_the_same_again() -> None:
    one, quotes = spread()
    one.process({"quotes": quotes[:1500]})
    other, _ = spread()
    other.restore(one.snapshot())
    for p, statistics in enumerate(one.state["statistics"]):
        for name, window, at in (("lines", 40, "line_next"), ("spreads", 25, "next")):
            read = slice(p * window + int(statistics[at]) + 1, (p + 1) * window)
            assert one.state[name][read].tobytes() == other.state[name][read].tobytes()
    assert (one.state["statistics"]["samples"] == 40).any()


@pytest.mark.parametrize(("price", "slot_bytes"), [("mid", 8), ("log_mid", 16)])
def test_only_samples_are_kept_and_mids_as_small_integers(price: str, slot_bytes: int) -> None:
    operator, quotes = spread(price=price)
    operator.process({"quotes": quotes[:1500]})
    kept, held = operator.snapshot(), operator.state
    assert kept["lines"].nbytes == slot_bytes * len(held["lines"])
    assert kept["spreads"].nbytes == 8 * len(held["spreads"])


def test_a_price_beyond_small_integers_is_kept_as_it_is() -> None:
    one, quotes = spread()
    far = quotes[:900].copy()
    far["bid"] += 1 << 31
    far["ask"] += 1 << 31
    one.process({"quotes": far})
    kept = one.snapshot()
    assert kept["lines"].dtype != np.int32
    other, _ = spread()
    other.restore(kept)
    assert np.array_equal(other.state["lines"]["x"], one.state["lines"]["x"])
