"""Fields of FIX messages: each read as what it has to be, or rejected with what came instead."""

import calendar
import re
from datetime import date
from typing import NamedTuple

from operators.feeds.fields import ID_MAX
from operators.feeds.multiples import MalformedError, shown
from operators.framing import fix_tags as tags
from operators.framing.fix_message import SOH, Field, decode
from operators.framing.refused import Refused

_NS = 10**9
_DAY_NS = 86_400 * _NS
_REMEMBERED = 8192
_DAYS_MAX = (1 << 63) // _DAY_NS - 1
_TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d):([0-5]\d|60)(?:\.(\d{1,9})\d{0,3})?Z?", re.ASCII)
_DAY = re.compile(r"(\d{4})(\d\d)(\d\d)", re.ASCII)
_READ_ONCE = frozenset((
    tags.SYMBOL, tags.SECURITY_ID, tags.RPT_SEQ, tags.MD_ENTRY_TYPE, tags.MD_ENTRY_PX, tags.MD_ENTRY_SIZE,
    tags.MD_ENTRY_DATE, tags.MD_ENTRY_TIME, tags.MD_ENTRY_ID, tags.MD_UPDATE_ACTION, tags.MD_ENTRY_POSITION_NO,
    tags.MD_PRICE_LEVEL, tags.AGGRESSOR_SIDE, tags.TRADE_ID,
))  # fmt: skip
"""Fields of an entry that mean something here; any other may come again, of a group within it."""


class Grouped(NamedTuple):
    """A message with one repeating group: the fields outside of it, and those of each entry."""

    head: dict[str, str]
    entries: list[dict[str, str]]


def message(payload: memoryview) -> list[Field]:
    """The fields of a whole message, whose checksum and length are right. `|` may stand for SOH, as logs have it."""
    data = payload.tobytes()
    if SOH not in data:
        data = data.rstrip(b"|").replace(b"|", SOH) + SOH
    fields = decode(data)
    if isinstance(fields, Refused):
        raise MalformedError(fields.reason)
    return fields


def grouped(fields: list[Field], count_tag: str) -> Grouped:
    """The entries of the group that `count_tag` counts: each begins with the tag that the first begins with.

    Fields behind the group count as the last entry's: nothing but a dictionary could tell them from it.
    """
    names = [tag for tag, _ in fields]
    if names.count(count_tag) != 1:
        raise MalformedError(f"{count_tag}: expected once, came {names.count(count_tag)} times")
    at = names.index(count_tag)
    stated = number(fields[at][1], count_tag)
    entries: list[dict[str, str]] = []
    if stated:
        first = names[at + 1] if at + 1 < len(names) else ""
        entry: dict[str, str] = {}
        for tag, value in fields[at + 1 :]:
            if tag == first:
                entry = {tag: value}
                entries.append(entry)
            elif tag not in entry:
                entry[tag] = value
            elif tag in _READ_ONCE:
                raise MalformedError(f"{tag}: expected once an entry, came again as {shown(value)}")
    if len(entries) != stated:
        raise MalformedError(f"{count_tag}: expected {len(entries)}, which is what there is, came {stated}")
    return Grouped(dict(fields[: at + 1]), entries)


def number(text: str | None, name: str) -> int:
    """A sequence number or a count."""
    if text is None or not text.isdecimal() or len(text) > 19 or int(text) > ID_MAX:
        raise MalformedError(f"{name}: expected a number, came {'none' if text is None else shown(text)}")
    return int(text)


def reference(text: str | None) -> int:
    """An id as a number, where it is one; else 0."""
    return int(text) if text is not None and text.isdecimal() and len(text) < 19 else 0


class Moments(dict[str, int]):
    """UTC timestamps, `20111124-05:33:31.763`, as ns UTC: to the nanosecond, finer digits are dropped.

    Messages of one second mostly come together: what its beginning is, is remembered.
    """

    def read(self, text: str, name: str) -> int:
        """The time that a field states."""
        second = self.get(text[:17])
        if second is not None and len(text) == 21 and text[17] == "." and (millis := text[18:]).isdecimal():
            return second + int(millis) * 10**6
        day, dash, time = text.partition("-")
        if not dash:
            raise _no_moment(text, name)
        second = self.day(day, name) + time_of_day(time, name)
        if len(self) >= _REMEMBERED:
            self.clear()
        self[text[:17]] = second - second % _NS
        return second

    def day(self, text: str, name: str) -> int:
        """The midnight of a date like 20111124."""
        match = _DAY.fullmatch(text)
        try:
            days = calendar.timegm(date(*map(int, match.groups())).timetuple()) // 86_400 if match else -1
        except ValueError:
            days = -1
        if not 0 <= days < _DAYS_MAX:
            raise _no_moment(text, name)
        return days * _DAY_NS


def time_of_day(text: str, name: str) -> int:
    """A time like 05:33:31.763, as ns since midnight."""
    match = _TIME.fullmatch(text)
    if match is None:
        raise _no_moment(text, name)
    seconds = (int(match[1]) * 60 + int(match[2])) * 60 + int(match[3])
    return seconds * _NS + int((match[4] or "").ljust(9, "0"))


def nearest_day(time_ns: int, now_ns: int) -> int:
    """The moment with that time of day that is nearest to `now_ns`: what is sent at midnight may be of either day."""
    moment = now_ns - now_ns % _DAY_NS + time_ns
    if moment - now_ns > _DAY_NS // 2:
        return max(moment - _DAY_NS, 0)
    return moment + _DAY_NS if now_ns - moment > _DAY_NS // 2 else moment


def _no_moment(text: str, name: str) -> MalformedError:
    return MalformedError(f"{name}: expected a time like 20111124-05:33:31.763, came {shown(text)}")
