"""Ranks, p-values and critical values against scipy and statsmodels."""

import numpy as np
import pytest
from scipy.stats import gamma
from statsmodels.tsa.coint_tables import c_sjt

from operators.pairs.trace_test import CRITICAL, rank, trace_p_value


def test_critical_values_are_those_of_statsmodels():
    assert [c_sjt(count, 0)[1] for count in range(1, 6)] == list(CRITICAL)


@pytest.mark.parametrize("count", range(1, 6))
def test_p_values_agree_with_the_critical_values(count):
    """At the 10, 5 and 1 % values of MacKinnon, Haug and Michelis, to the accuracy of Doornik's fit."""
    found = [trace_p_value(value, count) for value in c_sjt(count, 0)]
    assert found == pytest.approx([0.1, 0.05, 0.01], abs=0.003)


@pytest.mark.parametrize(("count", "mean", "variance"), [(1, 1.0, 2.0), (2, 8.32, 14.5), (5, 53.7, 84.0)])
def test_tails_are_those_of_the_gamma_distribution(count, mean, variance):
    for statistic in (0.0, 1e-6, 0.5, mean, 3 * mean, 10 * mean, 60 * mean):
        wanted = gamma.sf(statistic, mean * mean / variance, scale=variance / mean)
        assert trace_p_value(statistic, count) == pytest.approx(wanted, rel=1e-9)


def test_relations_are_counted_one_after_the_other():
    assert rank(np.array([29.0, 20.0, 9.0])) == 0
    assert rank(np.array([30.0, 15.0, 9.0])) == 1
    assert rank(np.array([30.0, 16.0, 3.0])) == 2
    assert rank(np.array([30.0, 16.0, 4.0])) == 3
