"""How long to wait before a connection is tried again, so that many that broke together do not come back together."""

import random

_NS_PER_S = 10**9


class BackOff:
    """Waits that double from `first_ns` up to `most_ns`, each drawn evenly from the upper half of itself.

    The jitter comes from `rng`. `reset` starts over, once a connection has proved itself.
    """

    def __init__(self, first_ns: int, most_ns: int, rng: random.Random) -> None:
        self._first_ns, self._most_ns, self._rng = first_ns, most_ns, rng
        self._next_ns = first_ns

    def next_s(self) -> float:
        """Seconds to wait this time."""
        wait_ns = min(self._next_ns, self._most_ns)
        self._next_ns = min(2 * wait_ns, self._most_ns)
        return wait_ns * self._rng.uniform(0.5, 1.0) / _NS_PER_S

    def reset(self) -> None:
        """The next wait is the first again."""
        self._next_ns = self._first_ns
