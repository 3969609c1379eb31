import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from operators.learn.score import Told, auc, score

PROBABILITIES = st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0])


@given(st.lists(st.tuples(PROBABILITIES, st.integers(0, 1)), min_size=1, max_size=30))
def test_scores_are_what_their_definitions_say(told):
    found = score([Told(*both, 0.0, 0.0) for both in told])
    n, share = len(told), sum(y for _, y in told) / len(told)
    assert found.positive == share
    assert math.isclose(found.brier, sum((p - y) ** 2 for p, y in told) / n, abs_tol=1e-12)
    assert math.isclose(found.accuracy, sum((p >= 0.5) == bool(y) for p, y in told) / n)
    losses = [-math.log(max(p if y else 1 - p, 1e-15)) for p, y in told]
    assert math.isclose(found.log_loss, sum(losses) / n, abs_tol=1e-12)
    base = [-math.log(share if y else 1 - share) for _, y in told]
    assert math.isclose(found.log_loss_base, sum(base) / n, abs_tol=1e-12)
    duels = [(p > q) + (p == q) / 2 for (p, a), (q, b) in itertools.product(told, told) if a > b]
    assert math.isclose(found.auc, sum(duels) / len(duels) if duels else 0.5)


def test_auc_of_the_textbook():
    """Hand and scikit-learn agree on this one."""
    assert auc(np.array([0.1, 0.4, 0.35, 0.8]), np.array([0.0, 0.0, 1.0, 1.0])) == 0.75
    assert score([Told(0.5, 1, 0.0, 0.0), Told(0.5, 0, 0.0, 0.0)]).log_loss == pytest.approx(math.log(2))
