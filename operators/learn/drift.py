"""What is done where the errors of a model rise."""

import pickle
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from operators.learn.parameters import Drift
from operators.learn.score import Told
from schemas.learn import PredictionState

_LATEST = 30
"""Errors whose mean is compared with that of all: a detector also sees errors that fall, and those are welcome."""


class Alarm(NamedTuple):
    """Mean errors before a drift and at it."""

    before: float
    after: float


class Watch:
    """A drift detector on the errors of one model, and for how many outcomes something is still done.

    `detector` is a fresh detector, pickled: it starts anew after each alarm, and whatever it raises ends its use.
    """

    def __init__(self, declared: Drift, detector: bytes) -> None:
        self._declared = declared
        self._fresh = detector
        self.left = 0
        self.failure = ""
        self.restart()

    def restart(self) -> None:
        """Watch a model of which nothing is known yet."""
        self._detector = pickle.loads(self._fresh)
        self._latest: deque[float] = deque(maxlen=_LATEST)
        self._sum, self._count = 0.0, 0

    @property
    def size(self) -> float:
        """What sizes are multiplied by."""
        return self._declared.size if self.left else 1.0

    @property
    def state(self) -> int:
        """The bits that predictions carry for it."""
        if not self.left:
            return 0
        rule = PredictionState.RULE if self._declared.then == "rule" else 0
        return int(rule | (PredictionState.PAUSED if self._declared.size == 0.0 else 0))

    def passed(self) -> bool:
        """One more outcome is known, or several decided together; True where what was done is over with it."""
        if not self.left:
            return False
        self.left -= 1
        return self.left == 0

    def update(self, told: Sequence[Told]) -> Alarm | None:
        """Show the detector what opinions decided together were worth, as one. An alarm where errors have risen."""
        if self.failure or not told:
            return None
        error = sum(map(_ERRORS[self._declared.error], told)) / len(told)
        self._latest.append(error)
        self._sum += error
        self._count += 1
        try:
            self._detector.update(error >= 0.5 if self._declared.error == "wrong" else error)
            is_drift = bool(self._detector.drift_detected)
        except Exception as e:
            self.failure = f"drift detector raised {type(e).__name__} ({e})"
            return None
        if not is_drift:
            return None
        found = Alarm(self._sum / self._count, sum(self._latest) / len(self._latest))
        if found.after <= found.before:
            return None
        self.restart()
        self.left = self._declared.outcomes
        return found


_ERRORS: Mapping[str, Callable[[Told], float]] = {
    "brier": lambda told: (told.probability - told.outcome) ** 2,
    "wrong": lambda told: float((told.probability >= 0.5) != bool(told.outcome)),
    "loss": lambda told: -told.gain_bps if told.expected_bps > 0.0 else 0.0,
}
