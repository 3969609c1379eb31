"""How the scanner reads a single value: compiled, and no more than what is plain.

Each returns the place behind the value, or NO where it is not plain: the venue's own rules then read the message.
"""

from typing import Any

import numpy as np

from operators.feeds.fields import SECONDS_MAX
from operators.feeds.multiples import LIMIT
from operators.kernel import inlined

NO = -1
"""It is not of that form."""
QUOTE_MARK, COMMA, POINT, ZERO, NINE, CLOSE, MINUS, COLON = map(ord, '",.09]-:')
_BACKSLASH = ord("\\")
_ASCII = 128
_SPACE = 32
_NS = 10**9
_DIGITS_MAX = 18
_PLACES_MAX = 9
_POWERS = np.array([10**i for i in range(_PLACES_MAX + 1)], np.int64)
_NANOS_MAX = (1 << 63) - 1


@inlined
def string_end(text: Any, p: int, end: int) -> int:
    """The place of the quotation mark behind what is plain inside a string, or NO."""
    while p < end and text[p] != QUOTE_MARK:
        if text[p] < _SPACE or text[p] >= _ASCII or text[p] == _BACKSLASH:
            return NO
        p += 1
    return p if p < end else NO


@inlined
def integer(text: Any, p: int, end: int) -> tuple[int, int]:
    """(the place behind, value) of a JSON number without fraction."""
    start, value = p, 0
    while p < end and ZERO <= text[p] <= NINE:
        value = 10 * value + (text[p] - ZERO)
        p += 1
        if p - start > _DIGITS_MAX:
            return NO, 0
    if p == start or (p - start > 1 and text[start] == ZERO):
        return NO, 0
    return p, value


@inlined
def decimal_nanos(text: Any, p: int, end: int) -> tuple[int, int]:
    """(the place behind, units of 1e-9) of a plain decimal."""
    start, value, places = p, 0, -1
    while p < end:
        c = text[p]
        if ZERO <= c <= NINE:
            if places < _PLACES_MAX:
                if value > _NANOS_MAX // 10 - 1:
                    return NO, 0
                value = 10 * value + (c - ZERO)
                places += places >= 0
            elif c != ZERO:
                return NO, 0
        elif c == POINT and places < 0 and p > start:
            places = 0
        else:
            break
        p += 1
    if p == start or places == 0 or p - start > _DIGITS_MAX + _DIGITS_MAX:
        return NO, 0
    power = _POWERS[_PLACES_MAX - max(places, 0)]
    if value > _NANOS_MAX // power:
        return NO, 0
    return p, value * power


@inlined
def whole_steps(text: Any, p: int, end: int, step: int, is_total: bool) -> tuple[int, int]:
    """(the place behind, ticks or lots) of a plain decimal."""
    p, nanos = decimal_nanos(text, p, end)
    if p < 0:
        return NO, 0
    steps = nanos // step
    if steps * step != nanos:
        if not is_total:
            return NO, 0
        steps = max(steps, 1)
    return (p if steps <= LIMIT else NO), steps


@inlined
def seconds_text(text: Any, p: int, end: int) -> tuple[int, int]:
    """(the place behind, ns) of seconds with at most nine places."""
    start = p
    p, nanos = decimal_nanos(text, p, end)
    if p < 0 or p - start > 20 or nanos // _NS >= SECONDS_MAX:
        return NO, 0
    point = start
    while point < p and text[point] != POINT:
        point += 1
    return (p if point - start <= 10 and p - point <= _PLACES_MAX + 1 else NO), nanos


@inlined
def _pair(text: Any, p: int) -> Any:
    """Two digits, or a negative number."""
    tens, ones = np.int64(text[p]) - ZERO, np.int64(text[p + 1]) - ZERO
    return 10 * tens + ones if 0 <= tens <= 9 and 0 <= ones <= 9 else -(10**6)


@inlined
def moment_text(text: Any, p: int, end: int) -> tuple[int, int]:
    """(the place behind, ns UTC) of a time like 2026-08-09T21:05:48.228568804Z."""
    if p + 20 > end or text[p + 4] != MINUS or text[p + 7] != MINUS or text[p + 10] != ord("T"):
        return NO, 0
    if text[p + 13] != COLON or text[p + 16] != COLON:
        return NO, 0
    year, month, day = 100 * _pair(text, p) + _pair(text, p + 2), _pair(text, p + 5), _pair(text, p + 8)
    hour, minute, second = _pair(text, p + 11), _pair(text, p + 14), _pair(text, p + 17)
    is_leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    day_max = 28 + is_leap if month == 2 else 30 + (month + (month > 7)) % 2
    is_date = 1970 <= year < 2262 and 1 <= month <= 12 and 1 <= day <= day_max
    if not is_date or hour < 0 or hour > 23 or minute < 0 or minute > 59 or second < 0 or second > 59:
        return NO, 0
    p += 19
    fraction, places = 0, 0
    if text[p] == POINT:
        p += 1
        while p < end and ZERO <= text[p] <= NINE and places < _PLACES_MAX:
            fraction = 10 * fraction + (text[p] - ZERO)
            p, places = p + 1, places + 1
        if places == 0:
            return NO, 0
    if p >= end or text[p] != ord("Z"):
        return NO, 0
    if month <= 2:
        year, month = year - 1, month + 12
    days = 365 * year + year // 4 - year // 100 + year // 400 + (153 * (month - 3) + 2) // 5 + day - 719469
    seconds = 86400 * days + 3600 * hour + 60 * minute + second
    return (p + 1 if seconds < SECONDS_MAX else NO), seconds * _NS + fraction * _POWERS[_PLACES_MAX - places]
