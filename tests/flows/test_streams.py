"""Several writers of one stream are merged by cause."""

import numpy as np

from flows.streams import Streams, merged
from schemas.market import FEED_EVENTS


def frame(*rows: tuple[int, int]) -> np.ndarray:
    out = np.zeros(len(rows), FEED_EVENTS.dtype)
    out["cause"], out["first"] = zip(*rows, strict=True)
    return out


def test_rows_are_ordered_by_cause_then_by_writer() -> None:
    streams: Streams = {("a", "f"): frame((1, 10), (3, 11), (3, 12)), ("b", "f"): frame((1, 20), (2, 21), (3, 22))}
    joined = merged(streams, [("a", "f"), ("b", "f"), ("c", "f")])
    assert joined is not None
    assert joined["first"].tolist() == [10, 20, 21, 11, 12, 22]


def test_one_writer_is_handed_on_as_it_is() -> None:
    only = frame((1, 1))
    assert merged({("a", "f"): only}, [("a", "f"), ("b", "f")]) is only
    assert merged({}, [("a", "f"), ("b", "f")]) is None
