"""The models that compete for one place: one is live, the others are asked and taught the same in its shadow."""

import math
from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

from operators.learn.drift import Watch
from operators.learn.learner import Learner, Opinion
from operators.learn.parameters import Promotion
from operators.learn.score import Score, Told, log_loss, score
from schemas.learn import ModelEventKind

Opinions = tuple[Opinion | None, ...]
"""Of every model, in order; None where it had none."""


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
        self.failed = 0
        """Bits of the models whose failure has been told."""
        self._promotion = promotion
        self._told: dict[tuple[int, str], list[Told]] = {}
        self._losses: list[deque[float]] = self._no_losses()

    def ask(self, x: dict[str, float]) -> Opinions:
        """What each model expects."""
        return tuple([learner.ask(x.copy()) for learner in self.learners])

    def learn(self, x: dict[str, float], opinions: Opinions, outcome: int, gain_bps: float) -> None:
        """Teach every model what became of a trade."""
        for learner, opinion in zip(self.learners, opinions, strict=True):
            learner.learn(x.copy(), outcome, gain_bps, opinion)

    def validate(self, opinions: Opinions, outcome: int, gain_bps: float, group: str, every: int) -> list[Validated]:
        """Note what opinions were worth; a score of each model with `every` outcomes of the group."""
        found = []
        for k, opinion in enumerate(opinions):
            if opinion is None:
                continue
            told = self._told.setdefault((k, group), [])
            told.append(Told(opinion.probability, outcome, opinion.expected_bps, gain_bps))
            if len(told) >= every:
                found.append(Validated(k, group, len(told), score(told)))
                told.clear()
        return found

    def judge(
        self, opinions: Opinions, outcome: int, gain_bps: float, fresh: Callable[[int], Learner], resets: bool
    ) -> list[Happened]:
        """Act on a drift of the live model, and let a better one take its place."""
        happened = []
        opinion = opinions[self.live]
        if self.watch is not None:
            if self.watch.passed():
                happened.append(self._happened(ModelEventKind.CALM))
            alarm = self.watch.update(opinion, outcome, gain_bps) if opinion is not None else None
            if alarm is not None:
                if resets:
                    self.learners[self.live] = fresh(self.live)
                happened.append(self._happened(ModelEventKind.DRIFT, *alarm))
        promoted = self._compare(opinions, outcome, gain_bps)
        return happened if promoted is None else [*happened, promoted]

    def _compare(self, opinions: Opinions, outcome: int, gain_bps: float) -> Happened | None:
        """Whether a model from the shadow has been better for long enough; a model that failed is the worst of all."""
        if self._promotion is None:
            return None
        sound = [k for k, learner in enumerate(self.learners) if not learner.failure]
        if not sound or any(opinions[k] is None for k in sound):
            return None
        for k in sound:
            self._losses[k].append(self._loss(opinions[k], outcome, gain_bps))
        if len(self._losses[sound[0]]) < self._promotion.outcomes:
            return None
        means = {k: sum(self._losses[k]) / len(self._losses[k]) for k in sound}
        best = min(means, key=means.__getitem__)
        sound_live = self.live in means
        live = means.get(self.live, math.inf)
        if best == self.live or not means[best] < live - self._promotion.margin:
            return None
        self.live, self._losses = best, self._no_losses()
        if self.watch is not None:
            self.watch.restart()
            self.watch.left = 0
        return self._happened(ModelEventKind.PROMOTED, live if sound_live else means[best], means[best])

    def _loss(self, opinion: Opinion | None, outcome: int, gain_bps: float) -> float:
        assert opinion is not None
        assert self._promotion is not None
        if self._promotion.measure == "log_loss":
            return log_loss(opinion.probability, outcome)
        if self._promotion.measure == "brier":
            return (opinion.probability - outcome) ** 2
        return -gain_bps if opinion.expected_bps > 0.0 else 0.0

    def _happened(self, kind: ModelEventKind, before: float = 0.0, after: float = 0.0) -> Happened:
        return Happened(kind, before, after, self.watch.size if self.watch else 1.0, self.live)

    def _no_losses(self) -> list[deque[float]]:
        length = self._promotion.outcomes if self._promotion else 0
        return [deque(maxlen=length) for _ in self.learners]
