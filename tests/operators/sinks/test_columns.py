"""Frames become the rows that an exact, row-by-row conversion gives."""

from decimal import Decimal

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
        ("quotes", {"bid": 2 * 10**9 + 1}, "bid: 2000000001 ticks of B do not fit Decimal(18, 9)"),
        ("quotes", {"bid": -(2**63)}, "bid: -9223372036854775808 ticks of B do not fit"),
        ("quotes", {"bid_qty": 10**12 + 1}, "bid_qty: 1000000000001 lots of B do not fit"),
        ("quotes", {"instrument": -1, "bid": 1}, "bid: 1 ticks without an instrument"),
        ("quotes", {"instrument": 3}, "instrument: index 3 is none of the desk's 3"),
        ("quotes", {"instrument": -2}, "instrument: index -2 is none"),
        ("equity", {"net": 10**18}, "net: 1000000000000000000 quanta of 1e-8 do not fit Decimal(18, 8)"),
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


def test_the_largest_decimals_are_exact():
    rows = np.zeros(1, TABLES["quotes"].dtype)
    rows["instrument"], rows["bid"], rows["bid_qty"] = 1, 2 * 10**9 - 1, 10**12 - 1
    stored = Columns(TABLES["quotes"], "r", DESK).table(1, rows).to_pylist()[0]
    assert stored["bid"] == Decimal("999999999.5")
    assert stored["bid_qty"] == Decimal("999999999.999")


def test_a_price_needs_an_instrument():
    orphan = schema("orphan", "", Column("level", Kind.PRICE, ""))
    with pytest.raises(ConfigError, match="'orphan' has price column 'level' but no instrument column"):
        Columns(orphan, "r", DESK)


def test_bytes_and_text_pass_unchanged():
    rows = DEAD_LETTERS.rows([(1, 2, 0, "naïve – µ", b"\x00\xff'\n")])
    stored = Columns(DEAD_LETTERS, "r", DESK).table(1, rows).to_pylist()[0]
    assert (stored["reason"], stored["bytes"], stored["feed"]) == ("naïve – µ", b"\x00\xff'\n", "one")
