import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from operators.simulator.generator import below, bits, exp, log, normals, seeded, uniform

MASK = 2**64 - 1


def rotate(x, left):
    return ((x << left) | (x >> (64 - left))) & MASK


def xoshiro(state):
    """The published algorithm, in unbounded integers."""
    s = [int(x) for x in state]
    while True:
        yield (rotate((s[0] + s[3]) & MASK, 23) + s[0]) & MASK
        t = (s[1] << 17) & MASK
        s[2] ^= s[0]
        s[3] ^= s[1]
        s[1] ^= s[2]
        s[0] ^= s[3]
        s[2] ^= t
        s[3] = rotate(s[3], 45)


@pytest.mark.parametrize("seed", [0, 1, 2**63])
def test_the_bits_are_xoshiro256plusplus(seed):
    generator = seeded(seed)
    reference = xoshiro(generator[0].item())
    assert [int(bits(generator)) for _ in range(1000)] == [next(reference) for _ in range(1000)]


def test_seeds_differ():
    assert seeded(1) != seeded(2)
    assert seeded(1) == seeded(1)


@given(st.floats(1e-300, 1e300))
def test_log_is_the_logarithm(x):
    assert log(x) == pytest.approx(math.log(x), rel=1e-15, abs=2e-16)


@given(st.floats(-699, 100))
def test_exp_is_the_exponential(x):
    assert exp(x) == pytest.approx(math.exp(x), rel=4e-16 * (1 + abs(x)))


def test_exp_at_its_ends():
    assert exp(0.0) == 1.0
    assert exp(-1e6) == 0.0
    assert exp(-5e-12) == pytest.approx(math.exp(-5e-12), abs=2e-16)


def test_uniform_numbers_are_inside_the_interval_and_even():
    generator = seeded(3)
    drawn = [uniform(generator) for _ in range(20_000)]
    assert min(drawn) > 0
    assert max(drawn) < 1
    assert stats.kstest(drawn, "uniform").pvalue > 0.001


@pytest.mark.parametrize("n", [2, 7, 64])
def test_below_reaches_every_number_alike(n):
    generator = seeded(4)
    counts = np.bincount([below(generator, n) for _ in range(500 * n)], minlength=n)
    assert len(counts) == n
    assert stats.chisquare(counts).pvalue > 0.001


def test_normal_numbers_are_normal_and_independent():
    generator = seeded(5)
    drawn = np.array([normals(generator) for _ in range(20_000)])
    assert stats.kstest(drawn[:, 0], "norm").pvalue > 0.001
    assert stats.kstest(drawn[:, 1], "norm").pvalue > 0.001
    assert abs(np.corrcoef(drawn.T)[0, 1]) < 4 / math.sqrt(len(drawn))
