"""Reading the tables: one statement that cannot write, as a table for people, CSV or JSON lines."""

import io
import json
import re
from collections.abc import Iterator
from itertools import islice
from typing import IO, Literal, cast

from rich.console import Console
from rich.table import Table

from operators.sinks.address import Address
from operators.sinks.connection import client
from operators.sinks.faults import reported
from schemas.errors import TargetError

Format = Literal["table", "csv", "json"]

ROWS_SHOWN = 1000
"""Rows that a `table` shows at most."""

_ENGINE_FORMATS = {"table": "JSONCompactStringsEachRowWithNamesAndTypes", "csv": "CSVWithNames", "json": "JSONEachRow"}
_READS = ("SELECT", "WITH", "SHOW", "DESCRIBE", "EXPLAIN", "EXISTS")
_STRINGS = re.compile(r"'(?:[^'\\]|\\.)*'|`(?:[^`\\]|\\.)*`", re.DOTALL)
_NUMBERS = re.compile(r"(Nullable\()?(U?Int|Float|Decimal)")


def query(dsn: str, sql: str, fmt: Format = "table", *, width: int | None = None) -> Iterator[str]:
    """The result of one reading statement, as pieces of text; nothing is asked before the first is taken.

    `table` draws at most ROWS_SHOWN rows, `width` characters wide (the terminal's where None); `csv` has a
    line of names; `json` is one object per line. Rows are read with FINAL: each counts once.

    Raises TargetError, in one line, for a statement that is wrong or does more than read.
    """
    address = Address.parse(dsn)
    reader = client(address, readonly=True)
    sql = sql.strip().rstrip(";")
    with reported(address):
        parsed = reader.query("SELECT formatQuerySingleLine({sql:String})", parameters={"sql": sql}).result_rows
        _refuse_writing(parsed[0][0])
        # The whole result is checked before the first row is sent: an error cannot hide behind rows.
        stream = reader.raw_stream(sql, fmt=_ENGINE_FORMATS[fmt], settings={"wait_end_of_query": 1})
        if hasattr(stream, "auto_close"):
            stream.auto_close = False  # urllib3 would close it under the reader's hands, its last lines unread
        lines = io.TextIOWrapper(io.BufferedReader(cast(io.RawIOBase, stream)), "utf-8", newline="")
        yield from _drawn(lines, width) if fmt == "table" else lines


def _refuse_writing(statement: str) -> None:
    """Refuse what a read-only session lets through: KILL, USE, SET, files. `statement` is as the engine formats it."""
    bare = _STRINGS.sub("''", statement)
    word = bare.partition(" ")[0]
    if word not in _READS or "INTO OUTFILE" in bare:
        what = "INTO OUTFILE" if word in _READS else word
        raise TargetError(f"{what} is not reading; write {', '.join(_READS[:-1])} or {_READS[-1]}")


def _drawn(lines: IO[str], width: int | None) -> Iterator[str]:
    names, types = json.loads(lines.readline() or "[]"), json.loads(lines.readline() or "[]")
    table = Table(header_style="bold")
    for name, kind in zip(names, types, strict=True):
        table.add_column(name, justify="right" if _NUMBERS.match(kind) else "left")
    for line in islice(lines, ROWS_SHOWN):
        table.add_row(*json.loads(line))
    console = Console(width=width)
    with console.capture() as capture:
        console.print(table)
    yield capture.get()
    if next(lines, None) is not None:
        yield f"the first {ROWS_SHOWN} rows; csv and json have them all\n"
