"""A screening: every pair of a desk measured on one window, and which of them are discoveries."""

from dataclasses import dataclass

import numpy as np

from operators.operator import Desk
from operators.pairs.false_discovery import adjusted
from operators.pairs.screen import CORRELATION, DISTANCE, STATISTIC, screen_pairs
from operators.pairs.unit_root import p_values
from schemas.record import Frame

FIGURES = ("statistic", "hedge", "correlation", "distance", "lags")
"""Rows of the figures, by the names of their columns in `traded_pairs`."""


class Candidates:
    """The pairs of a desk in the order in which they are screened: those of one y together."""

    def __init__(self, desk: Desk) -> None:
        self._ys, self._xs = np.array(desk.legs, np.int64).T
        self._order = np.argsort(self._ys, kind="stable")
        self._starts = np.searchsorted(self._ys[self._order], np.arange(len(desk.instruments) + 1))
        self._sorted_xs = self._xs[self._order]

    def figures(self, levels: Frame, lags_max: int) -> Frame:
        """(5, pairs): what `screen_pairs` finds, a column per pair in the desk's order."""
        screened = np.empty((len(FIGURES), len(self._order)))
        screen_pairs(levels, self._starts, self._sorted_xs, lags_max, screened)
        figures = np.empty_like(screened)
        figures[:, self._order] = screened
        return figures

    def both(self, of_instruments: Frame) -> Frame:
        """Per pair, whether it holds for both legs."""
        both: Frame = of_instruments[self._ys] & of_instruments[self._xs]
        return both


@dataclass(frozen=True)
class Rule:
    """What makes a discovery: see the parameters of `discovery`."""

    lags_max: int
    rate: float
    is_dependent: bool
    min_correlation: float
    max_distance: float


@dataclass(frozen=True)
class Screening:
    """What a screening found, an element per pair."""

    figures: Frame
    """(5, pairs): FIGURES, 0 where there is none."""
    p_values: Frame
    """1 where there is no statistic."""
    adjusted: Frame
    """p-values in view of all pairs tested; 1 of those that are too far apart."""
    is_found: Frame
    threshold: float
    """The greatest p-value of a discovery."""
    tested: int


def screen(levels: Frame, is_whole: Frame, candidates: Candidates, rule: Rule) -> Screening:
    """Screen all pairs of the instruments that are whole; `levels` are log mids, a row per sample."""
    figures = candidates.figures(np.where(is_whole, levels, 0.0), rule.lags_max)
    is_tested = candidates.both(is_whole)
    own = p_values(np.where(is_tested, figures[STATISTIC], np.nan))
    is_close = (figures[CORRELATION] >= rule.min_correlation) & (figures[DISTANCE] <= rule.max_distance)
    counted = np.where(is_close, own, 1.0)
    tested = int(is_tested.sum())
    in_view = np.ones(len(own))
    some = np.flatnonzero(counted < 1.0)
    in_view[some] = adjusted(counted[some], tested, rule.is_dependent)
    is_found = in_view <= rule.rate
    threshold = float(counted[is_found].max(initial=0.0))
    shown = np.where(np.isfinite(figures) & is_tested, figures, 0.0)
    return Screening(shown, own, in_view, is_found, threshold, tested)
