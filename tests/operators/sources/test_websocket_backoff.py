import random

from hypothesis import given
from hypothesis import strategies as st

from operators.sources.websocket_backoff import BackOff

MS = 10**6


@given(st.integers(1, 10**9), st.integers(1, 1000), st.integers(0, 2**32))
def test_waits_double_up_to_the_longest_and_are_drawn_from_their_upper_half(first_ns, factor, seed):
    most_ns = first_ns * factor
    backoff = BackOff(first_ns, most_ns, random.Random(seed))
    for n in range(14):
        most = min(first_ns * 2**n, most_ns) / 1e9
        assert most / 2 <= backoff.next_s() <= most


def test_a_reset_starts_over():
    backoff = BackOff(100 * MS, 10_000 * MS, random.Random(1))
    for _ in range(5):
        backoff.next_s()
    backoff.reset()
    assert backoff.next_s() <= 0.1


def test_the_jitter_is_that_of_the_generator_handed_in():
    def waits(seed):
        backoff = BackOff(100 * MS, 10_000 * MS, random.Random(seed))
        return [backoff.next_s() for _ in range(8)]

    assert waits(1) == waits(1)
    assert waits(1) != waits(2)
