"""Files of rows, CSV or Parquet, as entries of an input log."""

import csv
from collections.abc import Iterator, Sequence
from io import FileIO, RawIOBase
from pathlib import Path
from typing import Any

import numpy as np

from operators.sources.capture_file import CaptureFile, Unzip
from operators.sources.file_feed import ColumnsFeed
from operators.sources.made_content import MadeContent
from operators.sources.parquet import ParquetRows
from operators.sources.session_entry import entry
from operators.tables.layout import UnknownColumnError, layout_of
from operators.tables.read_rows import CURSOR, read_rows
from operators.tables.refusal import Why, explain
from operators.tables.row import Told, encode_refused
from schemas.errors import CaptureError

_BLOCK_BYTES = 1 << 20
"""How much text is in memory; no row is longer."""

_OUT_BYTES = 4 << 20
_UTF8_MARK = b"\xef\xbb\xbf"


class TableCapture(MadeContent):
    """The rows of a table, made into entries as `operators.sources.framing.frame_session` takes them.

    An entry is a record (operators.tables.row.ROW) and behind it the row as it stands in the file. In the place of a
    row that cannot be read stands the record of a refusal, at the time of the row before. Empty lines are no rows.
    Raises CaptureError where the file is missing or unreadable, or lacks a column.
    """

    def __init__(self, feed: ColumnsFeed, path: Path) -> None:
        self._table = feed.rows
        self._parquet: ParquetRows | None = None
        self._block: Any = np.empty(_BLOCK_BYTES, np.uint8)
        self._used, self._is_final = 0, False
        self._cursor = np.zeros(1, CURSOR)
        is_plain = path.suffix not in (".zip", ".parquet")
        self._file = CaptureFile(
            feed.id, path, content=None if is_plain else lambda file: self._opened(feed, path, file)
        )
        super().__init__([self._file])
        self._fill()
        try:
            self._header = self._read_header()
            self._layout = layout_of(self._table, feed.date, feed.timezone, self._header)
        except UnknownColumnError as e:
            self.close()
            raise CaptureError(f"feed {feed.id!r}: {path}: {e}; correct the feed's `table`") from None

    def _make(self) -> Iterator[bytes | memoryview]:
        """Pieces of as many rows as fit, and of one refused row."""
        out: Any = np.empty(_OUT_BYTES, np.uint8)
        here = self._cursor[0]
        while True:
            why = read_rows(self._layout.ctx, self._block, self._used, self._is_final, self._cursor, out)
            if here["written"]:
                yield memoryview(out)[: here["written"]]
            if why == Why.NO_TEXT:
                if self._is_final:
                    return
                if here["at"] == 0 and self._used == len(self._block):
                    yield self._overlong()
                self._fill()
            elif why != Why.NO_ROOM:
                yield self._refused(Why(why))

    def _refused(self, why: Why) -> bytes:
        """The entry of the row at the cursor."""
        here = self._cursor[0]
        text = self._block[here["start"] : here["end"]].tobytes()
        field = self._block[here["field_start"] : here["field_end"]].tobytes()
        counts = len(self._header or ()) or len(self._layout["field_starts"]), int(here["fields"])
        reason = explain(why, int(here["role"]), field, self._table.columns.listed, counts)
        symbol = int(here["symbol"]), int(here["rest"])
        return entry(int(here["clock"]), encode_refused(int(here["told"]), symbol, reason, text))

    def _overlong(self) -> bytes:
        """The entry of a block without an end of line, which is passed over."""
        text = self._block.tobytes()
        self._cursor["at"] = self._used
        at_stake = 0 if self._table.rows == "trades" else Told.AT_STAKE
        reason = f"row: expected an end of line within {len(text)} bytes, came none"
        return entry(int(self._cursor["clock"][0]), encode_refused(at_stake, (0, 0), reason, text))

    def _fill(self) -> None:
        """Fill the block behind what is left of it."""
        at = int(self._cursor["at"][0])
        left = self._used - at
        self._block[:left] = self._block[at : self._used].copy()
        self._used = left + self._file.read_into(memoryview(self._block)[left:])
        self._is_final = self._used < len(self._block)
        self._cursor["at"] = 0

    def _read_header(self) -> Sequence[str] | None:
        """The names of the columns, where there are any; the cursor moves behind them."""
        if self._parquet is not None:
            return self._parquet.names
        text = self._block[: self._used].tobytes()
        start = len(_UTF8_MARK) if text.startswith(_UTF8_MARK) else 0
        self._cursor["at"] = start
        if not self._table.header:
            return None
        line, _, _ = text[start:].partition(b"\n")
        self._cursor["at"] = min(start + len(line) + 1, self._used)
        names = next(csv.reader([line.decode("utf-8", "replace")], delimiter=self._table.delimiter), [])
        return [name.strip() for name in names]

    def _opened(self, feed: ColumnsFeed, path: Path, file: FileIO) -> RawIOBase:
        if path.suffix == ".zip":
            return Unzip(file, feed.member or "")
        used = self._table.columns_used
        names = [column for column in used if isinstance(column, str)]
        self._parquet = ParquetRows(file, names if len(names) == len(used) else None, self._table.columns.time.unit)
        return self._parquet
