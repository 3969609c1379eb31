import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm
from statsmodels.stats.multitest import multipletests

from operators.pairs.false_discovery import adjusted

P_VALUES = st.lists(st.floats(0, 1) | st.sampled_from([0.0, 1e-9, 1e-6, 0.01, 1.0]), min_size=1, max_size=60)


@given(P_VALUES, st.booleans())
def test_statsmodels_says_the_same(p_values, is_dependent):
    p_values = np.array(p_values)
    wanted = multipletests(p_values, method="fdr_by" if is_dependent else "fdr_bh")[1]
    np.testing.assert_allclose(adjusted(p_values, len(p_values), is_dependent), wanted, rtol=1e-9, atol=1e-300)


@given(P_VALUES, st.integers(0, 40), st.booleans())
def test_tests_that_found_nothing_may_be_left_out(p_values, nothing, is_dependent):
    whole = np.array([*p_values, *[1.0] * nothing])
    some = adjusted(np.array(p_values), len(whole), is_dependent)
    np.testing.assert_allclose(some, adjusted(whole, len(whole), is_dependent)[: len(p_values)], rtol=1e-12)


def test_nothing_tested():
    assert adjusted(np.array([]), 0, True).tolist() == []


@pytest.mark.parametrize("is_dependent", [True, False])
def test_the_rate_holds_where_tests_share_their_noise(is_dependent):
    """300 of 2,000 tests are true, all depend on a common part: the share of false discoveries is at most 10 %."""
    rng = np.random.default_rng(5)
    shares = []
    for _ in range(200):
        z = np.sqrt(0.5) * rng.standard_normal() + np.sqrt(0.5) * rng.standard_normal(2_000)
        z[:300] -= 4.0
        found = adjusted(norm.cdf(z), 2_000, is_dependent) <= 0.1
        shares.append(found[300:].sum() / max(found.sum(), 1))
    print("share of false discoveries", np.mean(shares))
    assert np.mean(shares) <= 0.1
