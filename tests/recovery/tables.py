"""The tables of a run as rows of text, and what must hold between those of two runs."""

import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

from operators import registry
from schemas.learn import FEATURES, MODEL_FAILURES
from schemas.signal import SPREAD_QUOTES
from schemas.tables import TABLES
from tests.conftest import ROOT
from tests.recovery.session import OPERATORS

WRITTEN = tuple(
    name
    for name in dict.fromkeys(
        schema.name for operator in OPERATORS for schema in registry.find(operator["type"]).outputs.values()
    )
    if name in TABLES and name != FEATURES.name
)
"""The tables of the session's graph, which writes all that it can but the densest."""

Row = tuple[str, ...]
Tables = dict[str, list[Row]]
"""Table name -> its column names, then its rows by run, desk and seq, which are its first three columns."""


def dump(target: str, folder: Path) -> Tables:
    """Every table of the target at a DSN."""
    command = [sys.executable, "-m", "tests.recovery.dump", target, str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, timeout=120)
    return read(folder)


def read(folder: Path) -> Tables:
    """Tables that were dumped before."""
    return {path.stem: _rows(path.read_bytes().decode("latin-1")) for path in folder.glob("*.tsv")}


def _rows(text: str) -> list[Row]:
    return [tuple(line.split("\t")) for line in text.split("\n")[:-1]]


def target_of(config: Path) -> str:
    """The embedded target beside a configuration."""
    return f"chdb://{config.parent / 'clickhouse'}"


def assert_equal(found: Tables, expected: Tables) -> None:
    """Equal row for row, every column."""
    assert found.keys() == expected.keys()
    for table, rows in expected.items():
        for i, (ours, theirs) in enumerate(zip(found[table], rows, strict=False)):
            assert ours == theirs, f"{table}, row {i}"
        assert len(found[table]) == len(rows), table


def assert_equal_but_configuration(found: Tables, expected: Tables) -> None:
    """Equal row for row, except for the text of the configuration, which tells target and runtime."""
    assert_equal(_without_configuration(found), _without_configuration(expected))


def _without_configuration(tables: Tables) -> Tables:
    position = tables["runs"][0].index("config")
    return tables | {"runs": [row[:position] + row[position + 1 :] for row in tables["runs"]]}


def assert_numbered(tables: Tables) -> None:
    """Nothing twice and nothing missing: every desk's rows are numbered from 1 without holes."""
    for table, (_, *rows) in tables.items():
        counts: Counter[str] = Counter()
        for _, desk, seq, *_ in rows:
            counts[desk] += 1
            assert int(seq) == counts[desk], f"{table} of desk {desk}: row {counts[desk]} has number {seq}"


def assert_full(tables: Tables, desks: int) -> None:
    """Every table has rows of every desk."""
    for table in set(WRITTEN) - {SPREAD_QUOTES.name, MODEL_FAILURES.name}:  # nothing asks for those, nothing fails
        assert len({desk for _, desk, *_ in tables[table][1:]}) == desks, table


def assert_stopped_within(found: Tables, expected: Tables) -> None:
    """Each desk ends behind some entry of its input: all rows up to there, none that came later."""
    last = _last_causes(found)
    for desk, end in _last_causes(expected).items():
        assert desk not in last or last[desk] < end, f"{desk} had reached the end"
    for table in WRITTEN:
        (names, *rows), (_, *all_rows) = found[table], expected[table]
        cause = names.index("cause")
        assert rows == [row for row in all_rows if int(row[cause]) <= last.get(row[1], 0)], table


def column(tables: Tables, table: str, name: str) -> list[str]:
    """One column of a table."""
    names, *rows = tables[table]
    position = names.index(name)
    return [row[position] for row in rows]


_ESCAPES = {"0": "\0", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "\\": "\\", "'": "'"}


def unescaped(field: str) -> bytes:
    """The bytes that ClickHouse wrote as a field of TabSeparated."""
    return re.sub(r"\\(.)", lambda match: _ESCAPES[match[1]], field).encode("latin-1")


def _last_causes(tables: Tables) -> dict[str, int]:
    last: dict[str, int] = {}
    for table in WRITTEN:
        names, *rows = tables[table]
        for row in rows:
            last[row[1]] = max(last.get(row[1], 0), int(row[names.index("cause")]))
    return last
