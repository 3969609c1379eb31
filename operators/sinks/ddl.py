"""Tables: how they are created, and how they follow a newer pairflow.

Every table is a ReplacingMergeTree ordered by (run, desk, seq). The sink never writes a row twice on
purpose, but a process can die with an insert still on its way, and its successor, which cannot know,
writes the same rows again. Equal rows then share their key, and FINAL (or any later merge) leaves one.
"""

import re
from dataclasses import dataclass

from schemas.errors import TargetError
from schemas.record import Schema

KEY = (
    ("run", "LowCardinality(String)", "name of the run"),
    ("desk", "LowCardinality(String)", "desk within the run"),
    ("seq", "Int64", "number of the row in this table for this run and desk, from 1 and without holes"),
)
_ENGINE = "ReplacingMergeTree"
_SORTING_KEY = ", ".join(name for name, _, _ in KEY)

_DEDUPLICATION_WINDOW = 1000
"""Inserts whose tokens a table remembers; one repeated after its answer was lost is then ignored."""


@dataclass(frozen=True)
class Table:
    """A table: its columns as (name, ClickHouse type, comment), those of the key first."""

    name: str
    doc: str
    columns: tuple[tuple[str, str, str], ...]
    defaults: tuple[tuple[str, str], ...] = ()
    """Columns that the server fills in: (name, expression)."""


@dataclass(frozen=True)
class Existing:
    """What the target already has under a table's name."""

    engine: str
    sorting_key: str
    columns: dict[str, str]
    """Column name -> ClickHouse type."""


def table_of(schema: Schema) -> Table:
    """The table that holds the rows of `schema`."""
    return Table(schema.name, schema.doc, KEY + tuple((c.name, c.clickhouse, c.doc) for c in schema.columns))


def create(table: Table) -> str:
    """The statement that creates `table`."""
    columns = ",\n    ".join(_column(table, *column) for column in table.columns)
    return (
        f"CREATE TABLE IF NOT EXISTS {table.name} (\n    {columns}\n) ENGINE = {_ENGINE} ORDER BY ({_SORTING_KEY})\n"
        f"SETTINGS non_replicated_deduplication_window = {_DEDUPLICATION_WINDOW}\nCOMMENT {literal(table.doc)}"
    )


def alter(table: Table, existing: Existing, where: str) -> list[str]:
    """Statements that bring an existing table up to `table`; columns of the user's own are left alone.

    Raises TargetError where its engine, key or a column's type is not ours: rows would be lost or misread.
    """
    if not existing.engine.endswith(_ENGINE) or existing.sorting_key != _SORTING_KEY:
        raise TargetError(
            f"table {table.name} at {where} is a {existing.engine} ordered by ({existing.sorting_key}), pairflow "
            f"needs a {_ENGINE} ordered by ({_SORTING_KEY}); rename that table or use another database"
        )
    statements = []
    for column in table.columns:
        name, wanted, _ = column
        found = existing.columns.get(name)
        if found is None:
            statements.append(f"ALTER TABLE {table.name} ADD COLUMN IF NOT EXISTS {_column(table, *column)}")
        elif found != wanted:
            if not _members(found) or not _members(found) <= _members(wanted):
                raise TargetError(
                    f"table {table.name} at {where} has column {name} as {found}, pairflow writes {wanted}; "
                    "rename that table or use another database"
                )
            statements.append(f"ALTER TABLE {table.name} MODIFY COLUMN {quoted(name)} {wanted}")
    return statements


def literal(text: str) -> str:
    """`text` as a ClickHouse string literal."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def quoted(name: str) -> str:
    """A column name that may be a word of the language."""
    return f"`{name}`"


def _column(table: Table, name: str, kind: str, doc: str) -> str:
    default = dict(table.defaults).get(name)
    return f"{quoted(name)} {kind}{f' DEFAULT {default}' if default else ''} COMMENT {literal(doc)}"


def _members(kind: str) -> set[str]:
    """Members of an enum type; empty for any other type."""
    return set(re.findall(r"'[^']*' = -?\d+", kind)) if kind.startswith("Enum8(") else set()


RUNS = Table(
    "runs",
    "Every run, one row per desk: what it was configured to do. Written once, before its first row.",
    (
        *KEY,
        ("cause", "Int64", "0: no input yet"),
        ("ts", "DateTime64(9, 'UTC')", "1970: no input yet"),
        ("digest", "String", "digest of the configuration; a run keeps the one it started with"),
        ("config", "String", "the configuration, YAML"),
        ("version", "String", "pairflow that started the run"),
        ("state_version", "Int32", "version of the form of its checkpoints"),
        ("created_at", "DateTime('UTC')", "when it was first started, by the target's clock"),
    ),
    (("created_at", "now()"),),
)

INSTRUMENTS = Table(
    "instruments",
    "The instruments of every run and desk, as configured.",
    (
        *KEY,
        ("instrument", "LowCardinality(String)", "instrument"),
        ("venue", "LowCardinality(String)", "where it trades"),
        ("symbol", "LowCardinality(String)", "the venue's own symbol"),
        ("currency", "LowCardinality(String)", "currency of the price"),
        ("tick", "Decimal(18, 9)", "smallest price step"),
        ("lot", "Decimal(18, 9)", "smallest quantity step"),
        ("multiplier", "Decimal(18, 9)", "units of the underlying per unit of quantity"),
    ),
)
