"""Clocks on walls as UTC: the changes of a timezone's offset as a table that a kernel can search."""

from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import numpy as np

from operators.kernel import inlined
from schemas.record import Frame

ZONE = np.dtype([("wall", "i8"), ("offset", "i8")])
"""From `wall` on, ns since 1970 as a clock on a wall shows it, it is `offset` ns ahead of UTC."""

_FIRST, _LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
_STEP = timedelta(days=7)
_SECOND_NS = 10**9


@cache
def zone_table(name: str) -> Frame:
    """All changes from 1970 to 2100.

    Where the clock is set back, an hour comes twice and the first is meant; an hour that is left out counts on from
    the one before (both as Python's `fold=0` has it).
    """
    zone = ZoneInfo(name)
    rows = [(np.iinfo(np.int64).min, _offset(_FIRST, zone))]
    at = _FIRST
    while at < _LAST:
        later = at + _STEP
        before, after = _offset(at, zone), _offset(later, zone)
        if before != after:
            change = _change(at, later, zone)
            since_1970 = int(change.timestamp()) * _SECOND_NS
            rows.append((since_1970 + max(before, after), after))
        at = later
    table = np.array(rows, ZONE)
    table.flags.writeable = False
    return table


@inlined
def wall_offset(zone, wall):  # type: ignore[no-untyped-def]
    """How far the clock is ahead of UTC when it shows `wall`, ns."""
    low, high = 0, len(zone)
    while high - low > 1:
        middle = (low + high) // 2
        if zone[middle].wall <= wall:
            low = middle
        else:
            high = middle
    return zone[low].offset


def _offset(at: datetime, zone: ZoneInfo) -> int:
    offset = at.astimezone(zone).utcoffset()
    assert offset is not None
    return int(offset.total_seconds()) * _SECOND_NS


def _change(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """The second at which the offset changes."""
    offset, second = _offset(before, zone), timedelta(seconds=1)
    while after - before > second:
        middle = before + (after - before) // 2
        middle = middle.replace(microsecond=0)
        if _offset(middle, zone) == offset:
            before = middle
        else:
            after = middle
    return after
