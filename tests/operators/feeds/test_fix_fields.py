"""Fields of FIX messages, against Python's own calendar."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operators.feeds.fix_fields import Moments, nearest_day, number, reference
from operators.feeds.multiples import MalformedError

S, DAY = 10**9, 86_400 * 10**9
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MOMENTS = st.datetimes(datetime(1970, 1, 1), datetime(2261, 12, 31), timezones=st.just(UTC))


@given(st.lists(MOMENTS, min_size=1, max_size=5), st.sampled_from([0, 3, 6]))
def test_times_are_those_of_the_calendar(moments, places):
    read = Moments()
    for moment in [*moments, *moments]:
        cut = moment.replace(microsecond=moment.microsecond // 10 ** (6 - places) * 10 ** (6 - places))
        fraction = f".{moment.microsecond:06d}"[: places + 1] if places else ""
        expected = (cut - EPOCH) // timedelta(microseconds=1) * 1000
        assert read.read(f"{moment:%Y%m%d-%H:%M:%S}{fraction}", "time") == expected


def test_the_nanosecond_counts_and_what_is_finer_does_not():
    assert Moments().read("19700101-00:00:01.123456789012", "time") == 1_123_456_789
    assert Moments().read("19700101-23:59:60", "time") == DAY


@pytest.mark.parametrize(
    "text",
    [
        *("", "20240101", "20240101-", "20240230-00:00:00", "20240101-24:00:00", "20240101-00:60:00"),
        *("20240101 00:00:00", "20240101-00:00:00.", "20240101-00:00:00.5x", "2024-01-01-00:00:00"),
        *("19691231-00:00:00", "99990101-00:00:00"),
    ],
)
def test_what_is_no_time_is_not(text):
    read = Moments()
    read.read("20240101-00:00:00.123", "time")
    with pytest.raises(MalformedError, match="time: expected a time like 20111124-05:33:31"):
        read.read(text, "time")


@given(st.integers(DAY, 10**18), st.integers(0, DAY - 1))
def test_a_time_of_day_is_of_the_day_nearest_to_now(now, time):
    moment = nearest_day(time, now)
    assert moment % DAY == time
    assert abs(moment - now) <= DAY // 2


def test_numbers_are_digits_that_fit():
    assert number("0012", "n") == 12
    for text in (None, "", "-1", "1.0", "9" * 20, str(2**63), "²"):
        with pytest.raises(MalformedError, match="n: expected a number"):
            number(text, "n")
    assert (reference("77"), reference("a7"), reference(None), reference("9" * 19)) == (77, 0, 0, 0)
