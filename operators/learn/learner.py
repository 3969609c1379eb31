"""A River model that cannot stop the flow: what it raises ends its use, and is told."""

import math
import struct
from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import cache
from hashlib import blake2b
from typing import Any, NamedTuple

from operators.learn.canonical import canonical_bytes

_MEMORY = 500
"""Gains of the past are averaged with equal weights up to this many, then exponentially."""


class Opinion(NamedTuple):
    """What is expected of a trade: that it comes true, its gain and the deviation of the gain, in bps."""

    probability: float
    expected_bps: float
    risk_bps: float
    said: float
    """What the model itself said: the probability, or of a regressor the gain."""


class Moments:
    """Mean and variance of numbers as they come, the late ones counting more."""

    __slots__ = ("count", "mean", "variance")

    def __init__(self) -> None:
        self.count, self.mean, self.variance = 0, 0.0, 0.0

    def take(self, value: float) -> None:
        """Count a number in."""
        self.count += 1
        weight = max(1.0 / self.count, 1.0 / _MEMORY)
        off = value - self.mean
        self.mean += weight * off
        self.variance = (1.0 - weight) * (self.variance + weight * off * off)


class Learner(ABC):
    """One model, how much it has learned, and what became of the trades it was asked about.

    `failure` says what went wrong, and is empty while nothing did. A model that failed may be half updated: it is
    neither asked nor taught again. `digest`, 63 bits, is that of all it has learned, in order; each
    `digest_every` examples the model's whole state goes into it too.
    """

    def __init__(self, model: Any, fingerprint: int, digest_every: int) -> None:
        self.model = model
        self.fingerprint = fingerprint
        self.examples = 0
        self.failure = ""
        self._digest_every = digest_every
        self.digest = fingerprint

    def ask(self, x: dict[str, float]) -> Opinion | None:
        """Its opinion of a trade; None where it has failed, now or before, or knows too little for one."""
        if self.failure:
            return None
        try:
            said = self._say(x)
        except Exception as e:
            self.failure = f"{self._asking} raised {type(e).__name__} ({e})"
            return None
        if said is None:
            return None
        if not self._is_possible(said):
            self.failure = f"{self._asking} said {said!r}, which is no {self._saying}"
            return None
        return self._opinion(said)

    def learn(self, x: dict[str, float], outcome: int, gain_bps: float, opinion: Opinion | None) -> None:
        """Teach it what became of a trade; `opinion` is its own, from before."""
        if self.failure:
            return
        seen = _packer(len(x))(*x.values())  # before the model has its hands on them
        try:
            self._teach(x, outcome, gain_bps, opinion)
        except Exception as e:
            self.failure = f"learn_one raised {type(e).__name__} ({e})"
            return
        self.examples += 1
        state = canonical_bytes(self.model) if self.examples % self._digest_every == 0 else b""
        self.digest = _chained(self.digest, outcome, gain_bps, seen + state)

    _asking: str
    _saying: str

    @abstractmethod
    def _say(self, x: dict[str, float]) -> float | None:
        """What the model says; None where it says nothing."""

    @abstractmethod
    def _is_possible(self, said: float) -> bool:
        """Whether it may say so."""

    @abstractmethod
    def _teach(self, x: dict[str, float], outcome: int, gain_bps: float, opinion: Opinion | None) -> None:
        """Teach the model, and note how far off it was."""

    @abstractmethod
    def _opinion(self, said: float) -> Opinion | None:
        """What follows from what it said; None where too little is known for that."""


class ClassLearner(Learner):
    """A classifier: it says the probability; the gain follows from those of what came true and of what did not."""

    _asking, _saying = "predict_proba_one", "probability"

    def __init__(self, model: Any, fingerprint: int, digest_every: int) -> None:
        super().__init__(model, fingerprint, digest_every)
        self._gains = (Moments(), Moments())

    def _say(self, x: dict[str, float]) -> float | None:
        told = self.model.predict_proba_one(x)
        return float(told.get(True, 0.0)) if told else None

    def _is_possible(self, said: float) -> bool:
        return 0.0 <= said <= 1.0

    def _teach(self, x: dict[str, float], outcome: int, gain_bps: float, opinion: Opinion | None) -> None:
        self.model.learn_one(x, bool(outcome))
        self._gains[outcome].take(gain_bps)

    def _opinion(self, said: float) -> Opinion:
        lost, won = self._gains
        between = said * (1.0 - said) * (won.mean - lost.mean) ** 2
        variance = said * won.variance + (1.0 - said) * lost.variance + between
        return Opinion(said, said * won.mean + (1.0 - said) * lost.mean, math.sqrt(variance), said)


class ValueLearner(Learner):
    """A regressor: it says the gain; the probability that there is one takes its errors so far to be normal."""

    _asking, _saying = "predict_one", "gain"

    def __init__(self, model: Any, fingerprint: int, digest_every: int) -> None:
        super().__init__(model, fingerprint, digest_every)
        self._errors = Moments()

    def _say(self, x: dict[str, float]) -> float | None:
        return float(self.model.predict_one(x))

    def _is_possible(self, said: float) -> bool:
        return math.isfinite(said)

    def _teach(self, x: dict[str, float], outcome: int, gain_bps: float, opinion: Opinion | None) -> None:
        said = float(self.model.predict_one(x)) if opinion is None else opinion.said
        self._errors.take(gain_bps - said)
        self.model.learn_one(x, gain_bps)

    def _opinion(self, said: float) -> Opinion | None:
        risk = math.sqrt(self._errors.variance + self._errors.mean**2)
        if risk == 0.0:
            return None
        return Opinion(0.5 * math.erfc(-said / (risk * math.sqrt(2.0))), said, risk, said)


@cache
def _packer(values: int) -> Callable[..., bytes]:
    """Writes so many numbers as bytes."""
    return struct.Struct(f">{values}d").pack


_pack_outcome = struct.Struct(">qqd").pack


def _chained(digest: int, outcome: int, gain_bps: float, seen: bytes) -> int:
    """The digest after one more example; `seen` are its features, and where it is given the state that it led to."""
    example = _pack_outcome(digest, outcome, gain_bps) + seen
    return int.from_bytes(blake2b(example, digest_size=8).digest(), "big") >> 1
