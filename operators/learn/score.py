"""How right opinions were."""

import math
from typing import NamedTuple

import numpy as np

from schemas.record import Frame

_LEAST = 1e-15
_BINS = 10


class Told(NamedTuple):
    """An opinion and what came of it; `outcome` is 0 or 1."""

    probability: float
    outcome: int
    expected_bps: float
    gain_bps: float


class Score(NamedTuple):
    """Measures of opinions against outcomes, in the order of the columns of VALIDATION."""

    log_loss: float
    log_loss_base: float
    brier: float
    accuracy: float
    auc: float
    calibration: float
    positive: float
    gain_bps: float
    gain_all_bps: float
    rmse_bps: float
    chosen: int


def score(told: list[Told]) -> Score:
    """Of at least one. Probabilities are kept 1e-15 away from 0 and 1 in logs."""
    table = np.array(told, np.float64)
    probability, outcome, expected, gain = table.T
    share = float(outcome.mean())
    of_outcome = np.where(outcome == 1.0, probability, 1.0 - probability)
    chosen = gain[expected > 0.0]
    return Score(
        log_loss=float(-np.log(np.maximum(of_outcome, _LEAST)).mean()),
        log_loss_base=sum(-p * math.log(p) for p in (share, 1.0 - share) if p > 0.0),
        brier=float(((probability - outcome) ** 2).mean()),
        accuracy=float(((probability >= 0.5) == (outcome == 1.0)).mean()),
        auc=auc(probability, outcome),
        calibration=calibration(probability, outcome),
        positive=share,
        gain_bps=float(chosen.mean()) if len(chosen) else 0.0,
        gain_all_bps=float(gain.mean()),
        rmse_bps=float(np.sqrt(((gain - expected) ** 2).mean())),
        chosen=len(chosen),
    )


def log_loss(probability: float, outcome: int) -> float:
    """Of one opinion."""
    return -math.log(max(probability if outcome else 1.0 - probability, _LEAST))


def calibration(probability: Frame, outcome: Frame) -> float:
    """Expected calibration error: |mean probability - share of positives| of each tenth of [0, 1], by its opinions.

    Source: Naeini, Cooper and Hauskrecht, AAAI 2015.
    """
    bins = np.minimum((probability * _BINS).astype(int), _BINS - 1)
    off = np.bincount(bins, weights=probability - outcome, minlength=_BINS)
    return float(np.abs(off).sum() / len(probability))


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
