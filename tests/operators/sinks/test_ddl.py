"""How an existing table follows a newer pairflow, or is refused."""

import pytest

from operators.sinks import ddl
from schemas.errors import TargetError
from schemas.tables import TABLES

SIGNALS = ddl.table_of(TABLES["signals"])


def existing(engine="ReplacingMergeTree", key="run, desk, seq", **changed):
    columns = {name: kind for name, kind, _ in SIGNALS.columns} | changed
    return ddl.Existing(engine, key, {name: kind for name, kind in columns.items() if kind})


def test_an_up_to_date_table_is_left_alone():
    assert ddl.alter(SIGNALS, existing(mine="String"), "db") == []
    assert ddl.alter(SIGNALS, existing(engine="SharedReplacingMergeTree"), "db") == []


def test_missing_columns_are_added_with_their_comment():
    assert ddl.alter(SIGNALS, existing(z=""), "db") == [
        "ALTER TABLE signals ADD COLUMN IF NOT EXISTS `z` Float64 COMMENT 'z-score at the decision'"
    ]


def test_missing_enum_members_are_added():
    assert ddl.alter(SIGNALS, existing(action="Enum8('enter' = 1, 'exit' = 2)"), "db") == [
        "ALTER TABLE signals MODIFY COLUMN `action` Enum8('enter' = 1, 'exit' = 2, 'stop' = 3)"
    ]


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ({"z": "Float32"}, "column z as Float32, pairflow writes Float64"),
        ({"action": "Enum8('enter' = 2, 'exit' = 1)"}, "column action as Enum8"),
        ({"action": "String"}, "column action as String"),
        ({"engine": "MergeTree"}, "is a MergeTree ordered by"),
        ({"key": "seq"}, r"ordered by \(seq\)"),
    ],
)
def test_other_tables_are_refused(found, said):
    with pytest.raises(TargetError, match=said):
        ddl.alter(SIGNALS, existing(**found), "db")


def test_literals_are_escaped():
    assert ddl.literal("it's a \\ b") == r"'it\'s a \\ b'"
