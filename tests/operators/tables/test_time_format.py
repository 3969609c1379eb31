from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from operators.tables.time_format import has_date, read_time, steps_of

BASE = 1_381_104_000 * 10**9  # 2013-10-07


def read(text, form):
    block = np.frombuffer(b"x" + text.encode() + b"x", np.uint8)
    fits, ns, is_utc = read_time(block, 1, len(block) - 1, steps_of(form), BASE)
    return (ns, is_utc) if fits else None


def since_1970(at):
    return (at - datetime(1970, 1, 1, tzinfo=at.tzinfo)) // timedelta(microseconds=1) * 1000


@given(st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1)))
def test_reads_what_strftime_writes(at):
    for form in ("%Y-%m-%d %H:%M:%S.%f", "%d/%m/%Y %H%M%S%f", "%FT%T.%f"):
        assert read(at.strftime(form), form) == (since_1970(at), False)


@given(st.datetimes(datetime(1971, 1, 1), datetime(2099, 1, 1)), st.integers(-14 * 60, 14 * 60))
def test_reads_offsets(at, minutes):
    at = at.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    expected = since_1970(at.astimezone(UTC)), True
    assert read(at.strftime("%Y-%m-%dT%H:%M:%S.%f%z"), "%FT%T.%f%z") == expected
    assert read(at.isoformat(timespec="microseconds"), "%FT%T.%f%z") == expected


def test_a_fraction_may_be_absent_and_has_up_to_nine_digits():
    assert read("2013-10-07 09:30:00", "%F %T.%f") == (BASE + 34_200 * 10**9, False)
    assert read("2013-10-07 09:30:00.5", "%F %T.%f") == (BASE + 34_200_500_000_000, False)
    assert read("2013-10-07 09:30:00.1234567891", "%F %T.%f") == (BASE + 34_200_123_456_789, False)


def test_without_a_date_the_day_is_the_one_given():
    assert read("09:30:00.25", "%T.%f") == (BASE + 34_200_250_000_000, False)
    assert read("1970-01-01 00:00:00", "%F %T") == (0, False)
    assert (has_date(steps_of("%T")), has_date(steps_of("%F %T"))) == (False, True)


@pytest.mark.parametrize(
    "text",
    ["", "2013-10-07", "2013-10-07 09:30:0", "2013-10-07 09:30:00 ", "2013-13-07 09:30:00", "2013-02-29 09:30:00",
     "2013-10-07 24:00:00", "2013-10-07 09:60:00", "2013-10-07 09:30:60", "2013/10/07 09:30:00", "201x-10-07 09:30:00",
     "1969-10-07 09:30:00"],
)  # fmt: skip
def test_what_does_not_fit_is_no_time(text):
    assert read(text, "%F %T") is None


@pytest.mark.parametrize("text", ["09:30:00", "09:30:00x", "09:30:00+", "09:30:00+1", "09:30:00+100", "09:30:00*0100"])
def test_an_offset_that_is_none_is_no_time(text):
    assert read(text, "%T%z") is None


@pytest.mark.parametrize(
    ("form", "message"),
    [("%Y-%b-%d %T", "%b; of formats of time are known"), ("%F", "it takes %H"), ("%Y-%m %T", "all or none"),
     ("%T %H", "each once"), ("%F %T%", "has %;"), ("%T °", "formats are ASCII")],
)  # fmt: skip
def test_formats_that_cannot_be_read_are_refused(form, message):
    with pytest.raises(ValueError, match=message):
        steps_of(form)
