import struct

import numpy as np
import pytest

from operators.feeds.itch_layout import BY_CODE, MESSAGES, layout_table
from tests.operators.feeds.itch_reference import DECODED, FORMATS, LENGTHS


def test_it_has_every_type_of_the_specification_with_its_length() -> None:
    assert {chr(m.code): m.length for m in MESSAGES} == LENGTHS
    assert {chr(m.code) for m in MESSAGES if m.kind} == set(DECODED)


@pytest.mark.parametrize(
    ("types", "field", "position"),
    [
        ("AFECXDUP", "order", 4),
        ("U", "order_new", 5),
        ("AFP", "side", 5),
        ("ECX", "shares", 5),
        ("AFPU", "shares", 6),
        ("RH", "stock", 4),
        ("AFP", "stock", 7),
        ("AFP", "price", 8),
        ("C", "price", 8),
        ("U", "price", 7),
        ("H", "state", 5),
    ],
)
def test_offsets_are_those_of_the_fields(types: str, field: str, position: int) -> None:
    for code in types:
        *before, _ = _fields(FORMATS[code])[: position + 1]
        assert getattr(BY_CODE[ord(code)], field) == struct.calcsize(">" + "".join(before)), code


def test_types_have_no_other_fields() -> None:
    present = {
        chr(m.code): {f for f in ("order", "order_new", "side", "shares", "stock", "price", "state") if getattr(m, f)}
        for m in MESSAGES
    }
    assert present == {code: set() for code in LENGTHS} | {
        "R": {"stock"},
        "H": {"stock", "state"},
        "A": {"order", "side", "shares", "stock", "price"},
        "F": {"order", "side", "shares", "stock", "price"},
        "P": {"order", "side", "shares", "stock", "price"},
        "E": {"order", "shares"},
        "C": {"order", "shares", "price"},
        "X": {"order", "shares"},
        "D": {"order"},
        "U": {"order", "order_new", "shares", "price"},
    }


def test_bytes_that_are_no_type_have_length_zero() -> None:
    table = layout_table()
    assert len(table) == 256
    assert np.flatnonzero(table["length"]).tolist() == sorted(BY_CODE)


def _fields(layout: str) -> list[str]:
    fields, count = [], ""
    for letter in layout[1:]:
        if letter.isdigit():
            count += letter
        elif letter == "s":
            fields.append(count + letter)
            count = ""
        else:
            fields += [letter] * int(count or 1)
            count = ""
    return fields
