"""Fields of JSON messages: each read as what it has to be, or rejected with what came instead."""

import calendar
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

import orjson

from operators.feeds.multiples import MalformedError, shown

_NS = 10**9
_NS_PER_MS = 10**6
ID_MAX = (1 << 63) - 1
MILLIS_MAX = (1 << 63) // _NS_PER_MS
SECONDS_MAX = (1 << 63) // _NS - 1
_REMEMBERED = 8192
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?Z", re.ASCII)


def parsed(payload: bytes | memoryview) -> Any:
    """A message's JSON."""
    try:
        return orjson.loads(payload)
    except orjson.JSONDecodeError as e:
        raise MalformedError(f"message: expected JSON, came {len(payload)} bytes that are not ({e})") from None


def field(record: Mapping[str, Any], name: str) -> Any:
    """The value of a field that must be there."""
    try:
        return record[name]
    except KeyError:
        raise MalformedError(f"{name}: expected, came none") from None


def objects(value: object, name: str) -> list[dict[str, Any]]:
    """A list of objects."""
    if type(value) is not list or not set(map(type, value)) <= {dict}:
        raise MalformedError(f"{name}: expected a list of objects, came {shown(value)}")
    return value


def only(value: object, name: str) -> dict[str, Any]:
    """The one object of a list."""
    found = objects(value, name)
    if len(found) != 1:
        raise MalformedError(f"{name}: expected one object, came {len(found)}")
    return found[0]


def number(value: object, name: str) -> int:
    """An id or a sequence number."""
    if type(value) is not int or not 0 <= value <= ID_MAX:
        raise MalformedError(f"{name}: expected an id, came {shown(value)}")
    return value


def digits(value: object, name: str) -> int:
    """An id, or a time, written as a string."""
    if type(value) is not str or not value.isdecimal() or not value.isascii() or len(value) > 19:
        raise MalformedError(f"{name}: expected a string of digits, came {shown(value)}")
    return number(int(value), name)


def millis_ns(value: object, name: str) -> int:
    """A time in milliseconds, as ns."""
    if type(value) is not int or not 0 <= value < MILLIS_MAX:
        raise MalformedError(f"{name}: expected milliseconds, came {shown(value)}")
    return value * _NS_PER_MS


def one_of(value: object, choices: Mapping[str, int], name: str) -> int:
    """What a word stands for."""
    found = choices.get(value) if type(value) is str else None
    if found is None:
        raise MalformedError(f"{name}: expected {' or '.join(choices)}, came {shown(value)}")
    return found


def seconds_ns(value: object, name: str) -> int:
    """A time in seconds with a fraction, as in "1618678133.365913", as ns."""
    if type(value) is str and value.isascii():
        whole, point, fraction = value.partition(".")
        digits = whole + fraction
        if digits.isdigit() and 0 < len(whole) <= 10 and bool(point) <= len(fraction) <= 9:
            nanos = int(digits) * 10 ** (9 - len(fraction))
            if nanos < (SECONDS_MAX + 1) * _NS:
                return nanos
    raise MalformedError(f"{name}: expected seconds like 1618678133.365913, came {shown(value)}")


class Moments(dict[str, int]):
    """Times written like 2026-08-09T21:05:48.228568804Z as ns UTC, exactly.

    Times of one second mostly come together: what `2026-08-09T21:05:48` is, is remembered.
    """

    def read(self, value: object, name: str) -> int:
        """The time that a field states."""
        match = _MOMENT.fullmatch(value) if type(value) is str else None
        if match is None:
            raise _no_moment(value, name)
        second = self.get(match[1])
        if second is None:
            second = self._second(match[1], name)
        return second + int((match[2] or "").ljust(9, "0"))

    def _second(self, text: str, name: str) -> int:
        try:
            second = calendar.timegm(datetime.fromisoformat(text).timetuple()) * _NS
        except ValueError:
            raise _no_moment(text, name) from None
        if not 0 <= second <= SECONDS_MAX * _NS:
            raise _no_moment(text, name)
        if len(self) >= _REMEMBERED:
            self.clear()
        self[text] = second
        return second


def _no_moment(value: object, name: str) -> MalformedError:
    return MalformedError(f"{name}: expected a time like 2026-08-09T21:05:48.5Z, came {shown(value)}")


class LevelForm(NamedTuple):
    """How a venue writes a price level."""

    described: str
    type: type
    sizes: frozenset[int]
    """Lengths it may have; empty where any will do."""
    price: Callable[[Any], Any]
    quantity: Callable[[Any], Any]

    def texts(self, levels: object, name: str) -> tuple[list[str], list[str]]:
        """The prices and quantities of a list of levels, as written."""
        if type(levels) is not list:
            raise MalformedError(f"{name}: expected a list of levels, came {shown(levels)}")
        if not levels:
            return [], []
        if set(map(type, levels)) != {self.type} or (self.sizes and not set(map(len, levels)) <= self.sizes):
            raise MalformedError(f"{name}: expected levels of {self.described}, came {shown(levels)}")
        try:
            return list(map(self.price, levels)), list(map(self.quantity, levels))
        except KeyError:
            raise MalformedError(f"{name}: expected levels of {self.described}, came {shown(levels)}") from None
