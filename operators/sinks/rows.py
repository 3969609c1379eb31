"""Rows of one table that wait to be written, in one buffer that grows as far as it must."""

from time import monotonic_ns
from typing import NamedTuple

import numpy as np

from schemas.errors import InvariantError
from schemas.record import Frame, Schema


class Batch(NamedTuple):
    """Rows that were taken to be written, numbered from `first`."""

    table: str
    first: int
    rows: Frame
    bytes: int
    """What texts and byte strings take beside the array."""


class WaitingRows:
    """Rows after `last`, the number of the newest row written, being written or waiting; those up to it are skipped.

    Frames are copied, so they may be views of buffers that their owner uses again.
    """

    def __init__(self, schema: Schema, last: int) -> None:
        self.schema = schema
        self.last = last
        self.count = 0
        self.bytes = 0
        """What texts and byte strings take beside the array."""
        self.since_ns = 0
        """When the oldest waiting row came (monotonic)."""
        self._dtype = schema.dtype
        self._width = schema.dtype.itemsize
        self._objects = [c.name for c in schema.columns if c.kind.memory == "O"]
        self._renew(0)

    @property
    def size(self) -> int:
        """Bytes that the waiting rows take."""
        return self.bytes + self.count * self._width

    def append(self, first: int, rows: Frame) -> int:
        """Take rows numbered from `first`, return how many were new.

        Raises InvariantError where rows between `last` and `first` never came, or rows are another schema's.
        """
        if rows.dtype is not self._dtype and rows.dtype != self._dtype:
            raise InvariantError(f"{self.schema.name} row {first} is not of its schema: {rows.dtype}")
        new = len(rows)
        if first != self.last + 1:
            skip = self._known(first)
            new -= skip
            if new <= 0:
                return 0
            rows = rows[skip:]
        count = self.count
        end = count + new
        if count == 0:
            self.since_ns = monotonic_ns()
        if end > self._capacity:
            self._grow(end)
        if self._objects:
            self._array[count:end] = rows
            self.bytes += sum(sum(map(len, rows[name])) for name in self._objects)
        else:  # as bytes: field by field, NumPy takes ten times as long
            self._memory[count * self._width : end * self._width] = rows.tobytes()
        self.count = end
        self.last += new
        return new

    def take(self) -> Batch:
        """All that waits, in an array that is the caller's from now on; the next rows go into another."""
        batch = Batch(self.schema.name, self.last - self.count + 1, self._array[: self.count], self.bytes)
        self.count = self.bytes = 0
        self._renew(0 if self._objects else self._capacity)
        return batch

    def copy(self) -> Batch:
        """All that waits, in an array of its own, and goes on waiting."""
        rows = self._array[: self.count]
        copied = rows.copy() if self._objects else np.frombuffer(rows.tobytes(), self._dtype)
        return Batch(self.schema.name, self.last - self.count + 1, copied, self.bytes)

    def _known(self, first: int) -> int:
        skip = self.last + 1 - first
        if skip < 0:
            raise InvariantError(
                f"{self.schema.name} goes from row {self.last} to row {first}: the rows between were never computed"
            )
        return skip

    def _grow(self, end: int) -> None:
        array, memory, count = self._array, self._memory, self.count
        self._renew(max(end, 2 * self._capacity))
        if self._objects:
            self._array[:count] = array[:count]
        else:
            self._memory[: count * self._width] = memory[: count * self._width]

    def _renew(self, capacity: int) -> None:
        """Another array; its pages take no memory until they are filled."""
        self._capacity = capacity
        self._array = np.empty(capacity, self._dtype)
        self._memory = memoryview(b"") if self._objects else self._array.view(np.uint8).data
