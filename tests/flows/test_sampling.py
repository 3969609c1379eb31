"""Sampling keeps the first row of each key and interval, whatever the cut."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from flows.sampling import Sampler
from schemas.market import QUOTES
from schemas.record import Frame

ROWS = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 3)), max_size=60)


def frame_of(steps: list[tuple[int, int]]) -> Frame:
    frame = np.zeros(len(steps), QUOTES.dtype)
    frame["cause"] = np.arange(len(steps))
    frame["ts"] = np.cumsum([0, *(step for step, _ in steps)])[: len(steps)]
    frame["instrument"] = [key for _, key in steps]
    return frame


@given(ROWS, st.integers(1, 40), st.integers(1, 60))
def test_first_of_every_interval_and_key(steps: list[tuple[int, int]], every_ns: int, cut: int) -> None:
    frame = frame_of(steps)
    expected, seen = [], set()
    for row in frame:
        key = (int(row["instrument"]), int(row["ts"]) // every_ns)
        if key not in seen:
            seen.add(key)
            expected.append(int(row["cause"]))
    sampler = Sampler(QUOTES, every_ns, 4)
    taken = []
    for start in range(0, len(frame), cut):
        resumed = Sampler(QUOTES, every_ns, 4)
        resumed.restore(sampler.snapshot())
        taken += resumed.take(frame[start : start + cut])["cause"].tolist()
        sampler = resumed
    assert taken == expected
