"""Decimal text to exact integers: no number passes through a float."""

from typing import Any

from operators.kernel import inlined
from operators.tables.ratios import PLACES_MAX

FINE, EMPTY, NOT_A_NUMBER, TOO_LARGE, TOO_FINE = range(5)
"""What came of reading: a number, nothing, something else, more than int64 holds, more decimals than 1e-9."""

_INT64_MAX = (1 << 63) - 1
_DIGITS_FULL = _INT64_MAX // 10
"""From here on another digit might not fit."""
_DOT, _PLUS, _MINUS, _ZERO, _NINE, _E, _E_SMALL = (ord(c) for c in ".+-09Ee")


@inlined
def read_number(block: Any, start: int, end: int, ratios: Any, is_rounded: bool) -> tuple[int, int]:
    """(what came, value in units of 1e-9) of the text in `block[start:end]`: sign, digits, point, digits, exponent.

    With `is_rounded` what is finer than 1e-9 is rounded down.
    """
    i, is_negative = start, False
    if i < end and (block[i] == _MINUS or block[i] == _PLUS):
        is_negative = block[i] == _MINUS
        i += 1
    digits, places, zeros, seen, is_cut, behind = 0, 0, 0, 0, False, False
    while i < end:
        byte = block[i]
        if byte == _DOT and not behind:
            behind = True
        elif _ZERO <= byte <= _NINE:
            seen += 1
            if behind and byte == _ZERO:
                zeros += 1  # counts once a digit follows
            elif digits >= _DIGITS_FULL or places + zeros >= PLACES_MAX:
                if not behind:
                    return TOO_LARGE, 0
                is_cut = True
            else:
                for _ in range(zeros):
                    if digits >= _DIGITS_FULL:
                        break
                    digits *= 10
                    places += 1
                zeros = 0
                is_cut = is_cut or digits >= _DIGITS_FULL
                if not is_cut:
                    digits = 10 * digits + (byte - _ZERO)
                    places += behind
        else:
            break
        i += 1
    if seen == 0:
        return (EMPTY if start == end else NOT_A_NUMBER), 0
    if i < end:
        exponent, is_one = _exponent(block, i, end)
        if not is_one:
            return NOT_A_NUMBER, 0
        places -= exponent
    what, value = _scaled(digits, places, ratios, is_rounded)
    if is_cut and what == FINE and not is_rounded:
        return TOO_FINE, 0
    return what, -value if is_negative else value


@inlined
def _scaled(digits: int, places: int, ratios: Any, is_rounded: bool) -> tuple[int, int]:
    if digits == 0:
        return FINE, 0
    if places < -PLACES_MAX:
        return TOO_LARGE, 0
    if places > PLACES_MAX:
        return (FINE, 0) if is_rounded else (TOO_FINE, 0)
    ratio = ratios[places + PLACES_MAX]
    if ratio.den == 0:
        return (TOO_LARGE if places < 0 else TOO_FINE), 0
    if digits > ratio.most:
        return TOO_LARGE, 0
    value = digits * ratio.num
    if ratio.den == 1:
        return FINE, value
    if value % ratio.den and not is_rounded:
        return TOO_FINE, 0
    return FINE, value // ratio.den


@inlined
def _exponent(block: Any, start: int, end: int) -> tuple[int, bool]:
    """(exponent, whether all of the text is one), from the letter on."""
    if block[start] != _E and block[start] != _E_SMALL:
        return 0, False
    i, is_negative = start + 1, False
    if i < end and (block[i] == _MINUS or block[i] == _PLUS):
        is_negative = block[i] == _MINUS
        i += 1
    exponent, first = 0, i
    while i < end and i - first < 3 and _ZERO <= block[i] <= _NINE:
        exponent = 10 * exponent + (block[i] - _ZERO)
        i += 1
    return (-exponent if is_negative else exponent), i == end and i > first
