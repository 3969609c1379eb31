"""Queries read, in three formats, and can do nothing else."""

import csv
import json

import pytest

from operators.sinks.address import Address
from operators.sinks.columns import Columns
from operators.sinks.connection import client
from operators.sinks.query import ROWS_SHOWN, query
from operators.sinks.target import Target
from schemas.errors import TargetError
from schemas.trade import FILLS
from tests.operators.sinks.conftest import in_own_process
from tests.operators.sinks.samples import DESK, fills

WRITES = (
    "INSERT INTO fills (run) VALUES ('x')",
    "INSERT INTO FUNCTION file('{path}', 'CSV') SELECT 1",
    "DROP TABLE fills",
    "ALTER TABLE fills DELETE WHERE 1",
    "TRUNCATE TABLE fills",
    "OPTIMIZE TABLE fills FINAL",
    "CREATE TABLE other (a Int8) ENGINE = Memory",
    "CREATE TEMPORARY TABLE other (a Int8)",
    "SELECT 1 INTO OUTFILE '{path}'",
    "/* a */ select 1\ninto  -- b\n outfile '{path}'",
    "KILL QUERY WHERE 1",
    "USE system",
    "SET readonly = 0",
    "SELECT 1 SETTINGS readonly = 0",
    "SYSTEM RELOAD CONFIG",
    "SELECT 1; DROP TABLE fills",
    "GRANT ALL ON *.* TO default",
)


def write_some(dsn):
    target = Target(dsn)
    target.prepare([FILLS])
    for token in "ab":
        target.insert("fills", Columns(FILLS, "r", DESK).table(1, fills(1, 3)), token)


def attempt_writes(dsn, path):
    """Every statement is refused in one line, and none has done anything."""
    before = client(Address.parse(dsn)).query("SELECT count() FROM fills").result_rows
    for statement in WRITES:
        with pytest.raises(TargetError) as e:
            list(query(dsn, statement.format(path=path)))
        assert "\n" not in str(e.value)
    assert client(Address.parse(dsn)).query("SELECT count() FROM fills").result_rows == before
    tables = "".join(query(dsn, "SHOW TABLES", "csv")).split()
    assert tables == ['"name"', '"fills"', '"instruments"', '"pnl_by_pair"', '"runs"', '"trades"']


def test_nothing_is_written_over_http(database, tmp_path):
    write_some(database)
    attempt_writes(database, str(tmp_path / "file"))
    assert not any(tmp_path.iterdir())


def embedded(directory, path):
    dsn = f"chdb://{directory}"
    write_some(dsn)
    attempt_writes(dsn, path)
    assert "".join(query(dsn, "SELECT count() FROM fills", "csv")) == '"count()"\n3\n'
    write_some(dsn)  # the writing client still writes


def test_nothing_is_written_in_the_embedded_engine(tmp_path):
    in_own_process("test_query:embedded", tmp_path / "db", tmp_path / "file")
    assert [p.name for p in tmp_path.iterdir()] == ["db"]


@pytest.fixture(scope="module")
def filled(clickhouse):
    dsn = clickhouse.new_database("queries")
    write_some(dsn)
    return dsn


def test_csv(filled):
    text = "".join(query(filled, "SELECT seq, price, side, 'a\"b,\nc' AS s FROM fills ORDER BY seq", "csv"))
    assert list(csv.reader(text.splitlines(keepends=True))) == [
        ["seq", "price", "side", "s"],
        ["1", "5000.5", "sell", 'a"b,\nc'],
        ["2", "2500.5", "buy", 'a"b,\nc'],
        ["3", "100.03", "sell", 'a"b,\nc'],
    ]


def test_json_lines(filled):
    lines = list(query(filled, "select seq, instrument from fills order by seq limit 2;\n", "json"))
    assert [json.loads(line) for line in lines] == [{"seq": 1, "instrument": "B"}, {"seq": 2, "instrument": "F"}]


def test_rows_are_read_once_although_written_twice(filled):
    assert "".join(query(filled, "SELECT count() FROM fills", "csv")).split() == ['"count()"', "3"]


def test_table(filled):
    lines = "".join(
        query(filled, "SELECT seq, desk, [1] AS a, NULL AS n FROM fills ORDER BY seq", width=60)
    ).splitlines()
    assert lines[1].split() == ["┃", "seq", "┃", "desk", "┃", "a", "┃", "n", "┃"]
    assert lines[3].startswith("│   1 │ eu   │ [1] │")
    assert len(lines) == 7


def test_a_table_for_people_ends(filled):
    text = "".join(query(filled, f"SELECT number FROM numbers({ROWS_SHOWN + 1})"))
    assert f"the first {ROWS_SHOWN} rows" in text
    assert f" {ROWS_SHOWN - 1} " in text
    assert f" {ROWS_SHOWN} │" not in text
    assert "the first" not in "".join(query(filled, f"SELECT number FROM numbers({ROWS_SHOWN})"))


def test_no_rows(filled):
    assert "seq" in "".join(query(filled, "SELECT seq FROM fills WHERE 0"))
    assert list(query(filled, "SELECT seq FROM fills WHERE 0", "json")) == []


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("seelct seq from fills", "Syntax error"),
        ("SELECT nope FROM fills", "Unknown expression identifier"),
        ("SELECT throwIf(number = 100000) FROM numbers(200000)", "throwIf"),
        ("", "Empty query"),
    ],
)
@pytest.mark.parametrize("fmt", ["table", "csv", "json"])
def test_errors_are_one_line(filled, sql, said, fmt):
    with pytest.raises(TargetError, match=said) as e:
        list(query(filled, sql, fmt))
    assert "\n" not in str(e.value)
