from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operators.tables.zone import wall_offset, zone_table

ZONES = ["America/New_York", "Europe/London", "Asia/Kolkata", "Australia/Lord_Howe", "Etc/GMT+5", "UTC"]
table = zone_table


def wall_ns(at):
    return (at - datetime(1970, 1, 1)) // timedelta(microseconds=1) * 1000


@given(st.datetimes(datetime(1971, 1, 1), datetime(2099, 12, 1)), st.sampled_from(ZONES))
def test_offsets_are_those_of_the_timezone(at, zone):
    expected = at.replace(tzinfo=ZoneInfo(zone)).utcoffset()
    assert wall_offset(table(zone), wall_ns(at)) == expected // timedelta(microseconds=1) * 1000


@pytest.mark.parametrize("minute", range(-90, 150, 10))
def test_around_the_changes_of_2014_in_new_york(minute):
    for change in (datetime(2014, 3, 9, 2), datetime(2014, 11, 2, 2)):
        at = change + timedelta(minutes=minute)
        expected = at.replace(tzinfo=ZoneInfo("America/New_York")).utcoffset()
        assert wall_offset(table("America/New_York"), wall_ns(at)) == expected // timedelta(microseconds=1) * 1000


def test_a_zone_without_changes_is_one_row():
    assert table("Etc/GMT+5")["offset"].tolist() == [-5 * 3600 * 10**9]
