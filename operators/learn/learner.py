"""A River model that cannot stop the flow: what it raises ends its use, and is told."""

from typing import Any

from operators.learn.score import Score, score

NO_OPINION = -1.0


class Learner:
    """One model, what it has learned, and its opinions whose outcomes are known since they were last scored.

    `failure` says what went wrong, and is empty while nothing did. A model that failed may be half updated: it is
    neither asked nor taught again.
    """

    def __init__(self, model: Any) -> None:
        self.model = model
        self.examples = 0
        self.failure = ""
        self._told: list[tuple[float, int]] = []

    def probability(self, x: dict[str, float]) -> float:
        """That the target comes true. NO_OPINION where the model has failed, now or before, or knows no class yet."""
        if self.failure:
            return NO_OPINION
        try:
            told = self.model.predict_proba_one(x)
            probability = float(told.get(True, 0.0)) if told else NO_OPINION
        except Exception as e:
            self.failure = f"predict_proba_one raised {type(e).__name__} ({e})"
            return NO_OPINION
        if told and not 0.0 <= probability <= 1.0:
            self.failure = f"predict_proba_one said {probability!r}, which is no probability"
            return NO_OPINION
        return probability

    def learn(self, x: dict[str, float], outcome: int) -> None:
        """Teach it one example."""
        if self.failure:
            return
        try:
            self.model.learn_one(x, bool(outcome))
        except Exception as e:
            self.failure = f"learn_one raised {type(e).__name__} ({e})"
        else:
            self.examples += 1

    def judge(self, probability: float, outcome: int, every: int) -> tuple[Score, int] | None:
        """Note the outcome of an opinion; the score of the last `every` once there are so many, and their number."""
        if probability < 0.0:
            return None
        self._told.append((probability, outcome))
        if len(self._told) < every:
            return None
        told, self._told = self._told, []
        return score(told), len(told)
