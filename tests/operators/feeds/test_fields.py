"""Fields of messages, against datetime and Decimal."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operators.feeds.fields import Moments, digits, millis_ns, number, only, seconds_ns
from operators.feeds.multiples import MalformedError

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@given(st.datetimes(datetime(1970, 1, 1), datetime(2262, 1, 1)), st.integers(0, 9), st.integers(0, 10**9 - 1))
def test_times_of_day_are_exact(moment, places, nanos):
    fraction = f"{nanos:09d}"[:places]
    text = f"{moment:%Y-%m-%dT%H:%M:%S}{'.' if fraction else ''}{fraction}Z"
    seconds = (moment.replace(microsecond=0, tzinfo=UTC) - EPOCH) // timedelta(seconds=1)
    moments = Moments()
    assert moments.read(text, "t") == seconds * 10**9 + int(fraction.ljust(9, "0"))
    assert moments.read(text, "t") == moments.read(text, "t")


@pytest.mark.parametrize(
    "value",
    [None, 5, "", "2026-08-09", "2026-08-09T21:05:48", "2026-08-09 21:05:48Z", "2026-08-09T21:05:48.Z",
     "2026-08-09T21:05:48.1234567890Z", "2026-13-09T21:05:48Z", "2026-02-29T21:05:48Z", "2026-08-09T24:05:48Z",
     "1969-12-31T23:59:59Z", "9999-08-09T21:05:48Z", "2026-08-09T21:05:48+00:00", "２026-08-09T21:05:48Z"],
)  # fmt: skip
def test_what_is_no_time_of_day_is_rejected(value):
    with pytest.raises(MalformedError, match=r"^t: expected a time like"):
        Moments().read(value, "t")


@given(st.integers(0, 2**63 // 10**9 - 2), st.text("0123456789", max_size=9))
def test_seconds_are_exact(seconds, fraction):
    text = f"{seconds}.{fraction}" if fraction else str(seconds)
    assert seconds_ns(text, "t") == int(Decimal(text) * 10**9)


@pytest.mark.parametrize("value", [None, 1.5, "", ".5", "1.", "-1", "1e3", "9223372037", "1.1234567890", "٣"])
def test_what_is_no_number_of_seconds_is_rejected(value):
    with pytest.raises(MalformedError, match=r"^t: expected seconds like"):
        seconds_ns(value, "t")


@pytest.mark.parametrize("value", [None, True, -1, 2**63, 1.0, "1", []])
def test_what_is_no_id_is_rejected(value):
    with pytest.raises(MalformedError, match=r"^n: expected an id"):
        number(value, "n")
    with pytest.raises(MalformedError, match=r"^n: expected milliseconds"):
        millis_ns(value, "n")


@pytest.mark.parametrize("value", [None, 1, "", "-1", "1.0", "٣", "9" * 20, str(2**63)])
def test_what_is_no_string_of_digits_is_rejected(value):
    with pytest.raises(MalformedError, match=r"^n: expected"):
        digits(value, "n")


def test_lists_of_one_object():
    assert only([{"a": 1}], "n") == {"a": 1}
    for value in (None, {}, [], [1], [{}, {}]):
        with pytest.raises(MalformedError, match=r"^n: expected"):
            only(value, "n")
