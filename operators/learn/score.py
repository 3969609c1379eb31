"""How right probabilities were."""

import math
from typing import NamedTuple

import numpy as np

from schemas.record import Frame

_LEAST = 1e-15


class Score(NamedTuple):
    """Measures of probabilities against outcomes, in the order of the columns of VALIDATION."""

    log_loss: float
    log_loss_base: float
    brier: float
    accuracy: float
    auc: float
    positive: float


def score(told: list[tuple[float, int]]) -> Score:
    """Of (probability, outcome 0 or 1) pairs, at least one. Probabilities are kept 1e-15 away from 0 and 1 in logs."""
    table = np.array(told, np.float64)
    probability, outcome = table[:, 0], table[:, 1]
    share = float(outcome.mean())
    of_outcome = np.where(outcome == 1.0, probability, 1.0 - probability)
    return Score(
        log_loss=float(-np.log(np.maximum(of_outcome, _LEAST)).mean()),
        log_loss_base=sum(-p * math.log(p) for p in (share, 1.0 - share) if p > 0.0),
        brier=float(((probability - outcome) ** 2).mean()),
        accuracy=float(((probability >= 0.5) == (outcome == 1.0)).mean()),
        auc=auc(probability, outcome),
        positive=share,
    )


def auc(probability: Frame, outcome: Frame) -> float:
    """Area under the ROC curve: the Mann-Whitney statistic over its maximum, ties counting half. 1/2 without a pair."""
    positives = int(outcome.sum())
    negatives = len(outcome) - positives
    if not positives or not negatives:
        return 0.5
    _, which, counts = np.unique(probability, return_inverse=True, return_counts=True)
    ranks = np.cumsum(counts) - (counts - 1) / 2.0
    above = float(ranks[which][outcome == 1.0].sum()) - positives * (positives + 1) / 2.0
    return above / (positives * negatives)
