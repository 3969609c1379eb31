"""Frames become the rows that an exact, row-by-row conversion gives."""

from fractions import Fraction

import numpy as np
import pytest

from operators.sinks.columns import Columns
from schemas.errors import ConfigError, InvariantError
from schemas.market import DEAD_LETTERS
from schemas.record import Column, Kind, Schema, schema
from schemas.tables import TABLES
from tests.operators.sinks.samples import DESK, expected, frame


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("of", TABLES.values(), ids=lambda of: of.name)
def test_rows_are_those_of_an_exact_conversion(of, seed):
    rows = frame(of, seed)
    table = Columns(of, "r", DESK).table(7, rows)
    assert len(table.to_batches()) == 1
    assert table.column_names == ["run", "desk", "seq", *(c.name for c in of.columns)]
    assert plain(of, table.to_pylist(), table) == expected(of, "r", DESK, 7, rows)
    assert Columns(of, "r", DESK).table(7, rows[:0]).num_rows == 0


def plain(of: Schema, rows, table):
    """Arrow's rows with enums as names and times as text, as a person sees them in ClickHouse."""
    for column in of.columns:
        if column.kind is Kind.TIME:
            texts = [str(np.datetime64(t.value, "ns")).replace("T", " ") for t in table[column.name]]
            for row, text in zip(rows, texts, strict=True):
                row[column.name] = text
        labels = {1: "buy", 0: "none", -1: "sell"} if column.kind is Kind.SIDE else None
        if column.labels is not None:
            labels = {m.value: m.name.lower() for m in column.labels}
        if labels is not None:
            for row in rows:
                row[column.name] = labels[row[column.name]]
    return rows


@pytest.mark.parametrize(
    ("of", "values", "said"),
    [
        ("quotes", {"instrument": -1, "bid": 1}, "bid: 1 ticks without an instrument"),
        ("quotes", {"instrument": 3}, "instrument: index 3 is none of the desk's 3"),
        ("quotes", {"instrument": -2}, "instrument: index -2 is none"),
        ("signals", {"pair": 2}, "pair: index 2 is none of the desk's 2"),
        ("signals", {"action": 4}, "action: 4 is none of the column's values"),
        ("signals", {"action": 257}, "action: 257 is none of the column's values"),
        ("signals", {"side": 2}, "side: 2 is none of the column's values"),
    ],
)
def test_what_the_table_cannot_hold_is_named(of, values, said):
    rows = np.zeros(2, TABLES[of].dtype)
    if "action" in rows.dtype.names:
        rows["action"] = 1
    for name, value in {"cause": 8, **values}.items():
        if of == "quotes" and name != "instrument":
            rows["instrument"][1] = values.get("instrument", 1)
        rows[name][1] = value
    with pytest.raises(InvariantError) as e:
        Columns(TABLES[of], "r", DESK).table(70, rows)
    assert str(e.value).startswith(f"desk 'eu', {of} row 71 (cause 8), column {said}")


@pytest.mark.parametrize("count", [0, 1, -1, 10**12, 9_223_372_036, 9_223_372_037, 2**63 - 1, -(2**63) + 1, -(2**63)])
def test_decimals_are_exact_however_large(count):
    """Of B, a tick is 0.5 and a lot 0.001: from 2**63 / 5e8 ticks on, nano-units need more than 64 bits."""
    rows = np.zeros(1, TABLES["quotes"].dtype)
    rows["instrument"], rows["bid"], rows["bid_qty"] = 1, count, count
    stored = Columns(TABLES["quotes"], "r", DESK).table(1, rows).to_pylist()[0]
    assert Fraction(stored["bid"]) == Fraction(count, 2)
    assert Fraction(stored["bid_qty"]) == Fraction(count, 1000)
    rows = np.zeros(1, TABLES["equity"].dtype)
    rows["net"] = count
    stored = Columns(TABLES["equity"], "r", DESK).table(1, rows).to_pylist()[0]
    assert Fraction(stored["net"]) == Fraction(count, 10**8)


def test_a_price_needs_an_instrument():
    orphan = schema("orphan", "", Column("level", Kind.PRICE, ""))
    with pytest.raises(ConfigError, match="'orphan' has price column 'level' but no instrument column"):
        Columns(orphan, "r", DESK)


def test_bytes_and_text_pass_unchanged():
    rows = DEAD_LETTERS.rows([(1, 2, 0, "naïve – µ", b"\x00\xff'\n")])
    stored = Columns(DEAD_LETTERS, "r", DESK).table(1, rows).to_pylist()[0]
    assert (stored["reason"], stored["bytes"], stored["feed"]) == ("naïve – µ", b"\x00\xff'\n", "one")
