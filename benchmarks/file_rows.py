"""Files of rows into events: source and decoder on one core.

    python -m benchmarks.file_rows

A million made-up rows of best prices, zipped as LEAN writes them, as CSV with a header, and as Parquet. Figures are
rows per second of processor time, the best of several rounds, decompression included.
"""

import tempfile
import time
import zipfile
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import csv, parquet

from operators.feeds.rows import Rows
from operators.operator import Desk, Feed
from operators.sources.desk_input import DeskInput
from operators.sources.file_feed import LeanFeed, RowsFeed, TableFeed
from schemas.instrument import Instrument

_ROWS = 1_000_000
_ROUNDS = 5
_FRAME = 4_096

_FILE: dict[str, Any] = {"id": "file", "instruments": ["A"]}
_LEAN = {
    **_FILE,
    "format": "lean",
    "path": "ticks.zip",
    "ticks": "equity_quote",
    "date": "2013-10-07",
    "timezone": "America/New_York",
}
_COLUMNS = {"time": {"column": "ts", "unit": "ns"}, "bid": "bid", "bid_qty": "bq", "ask": "ask", "ask_qty": "aq"}
_TABLE = {**_FILE, "format": "table", "table": {"rows": "quotes", "columns": _COLUMNS}}


def measured(folder: Path) -> dict[str, float]:
    """Rows per second by kind of file."""
    _write(folder)
    tables = [TableFeed.model_validate(_TABLE | {"path": path}) for path in ("table.csv", "table.parquet")]
    feeds: list[RowsFeed] = [LeanFeed.model_validate(_LEAN), *tables]
    return {feed.path: _fastest(feed, folder / feed.path) for feed in feeds}


def _write(folder: Path) -> None:
    rng = np.random.default_rng(1)
    bid = 140_000 + np.cumsum(rng.integers(-1, 2, _ROWS))
    ask, step = bid + rng.integers(1, 4, _ROWS), np.arange(_ROWS)
    sizes = rng.integers(1, 99, (2, _ROWS)) * 100
    prices = {"bid": bid / 10_000, "bq": sizes[0], "ask": ask / 10_000, "aq": sizes[1]}
    table = pa.table({"ts": 1_381_132_800 * 10**9 + step * 50 * 10**6, **prices})
    csv.write_csv(table, folder / "table.csv", csv.WriteOptions(quoting_style="needed"))
    parquet.write_table(table, folder / "table.parquet")
    columns = {"ms": 14_400_000 + step * 50, "bid": bid, "bq": sizes[0], "ask": ask, "aq": sizes[1]}
    last = {"exchange": ["Q"] * _ROWS, "condition": [1] * _ROWS, "suspicious": [0] * _ROWS}
    ticks = BytesIO()
    csv.write_csv(pa.table(columns | last), ticks, csv.WriteOptions(include_header=False, quoting_style="none"))
    with zipfile.ZipFile(folder / "ticks.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("ticks.csv", ticks.getvalue())


def _fastest(feed: RowsFeed, path: Path) -> float:
    """Rows per second of processor time."""
    took_s = []
    for _ in range(_ROUNDS):
        started_s = time.process_time()
        _read(feed, path)
        took_s.append(time.process_time() - started_s)
    return _ROWS / min(took_s)


def _read(feed: RowsFeed, path: Path) -> None:
    terms: dict[str, Any] = {"venue": "X", "tick": Decimal("0.0001"), "lot": Decimal(1), "currency": "USD"}
    desk = Desk("files", (Instrument(id="A", symbol="A", **terms),), feeds=(Feed("file", ("A",)),))
    decoder = Rows(Rows.Parameters(feeds=("file",)), desk)
    source, entries, events = DeskInput([(feed, path)], _FRAME, None), 0, 0
    while (raw := source.next()) is not None:
        produced = decoder.process({"raw": raw})
        assert "dead_letters" not in produced
        entries += len(raw.rows)
        events += len(produced.get("events", ()))
    source.close()
    assert entries == _ROWS + 1  # and the end of the input
    assert events > _ROWS


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        for kind, rows_per_s in measured(Path(made)).items():
            print(f"{kind}: {rows_per_s:,.0f} rows/s")
