import struct
from dataclasses import fields

import numpy as np
import pytest

from operators.feeds.itch_layout import BY_CODE, MESSAGES, Layout, code_table, layout_table
from tests.operators.feeds.itch_reference import CODES, DECODED, FORMATS, LENGTHS, REMARKED, STOCK_AT

ABOUT = ("code", "length", "kind", "coded", "codes")


def test_it_has_every_type_of_the_specification_with_its_length() -> None:
    assert {chr(m.code): m.length for m in MESSAGES} == LENGTHS
    assert {chr(m.code) for m in MESSAGES if m.kind > 0} == set(DECODED)
    assert {chr(m.code) for m in MESSAGES if m.kind < 0} == set(REMARKED)


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
        ("h", "stock", 4),
        ("h", "market", 5),
        ("h", "action", 6),
        ("Q", "shares", 4),
        ("Q", "stock", 5),
        ("Q", "price", 6),
    ],
)
def test_offsets_are_those_of_the_fields(types: str, field: str, position: int) -> None:
    for code in types:
        *before, _ = _fields(FORMATS[code])[: position + 1]
        assert getattr(BY_CODE[ord(code)], field) == struct.calcsize(">" + "".join(before)), code


def test_types_have_no_other_fields() -> None:
    present = {
        chr(m.code): {f.name for f in fields(Layout) if f.name not in ABOUT and getattr(m, f.name)} for m in MESSAGES
    }
    assert present == {code: {"stock"} if code in STOCK_AT else set() for code in LENGTHS} | {
        "R": {"stock"},
        "H": {"stock", "state"},
        "h": {"stock", "market", "action"},
        "Q": {"shares", "stock", "price", "wide"},
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


def test_coded_fields_lie_where_the_specification_has_them() -> None:
    expected = {
        (code, struct.calcsize(">" + "".join(_fields(FORMATS[code])[:position])), frozenset(known))
        for code, positions in CODES.items()
        for position, known in positions.items()
    }
    found = {
        (chr(row["type"]), int(row["offset"]), frozenset(c for c in range(128) if _bits(row) >> c & 1))
        for row in code_table()
    }
    assert found == expected
    for m in MESSAGES:
        own = code_table()[m.coded : m.coded + m.codes]
        assert {chr(row["type"]) for row in own} <= {chr(m.code)}
        assert len(own) == len(CODES.get(chr(m.code), ()))


def _bits(row: np.void) -> int:
    return int(row["high"]) << 64 | int(row["low"])


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
