"""Rows of one table that wait to be written, in one array that grows as far as it must."""

import numpy as np

from schemas.errors import InvariantError
from schemas.record import Frame, Schema


class WaitingRows:
    """Rows after `last`, the number of the newest row written or waiting; rows at or below it are skipped.

    Frames are copied, so they may be views of buffers that their owner uses again.
    """

    def __init__(self, schema: Schema, last: int) -> None:
        self.schema = schema
        self.last = last
        self.count = 0
        self.bytes = 0
        """What texts and byte strings take beside the array."""
        self._objects = [c.name for c in schema.columns if c.kind.memory == "O"]
        # Rows without objects are copied as opaque bytes: field by field, NumPy takes ten times as long.
        self._stored = schema.dtype if self._objects else np.dtype((np.void, schema.dtype.itemsize))
        self._array = np.empty(0, self._stored)

    @property
    def first(self) -> int:
        """Number of the oldest waiting row."""
        return self.last - self.count + 1

    @property
    def size(self) -> int:
        """Bytes that the waiting rows take."""
        return self.bytes + self.count * self.schema.dtype.itemsize

    @property
    def rows(self) -> Frame:
        """The waiting rows: a view, valid until the next call."""
        return self._array[: self.count].view(self.schema.dtype)

    def append(self, first: int, rows: Frame) -> int:
        """Take rows numbered from `first`, return how many were new.

        Raises InvariantError where rows between `last` and `first` never came, or rows are another schema's.
        """
        if rows.dtype != self.schema.dtype:
            raise InvariantError(f"{self.schema.name} row {first} is not of its schema: {rows.dtype}")
        skip = self.last + 1 - first
        if skip < 0:
            raise InvariantError(
                f"{self.schema.name} goes from row {self.last} to row {first}: the rows between were never computed"
            )
        new = len(rows) - skip
        if new <= 0:
            return 0
        end = self.count + new
        if end > len(self._array):
            self._grow(end)
        self._array[self.count : end] = rows[skip:].view(self._stored)
        for name in self._objects:
            self.bytes += sum(map(len, rows[name][skip:]))
        self.count = end
        self.last += new
        return new

    def clear(self) -> None:
        """Forget the waiting rows: they are written."""
        self.count = self.bytes = 0
        if self._objects:
            self._array = np.empty(0, self._stored)

    def _grow(self, end: int) -> None:
        grown = np.empty(max(end, 2 * len(self._array)), self._stored)
        grown[: self.count] = self._array[: self.count]
        self._array = grown
