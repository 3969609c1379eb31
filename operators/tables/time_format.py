"""Times as text, by a format of the kind `strptime` has: compiled into steps, and read by a kernel."""

from typing import Any

import numpy as np

from operators.kernel import inlined
from schemas.record import Frame

STEP = np.dtype([("what", "i8"), ("argument", "i8")])
"""A piece of a format: one of the pieces below; of LITERAL the byte, of the others how many digits."""

LITERAL, YEAR, MONTH, DAY, HOUR, MINUTE, SECOND, FRACTION, ZONE_OFFSET = range(9)

_DIRECTIVES = {
    "Y": (YEAR, 4),
    "m": (MONTH, 2),
    "d": (DAY, 2),
    "H": (HOUR, 2),
    "M": (MINUTE, 2),
    "S": (SECOND, 2),
    "f": (FRACTION, 9),
    "z": (ZONE_OFFSET, 0),
}
_SHORT = {"F": "%Y-%m-%d", "T": "%H:%M:%S"}
_DATE = (YEAR, MONTH, DAY)

SECOND_NS = 10**9
DAY_NS = 86_400 * SECOND_NS
_DOT, _PLUS, _MINUS, _COLON, _ZERO, _NINE, _Z = (ord(c) for c in ".+-:09Z")


def steps_of(form: str) -> Frame:
    """The steps of a format. Raises ValueError where it has what is not known, or lacks what a time needs."""
    spelt = form
    for short, long in _SHORT.items():
        spelt = spelt.replace(f"%{short}", long)
    steps: list[tuple[int, int]] = []
    rest = iter(spelt)
    for character in rest:
        if character != "%":
            if not character.isascii():
                raise ValueError(f"{form!r} has {character!r}; formats are ASCII")
            steps.append((LITERAL, ord(character)))
            continue
        directive = next(rest, "")
        if directive not in _DIRECTIVES:
            known = " ".join(f"%{d}" for d in (*_DIRECTIVES, *_SHORT))
            raise ValueError(f"{form!r} has %{directive}; of formats of time are known {known}")
        if directive == "f" and steps and steps[-1] == (LITERAL, _DOT):
            steps.pop()  # the point belongs to the fraction: both may be absent
        steps.append(_DIRECTIVES[directive])
    found = [what for what, _ in steps if what != LITERAL]
    twice = len(set(found)) < len(found)
    if twice or HOUR not in found or 0 < sum(what in found for what in _DATE) < len(_DATE):
        raise ValueError(f"{form!r} is no format of a time: it takes %H, and %Y %m %d all or none, each once")
    return np.array(steps, STEP)


def has_date(steps: Frame) -> bool:
    """Whether a format tells the day."""
    return YEAR in steps["what"]


@inlined
def read_time(block: Any, start: int, end: int, steps: Any, base: int) -> tuple[bool, int, bool]:
    """(whether the text fits, ns since 1970, whether these are UTC and not those of a clock on the wall).

    Where the format tells no day, it is that which starts at `base`.
    """
    year, month, day, hour, minute, second, nanos, offset = 1970, 1, 1, 0, 0, 0, 0, 0
    is_utc, is_dated, at = False, False, start
    for step in steps:
        if step.what == LITERAL:
            if at >= end or block[at] != step.argument:
                return False, 0, False
            at += 1
        elif step.what == FRACTION:
            at, nanos = _fraction(block, at, end)
        elif step.what == ZONE_OFFSET:
            at, offset = _offset(block, at, end)
            is_utc = True
        else:
            to = at + step.argument
            if to > end:
                return False, 0, False
            value = 0
            while at < to and _ZERO <= block[at] <= _NINE:
                value = 10 * value + (block[at] - _ZERO)
                at += 1
            if at < to:
                return False, 0, False
            if step.what == YEAR:
                year, is_dated = value, True
            elif step.what == MONTH:
                month = value
            elif step.what == DAY:
                day = value
            elif step.what == HOUR:
                hour = value
            elif step.what == MINUTE:
                minute = value
            else:
                second = value
        if at < 0:
            return False, 0, False
    is_day = 1970 <= year <= 2100 and 1 <= month <= 12 and 1 <= day <= _days_in(year, month)
    if at != end or not is_day or hour > 23 or minute > 59 or second > 59:
        return False, 0, False
    midnight = _days_since_1970(year, month, day) * DAY_NS if is_dated else base
    return True, midnight + (hour * 3600 + minute * 60 + second - offset) * SECOND_NS + nanos, is_utc


@inlined
def _fraction(block: Any, at: int, end: int) -> tuple[int, int]:
    """(where it ends, ns) of an optional point and up to nine digits; further ones are passed over."""
    if at < end and block[at] == _DOT:
        at += 1
    nanos, unit = 0, SECOND_NS // 10
    while at < end and _ZERO <= block[at] <= _NINE:
        nanos += (block[at] - _ZERO) * unit
        unit //= 10
        at += 1
    return at, nanos


@inlined
def _offset(block: Any, at: int, end: int) -> tuple[int, int]:
    """(where it ends, seconds ahead of UTC) of Z, +hh, +hhmm or +hh:mm; (-1, 0) of anything else."""
    if at < end and block[at] == _Z:
        return at + 1, 0
    if at >= end or (block[at] != _PLUS and block[at] != _MINUS):
        return -1, 0
    is_behind, digits, value = block[at] == _MINUS, 0, 0
    at += 1
    while at < end and digits < 4:
        if _ZERO <= block[at] <= _NINE:
            value = 10 * value + (block[at] - _ZERO)
            digits += 1
        elif block[at] != _COLON or digits != 2:
            break
        at += 1
    if digits == 2:
        value *= 100
    elif digits != 4:
        return -1, 0
    seconds = value // 100 * 3600 + value % 100 * 60
    return at, -seconds if is_behind else seconds


@inlined
def _days_in(year: int, month: int) -> int:
    if month == 2:
        return 29 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 28
    return 30 if month in (4, 6, 9, 11) else 31


@inlined
def _days_since_1970(year: int, month: int, day: int) -> int:
    """Days of the Gregorian calendar; years are counted from March, so that a leap day ends one."""
    if month <= 2:
        year -= 1
    from_march = (month + 9) % 12
    return 365 * year + year // 4 - year // 100 + year // 400 + (153 * from_march + 2) // 5 + day - 719_469
