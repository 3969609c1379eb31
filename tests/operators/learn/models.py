"""Classifiers that show what is done with them, or go wrong."""

from typing import Any

from river import base


class Recorder(base.Classifier):
    """Says 0.5 and keeps, in order, what it was asked and taught: (regime, None) or (regime, outcome)."""

    def __init__(self) -> None:
        self.log: list[tuple[float, bool | None]] = []

    def learn_one(self, x: dict[str, float], y: bool) -> None:
        self.log.append((x["regime"], y))

    def predict_proba_one(self, x: dict[str, float]) -> dict[bool, float]:
        self.log.append((x["regime"], None))
        return {True: 0.5, False: 0.5}


class Frail(base.Classifier):
    """Goes wrong as told, once it has learned `after` examples."""

    def __init__(self, after: int = 3, how: str = "learn") -> None:
        self.after, self.how, self.learned = after, how, 0

    def learn_one(self, x: dict[str, float], y: bool) -> None:
        if self.how == "learn" and self.learned == self.after:
            raise ArithmeticError("weights overflowed")
        self.learned += 1

    def predict_proba_one(self, x: dict[str, float]) -> dict[bool, float]:
        if self.learned < self.after:
            return {True: 0.6, False: 0.4}
        if self.how == "predict":
            raise KeyError("z")
        return {True: {"nan": float("nan"), "much": 1.5}.get(self.how, 0.6)}


class NeedsText(base.Classifier):
    """Cannot be used on numbers."""

    def learn_one(self, x: dict[str, Any], y: bool) -> None:
        x["z"].split()

    def predict_proba_one(self, x: dict[str, Any]) -> dict[bool, float]:
        return {}


class TellsClasses(base.Classifier):
    """Has no probabilities."""

    def learn_one(self, x: dict[str, float], y: bool) -> None:
        """Nothing to learn."""

    def predict_one(self, x: dict[str, float]) -> bool:
        return True


class Alarming(base.DriftDetector):
    """A drift detector that raises at its fifth value."""

    def __init__(self) -> None:
        super().__init__()
        self.seen = 0

    def update(self, x: float) -> None:
        self.seen += 1
        if self.seen == 5:
            raise OverflowError("too much")


class Unkeepable(base.Classifier):
    """Holds what cannot be pickled."""

    def __init__(self) -> None:
        self.rule = lambda x: 0.5

    def learn_one(self, x: dict[str, float], y: bool) -> None:
        """Nothing to learn."""

    def predict_proba_one(self, x: dict[str, float]) -> dict[bool, float]:
        return {True: self.rule(x)}


class Greedy(base.Classifier):
    """Takes away what it is shown."""

    def learn_one(self, x: dict[str, float], y: bool) -> None:
        x.clear()

    def predict_proba_one(self, x: dict[str, float]) -> dict[bool, float]:
        x.clear()
        return {True: 0.5}
