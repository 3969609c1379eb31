"""Sampling of dense streams: one row per key and interval of the desk clock, the first of each."""

from typing import Any

import numpy as np

from operators.kernel import kernel
from schemas.record import Frame, Schema


@kernel
def _first_of_interval(keys: Any, ts: Any, every_ns: int, seen: Any, chosen: Any) -> int:
    n = 0
    for i in range(len(keys)):
        interval = ts[i] // every_ns
        if seen[keys[i]] < interval:
            seen[keys[i]] = interval
            chosen[n] = i
            n += 1
    return n


class Sampler:
    """Keeps the first row of every interval for each value of the schema's `by` column."""

    def __init__(self, schema: Schema, every_ns: int, keys: int) -> None:
        self._by = schema.by
        self._every_ns = every_ns
        self._seen = np.full(max(keys, 1), -1, np.int64)
        self._chosen = np.empty(0, np.int64)

    def take(self, frame: Frame) -> Frame:
        """The rows of `frame` to keep."""
        if len(frame) > len(self._chosen):
            self._chosen = np.empty(2 * len(frame), np.int64)
        keys = frame[self._by] if self._by else np.zeros(len(frame), np.int32)
        n = _first_of_interval(keys, frame["ts"], self._every_ns, self._seen, self._chosen)
        return frame[self._chosen[:n]]

    def snapshot(self) -> Frame:
        """The last interval kept, by key."""
        return self._seen.copy()

    def restore(self, seen: Frame) -> None:
        """Go on from a snapshot."""
        self._seen = seen.copy()
