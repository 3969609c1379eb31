from hypothesis import given
from hypothesis import strategies as st

from operators.sources.websocket_pace import Limit, Pace

MOMENTS = st.lists(st.floats(0, 2), min_size=1, max_size=60)


@given(st.integers(1, 5), st.floats(0.1, 10), MOMENTS)
def test_no_window_holds_more_than_the_limit(times, seconds, gaps):
    pace, now, done = Pace(Limit(times, seconds)), 0.0, []
    for gap in gaps:
        now += gap
        done.append(now + pace.take(now))
    assert done == sorted(done)
    for first, beyond in zip(done, done[times:], strict=False):
        assert beyond - first >= seconds - 1e-9


def test_what_is_below_the_limit_does_not_wait():
    pace = Pace(Limit(3, 1))
    assert [pace.take(now) for now in (0.0, 0.1, 0.2, 1.05, 1.15)] == [0, 0, 0, 0, 0]


def test_what_is_asked_at_once_is_spread():
    pace = Pace(Limit(2, 1))
    assert [pace.take(5.0) for _ in range(6)] == [0, 0, 1, 1, 2, 2]
