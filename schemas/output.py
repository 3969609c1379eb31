"""What a desk's chain hands to the sinks for one cut of the input."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np

from schemas.record import Frame, Schema

Packed = dict[str, tuple[int, Schema, bytes | Frame]]
"""Stream name -> (first_seq, schema, packed rows)."""


def pack(schema: Schema, rows: Frame) -> bytes | Frame:
    """A copy of rows: their bytes, or where they refer to texts, a frame.

    Field by field, as NumPy copies structures, takes a hundred times as long as copying bytes.
    """
    return rows.copy() if schema.has_objects else rows.tobytes()


class Written(Mapping[str, tuple[int, Frame]]):
    """Stream name -> (first_seq, rows). Streams without rows are absent.

    Rows become a frame when they are looked at: between a message and its order, making the other streams'
    frames would cost more than the order's.
    """

    __slots__ = ("_streams",)

    def __init__(self, streams: Packed) -> None:
        self._streams = streams

    def __getitem__(self, name: str) -> tuple[int, Frame]:
        first_seq, schema, rows = self._streams[name]
        return first_seq, np.frombuffer(rows, schema.dtype) if isinstance(rows, bytes) else rows

    def __contains__(self, name: object) -> bool:
        return name in self._streams

    def __iter__(self) -> Iterator[str]:
        return iter(self._streams)

    def __len__(self) -> int:
        return len(self._streams)


class Output(NamedTuple):
    """Rows of every stream with their sequence numbers: row `i` of a stream is number `first_seq + i`.

    Numbers start at 1 and have no holes; they are the same whatever the cut.
    """

    desk: str
    streams: Mapping[str, tuple[int, Frame]]
    """Stream name -> (first_seq, rows). Streams without rows are absent."""
