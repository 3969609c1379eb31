"""Saying what was wrong with a row of a table: which column, what was expected, what came."""

from collections.abc import Sequence
from enum import IntEnum

from operators.tables import number
from operators.tables.layout import ORDER, ROLES, TIME


class Why(IntEnum):
    """Why the reading of rows stopped. Up to TOO_FINE they are those of `number`."""

    EMPTY = number.EMPTY
    NOT_A_NUMBER = number.NOT_A_NUMBER
    TOO_LARGE = number.TOO_LARGE
    TOO_FINE = number.TOO_FINE
    NEGATIVE = 5
    FIELDS = 6  # too few columns, or too many
    TIME = 7
    WORD = 8  # a side or kind that is not declared
    NO_TEXT = 9  # not of the row: more of the file is needed
    NO_ROOM = 10  # not of the row: what is written has to go first


_EXPECTED = {
    Why.EMPTY: "a number",
    Why.NOT_A_NUMBER: "a plain decimal number",
    Why.TOO_LARGE: "at most 9.2e9",
    Why.TOO_FINE: "no more than nine decimal places",
    Why.NEGATIVE: "no less than 0",
    Why.TIME: "a time as declared",
    Why.WORD: "a declared word",
}


def explain(why: Why, role: int, field: bytes, columns: Sequence[str | int], counts: tuple[int, int]) -> str:
    """`role (column name): expected …, came …`; `counts` are the fields expected and those that came."""
    if why == Why.FIELDS:
        return f"row: expected {counts[0]} columns, came {counts[1]}"
    expected = _EXPECTED[why]
    if role == ORDER:
        expected = "a whole number"
    elif role == TIME and why in (Why.TOO_LARGE, Why.NEGATIVE):
        expected = "a time from 1970 to 2116"
    text = field[:60].decode("ascii", "backslashreplace")
    return f"{ROLES[role].replace('_', ' ')} (column {columns[role]}): expected {expected}, came {text!r}"
