"""Kernels that read times as logs write them, as ns UTC."""

from typing import Any

from operators.kernel import kernel

_DAY_NS = 86_400 * 10**9
_NS = 10**9
_YEAR_FIRST, _YEAR_LAST = 1970, 2261
_BRACKETS_MOST = 4


@kernel
def log_time(block: Any, start: int, stop: int) -> int:
    """The time that the line at `start` begins with, behind spaces and brackets; -1 where there is none.

    Either `20111124-05:33:31.763`, `2011-11-24 05:33:31,763`, or seconds, ms, µs or ns since 1970.
    """
    i = start
    while i < stop and i - start < _BRACKETS_MOST and block[i] in (32, 34, 40, 60, 91):
        i += 1
    digits = i
    while digits < stop and 48 <= block[digits] <= 57 and digits - i < 20:
        digits += 1
    size = digits - i
    if size in (4, 8):
        return timestamp(block, i, stop)
    if size not in (10, 13, 16, 19):
        return -1
    number = _digits(block, i, size, stop)
    unit = 1
    for _ in range(19 - size):
        unit *= 10
    return number * unit if number <= (_YEAR_LAST - _YEAR_FIRST) * 366 * _DAY_NS // unit else -1


@kernel
def timestamp(block: Any, i: int, stop: int) -> int:
    """A date and a time of day at `i`, to the nanosecond; -1 where there is none."""
    year = _digits(block, i, 4, stop)
    is_iso = i + 4 < stop and block[i + 4] == 45
    i += 5 if is_iso else 4
    month = _digits(block, i, 2, stop)
    i += 2
    if is_iso:
        if i >= stop or block[i] != 45:
            return -1
        i += 1
    day = _digits(block, i, 2, stop)
    i += 2
    if i >= stop or block[i] not in (45, 32, 84):
        return -1
    time = _time_of_day(block, i + 1, stop)
    if time < 0 or not (_YEAR_FIRST <= year <= _YEAR_LAST and 1 <= month <= 12 and 1 <= day <= 31):
        return -1
    return _days(year, month, day) * _DAY_NS + time


@kernel
def _time_of_day(block: Any, i: int, stop: int) -> int:
    hours, minutes, seconds = _digits(block, i, 2, stop), _digits(block, i + 3, 2, stop), _digits(block, i + 6, 2, stop)
    if not (0 <= hours < 24 and 0 <= minutes < 60 and 0 <= seconds <= 60):
        return -1
    if block[i + 2] != 58 or block[i + 5] != 58:
        return -1
    time = ((hours * 60 + minutes) * 60 + seconds) * _NS
    i += 8
    if i < stop and block[i] in (46, 44):
        unit = _NS // 10
        i += 1
        while i < stop and 48 <= block[i] <= 57:
            time += (block[i] - 48) * unit
            unit //= 10
            i += 1
    return time


@kernel
def _digits(block: Any, i: int, size: int, stop: int) -> int:
    """The number that `size` digits at `i` make; -1 where they are not all digits."""
    if i + size > stop:
        return -1
    number = 0
    for j in range(i, i + size):
        if not 48 <= block[j] <= 57:
            return -1
        number = 10 * number + (block[j] - 48)
    return number


@kernel
def _days(year: int, month: int, day: int) -> int:
    """Days since 1970-01-01 (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms")."""
    y = year - 1 if month <= 2 else year
    era = y // 400
    of_era = y - era * 400
    of_year = (153 * (month - 3 if month > 2 else month + 9) + 2) // 5 + day - 1
    return era * 146_097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719_468
