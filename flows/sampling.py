"""Sampling of dense streams: one row per key and interval of the desk clock, the first of each."""

from typing import Any

import numpy as np

from operators.kernel import kernel
from schemas.record import Frame, Schema


@kernel
def _first_of_interval(keys: Any, ts: Any, every_ns: int, due: Any, chosen: Any) -> int:
    n = 0
    for i in range(len(keys)):
        if ts[i] >= due[keys[i]]:
            due[keys[i]] = (ts[i] // every_ns + 1) * every_ns
            chosen[n] = i
            n += 1
    return n


class Sampler:
    """Keeps the first row of every interval for each value of the schema's `by` column."""

    def __init__(self, schema: Schema, every_ns: int, keys: int) -> None:
        self._by = schema.by
        self._every_ns = every_ns
        self._due = np.zeros(max(keys, 1), np.int64)
        self._chosen = np.empty(0, np.int64)

    def take(self, frame: Frame) -> Frame:
        """The rows of `frame` to keep."""
        if len(frame) > len(self._chosen):
            self._chosen = np.empty(2 * len(frame), np.int64)
        keys = frame[self._by] if self._by else np.zeros(len(frame), np.int32)
        n = _first_of_interval(keys, frame["ts"], self._every_ns, self._due, self._chosen)
        return frame[self._chosen[:n]] if n else frame[:0]

    def snapshot(self) -> Frame:
        """When the next row is due, by key."""
        return self._due.copy()

    def restore(self, due: Frame) -> None:
        """Go on from a snapshot."""
        self._due = due.copy()
