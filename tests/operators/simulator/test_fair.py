import math

import numpy as np
import pytest

from operators.simulator.fair import fair_price
from operators.simulator.market import draw_market
from operators.simulator.parameters import SECOND_NS, SessionParameters
from operators.simulator.state import initial_state

PARAMETERS = SessionParameters(symbols=2, groups=1, pairs=1, messages=10_000, hours=1)
N = 20_000


def state():
    return initial_state(PARAMETERS, draw_market(PARAMETERS))


def close_to(expected, deviation):
    """Within four standard errors of a mean of N numbers."""
    return pytest.approx(expected, abs=4 * deviation / math.sqrt(N))


@pytest.mark.parametrize("steps", [1, 5])
def test_transitions_are_exact_however_time_is_cut(steps):
    s = state()
    member, group = s["members"], s["groups"]
    elapsed = 40.0
    owns, walks = [], []
    for _ in range(N // steps):
        member["own"][0], member["ts"][0], group["ts"][0], group["factor"][0] = 30.0, 0, 0, 5.0
        for step in range(1, steps + 1):
            fair_price(s.ctx, 0, int(step * elapsed * SECOND_NS) // steps)
        owns.append(member["own"][0])
        walks.append(group["factor"][0] - 5.0)
    decay = math.exp(-group["rate"][0] * elapsed)
    own_sd = member["deviation"][0] * math.sqrt(1 - decay**2)
    walk_sd = group["volatility"][0] * math.sqrt(elapsed)
    spread = math.sqrt(steps)
    assert np.mean(owns) == close_to(30 * decay, own_sd * spread)
    assert np.var(owns) == close_to(own_sd**2, math.sqrt(2) * own_sd**2 * spread)
    assert np.mean(walks) == close_to(0, walk_sd * spread)
    assert np.var(walks) == close_to(walk_sd**2, math.sqrt(2) * walk_sd**2 * spread)
    assert np.cov(owns, walks)[0, 1] == close_to(0, own_sd * walk_sd * spread)


def test_a_price_is_the_sum_of_its_parts_and_shares_the_factor():
    s = state()
    member, group = s["members"], s["groups"]
    first = fair_price(s.ctx, 0, 60 * SECOND_NS)
    assert first == pytest.approx(member["price"][0] + member["beta"][0] * group["factor"][0] + member["own"][0])
    factor = group["factor"][0]
    second = fair_price(s.ctx, 1, 60 * SECOND_NS)
    assert group["factor"][0] == factor, "no time has passed for the group"
    assert second == pytest.approx(member["price"][1] + member["beta"][1] * factor + member["own"][1])


def test_no_time_changes_nothing():
    s = state()
    price = fair_price(s.ctx, 0, SECOND_NS)
    assert [fair_price(s.ctx, 0, SECOND_NS) for _ in range(10)] == [price] * 10
