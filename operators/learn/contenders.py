"""The models that compete for one place: one is live, the others are asked and taught the same in its shadow."""

import math
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from operators.learn.drift import Watch
from operators.learn.learner import Learner, Opinion
from operators.learn.parameters import Promotion
from operators.learn.score import Score, Told, log_loss, score
from schemas.learn import ModelEventKind

Opinions = tuple[Opinion | None, ...]
"""Of every model, in order; None where it had none."""


class Decided(NamedTuple):
    """An outcome, and what was thought of it before."""

    opinions: Opinions
    outcome: int
    gain_bps: float

    def of(self, k: int) -> Told | None:
        """The opinion of model `k` and what came of it; None where it had none."""
        opinion = self.opinions[k]
        if opinion is None:
            return None
        return Told(opinion.probability, self.outcome, opinion.expected_bps, self.gain_bps)


_LOSSES: Mapping[str, Callable[[Told], float]] = {
    "log_loss": lambda told: log_loss(told.probability, told.outcome),
    "brier": lambda told: (told.probability - told.outcome) ** 2,
    "gain": lambda told: -told.gain_bps if told.expected_bps > 0.0 else 0.0,
}


class Happened(NamedTuple):
    """Something that became of the live model; see the columns of `schemas.learn.MODEL_EVENTS`."""

    kind: ModelEventKind
    before: float
    after: float
    size: float
    model: int


class Validated(NamedTuple):
    """A score of model number `model` on a group of pairs, over so many outcomes."""

    model: int
    group: str
    outcomes: int
    score: Score


class Contenders:
    """Models in their declared order, which of them is live, and how they compare.

    `fresh` makes model number k anew; it is no part of the state and comes with each call that may need it.
    """

    def __init__(self, learners: Sequence[Learner], watch: Watch | None, promotion: Promotion | None) -> None:
        self.learners = list(learners)
        self.live = 0
        self.watch = watch
        self._failures_told: set[tuple[int, str]] = set()
        self._promotion = promotion
        self._told: dict[tuple[int, str], list[Told]] = {}
        self._losses: list[deque[float]] = self._no_losses()

    def ask(self, x: dict[str, float], warm_up: int) -> Opinions:
        """What each model expects; None of those that have learned fewer examples than `warm_up`."""
        told = [learner.ask(x.copy()) for learner in self.learners]
        return tuple([o if its.examples >= warm_up else None for its, o in zip(self.learners, told, strict=True)])

    def learn(self, x: dict[str, float], decided: Decided) -> None:
        """Teach every model what became of a trade."""
        for learner, opinion in zip(self.learners, decided.opinions, strict=True):
            learner.learn(x.copy(), decided.outcome, decided.gain_bps, opinion)

    def validate(self, decided: Decided, group: str, every: int) -> list[Validated]:
        """Note what opinions were worth; a score of each model with `every` outcomes of the group."""
        found = []
        for k in range(len(self.learners)):
            opinion = decided.of(k)
            if opinion is None:
                continue
            told = self._told.setdefault((k, group), [])
            told.append(opinion)
            if len(told) >= every:
                found.append(Validated(k, group, len(told), score(told)))
                told.clear()
        return found

    def judge(self, decided: Sequence[Decided], fresh: Callable[[int], Learner], resets: bool) -> list[Happened]:
        """Act on a drift of the live model, and let a better one take its place.

        `decided` are the outcomes that one row has decided for one pair: they say the same, and count as one.
        """
        happened = []
        if self.watch is not None:
            if self.watch.passed():
                happened.append(self._happened(ModelEventKind.CALM))
            told = [d.of(self.live) for d in decided]
            alarm = self.watch.update([t for t in told if t is not None])
            if alarm is not None:
                if resets:
                    self.learners[self.live] = fresh(self.live)
                happened.append(self._happened(ModelEventKind.DRIFT, *alarm))
        promoted = self._compare(decided)
        return happened if promoted is None else [*happened, promoted]

    def _compare(self, decided: Sequence[Decided]) -> Happened | None:
        """Whether a model from the shadow has been better for long enough; a model that failed is the worst of all."""
        if self._promotion is None:
            return None
        sound = [k for k, learner in enumerate(self.learners) if not learner.failure]
        losses = [self._mean_loss(k, decided) for k in sound]
        known = [loss for loss in losses if loss is not None]
        if not sound or len(known) < len(sound):
            return None
        for k, loss in zip(sound, known, strict=True):
            self._losses[k].append(loss)
        if len(self._losses[sound[0]]) < self._promotion.outcomes:
            return None
        means = {k: sum(self._losses[k]) / len(self._losses[k]) for k in sound}
        best = min(means, key=means.__getitem__)
        live = means.get(self.live, math.inf)
        if not means[best] < live - self._promotion.margin:
            return None
        self.live, self._losses = best, self._no_losses()
        if self.watch is not None:
            self.watch.restart()
            self.watch.left = 0
        return self._happened(ModelEventKind.PROMOTED, means[best] if math.isinf(live) else live, means[best])

    def _mean_loss(self, k: int, decided: Sequence[Decided]) -> float | None:
        """Of model `k`; None where it had no opinion of one of them."""
        told = [d.of(k) for d in decided]
        assert self._promotion is not None
        measure = _LOSSES[self._promotion.measure]
        return None if None in told else sum(measure(t) for t in told if t is not None) / len(told)

    @property
    def have_failed(self) -> bool:
        """Whether a model or the detector has failed, now or before."""
        for learner in self.learners:
            if learner.failure:
                return True
        return self.watch is not None and self.watch.failure != ""

    def untold_failures(self) -> list[tuple[int, str]]:
        """Number and failure of each model that has failed since the last call; a detector's is the live one's."""
        found = [(k, learner.failure) for k, learner in enumerate(self.learners) if learner.failure]
        if self.watch is not None and self.watch.failure:
            found.append((self.live, self.watch.failure))
        untold = [failure for failure in found if failure not in self._failures_told]
        self._failures_told.update(untold)
        return untold

    def _happened(self, kind: ModelEventKind, before: float = 0.0, after: float = 0.0) -> Happened:
        return Happened(kind, before, after, self.watch.size if self.watch else 1.0, self.live)

    def _no_losses(self) -> list[deque[float]]:
        length = self._promotion.outcomes if self._promotion else 0
        return [deque(maxlen=length) for _ in self.learners]
