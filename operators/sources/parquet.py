"""Parquet as the rows of text that a CSV file would have: only the columns asked for, a batch of rows at a time."""

from collections.abc import Collection
from io import BytesIO, FileIO, RawIOBase
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from pyarrow import csv, parquet

from operators.tables.table import TimeUnit

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer as Buffer

_BATCH_ROWS = 1 << 16


class ParquetRows(RawIOBase):
    """The rows of a Parquet file as lines of text. Raises OSError where the file is damaged.

    Of the columns only the `wanted` are read; all of them where one is not there. Numbers are written in the fewest
    digits that mean them, so that a price stored as a float is the decimal that was meant; a timestamp is a number of
    `unit`s since 1970, or, without a unit, text.
    """

    def __init__(self, file: FileIO, wanted: Collection[str] | None, unit: TimeUnit | None) -> None:
        self._file, self._wanted, self._unit = file, wanted, unit
        self.names: list[str] = []
        """The columns read, in the order of the file; known from the first `readinto` on."""
        self._batches: Any = None
        self._pending = memoryview(b"")

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, view: "Buffer") -> int:
        """Put text into `view`; 0 at the end."""
        view = memoryview(view)
        try:
            if self._batches is None:
                self._batches = self._open()
            while not self._pending:
                batch = next(self._batches, None)
                if batch is None:
                    return 0
                self._pending = memoryview(self._text(batch))
        except pa.ArrowException as e:
            raise OSError(str(e)) from e
        count = min(len(view), len(self._pending))
        view[:count] = self._pending[:count]
        self._pending = self._pending[count:]
        return count

    def _open(self) -> Any:
        opened = parquet.ParquetFile(self._file)
        self.names = list(opened.schema_arrow.names)
        if self._wanted is not None and set(self._wanted) <= set(self.names):
            self.names = [name for name in self.names if name in self._wanted]
        return opened.iter_batches(batch_size=_BATCH_ROWS, columns=self.names)

    def _text(self, batch: pa.RecordBatch) -> bytes:
        columns = [self._plain(batch.column(i)) for i in range(batch.num_columns)]
        written = BytesIO()
        csv.write_csv(
            pa.RecordBatch.from_arrays(columns, names=batch.schema.names),
            written,
            csv.WriteOptions(include_header=False, quoting_style="needed"),
        )
        return written.getvalue()

    def _plain(self, column: Any) -> Any:
        """The column in a type that is written as `read_rows` reads it."""
        if pa.types.is_dictionary(column.type):
            column = column.dictionary_decode()
        if pa.types.is_timestamp(column.type) and self._unit is not None:
            counted: Any = pa.timestamp(self._unit, column.type.tz)
            column = column.cast(counted, safe=False).cast(pa.int64())
        elif pa.types.is_decimal(column.type):
            column = column.cast(pa.string())
        return column
