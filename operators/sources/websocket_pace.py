"""Limits of a venue on how often something may be done: so many times in so many seconds."""

import threading
from collections import deque
from typing import NamedTuple


class Limit(NamedTuple):
    """At most `times` times in any `seconds`."""

    times: int
    seconds: float


class Pace:
    """Says when the next one may be. Several threads may ask: each gets a time of its own."""

    def __init__(self, limit: Limit) -> None:
        self._limit = limit
        self._taken: deque[float] = deque(maxlen=limit.times)
        self._lock = threading.Lock()

    def take(self, now_s: float) -> float:
        """Seconds from `now_s` until it may be done; the place is taken."""
        with self._lock:
            at = now_s
            if len(self._taken) == self._limit.times:
                at = max(at, self._taken[0] + self._limit.seconds)
            if self._taken:
                at = max(at, self._taken[-1])
            self._taken.append(at)
            return at - now_s
