"""Frames as Arrow tables: indices become names, ticks and lots exact decimals in real units."""

from collections.abc import Callable
from enum import IntEnum
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from operators.operator import Desk
from schemas.errors import ConfigError, InvariantError
from schemas.record import DECIMAL_SCALE, Column, Frame, Kind, Schema

_DIGITS = 38
"""Of the tables' decimals: those of any int64 times any int64, so that no count and unit are too large."""

_INT64_MAX = np.iinfo(np.int64).max
_ONE = np.ones(1, np.int64)
_MONEY = pa.decimal128(_DIGITS, 8)
_REAL = pa.decimal128(_DIGITS, DECIMAL_SCALE)
_UTC = pa.timestamp("ns", tz="UTC")

if TYPE_CHECKING:
    Array = pa.Array[Any]
    Convert = Callable[[Frame], Array]


class Columns:
    """Converts frames of `schema`, as `desk` indexes them, into what the table of `schema` stores.

    Raises ConfigError where the schema has prices or quantities but no instrument to count them in.
    """

    def __init__(self, schema: Schema, run: str, desk: Desk) -> None:
        self.schema = schema
        self._desk = desk
        self._run = pa.array([run])
        self._desk_name = pa.array([desk.id])
        self._instrument = next((c.name for c in schema.columns if c.kind is Kind.INSTRUMENT), None)
        self._names = {
            Kind.INSTRUMENT: _dictionary([i.id for i in desk.instruments]),
            Kind.PAIR: _dictionary([p.id for p in desk.pairs]),
            Kind.FEED: _dictionary([f.id for f in desk.feeds]),
        }
        self._units = {
            Kind.PRICE: np.array([*(i.tick_nanos for i in desk.instruments), 0], np.int64),
            Kind.QUANTITY: np.array([*(i.lot_nanos for i in desk.instruments), 0], np.int64),
        }
        self._convert = [(c.name, self._converter(c)) for c in schema.columns]

    def table(self, first_seq: int, rows: Frame) -> pa.Table:
        """Rows numbered from `first_seq` as one record batch: run, desk, seq, then the schema's columns.

        Raises InvariantError where a value cannot be stored: an index without a name, a number that is
        none of its enum's, more digits than the decimal holds.
        """
        same = pa.array(np.zeros(len(rows), np.int32), pa.int32())
        columns: dict[str, Array] = {
            "run": pa.DictionaryArray.from_arrays(same, self._run),
            "desk": pa.DictionaryArray.from_arrays(same, self._desk_name),
            "seq": pa.array(np.arange(first_seq, first_seq + len(rows), dtype=np.int64)),
        }
        try:
            columns |= {name: convert(rows) for name, convert in self._convert}
        except _UnstorableError as e:
            name, i, why = e.args
            raise InvariantError(
                f"desk {self._desk.id!r}, {self.schema.name} row {first_seq + i} (cause {rows['cause'][i]}), "
                f"column {name}: {why}"
            ) from None
        return pa.table(columns)

    def _converter(self, column: Column) -> "Convert":
        name, kind = column.name, column.kind
        if kind in self._units:
            if self._instrument is None:
                raise ConfigError(
                    f"schema {self.schema.name!r} has {kind.value} column {name!r} but no instrument column, "
                    "whose tick and lot it would be counted in; add one"
                )
            return lambda rows: self._decimals(name, kind, rows)
        if kind in self._names:
            return lambda rows: _named(name, self._names[kind], rows)
        if kind is Kind.ENUM and column.labels is not None:
            members = _members(column.labels)
            return lambda rows: _enum(name, members, rows)
        if kind is Kind.SIDE:
            sides = np.isin(np.arange(256), (255, 0, 1))
            return lambda rows: _enum(name, sides, rows)
        return {
            Kind.TIME: lambda rows: _plain(rows[name], _UTC),
            Kind.MONEY: lambda rows: _decimal128(rows[name], _ONE, _MONEY),
            Kind.TEXT: lambda rows: pa.array(rows[name], pa.string()),
            Kind.BYTES: lambda rows: pa.array(rows[name], pa.binary()),
        }.get(kind, lambda rows: pa.array(np.ascontiguousarray(rows[name])))

    def _decimals(self, name: str, kind: Kind, rows: Frame) -> "Array":
        """Ticks or lots of each row's instrument; a row without an instrument can only hold 0."""
        instrument = rows[self._instrument]
        _check_index(str(self._instrument), instrument, len(self._desk.instruments))
        counts = rows[name]
        nameless = (instrument < 0) & (counts != 0)
        if nameless.any():
            i = int(nameless.argmax())
            units = "ticks" if kind is Kind.PRICE else "lots"
            raise _UnstorableError(name, i, f"{counts[i]} {units} without an instrument")
        return _decimal128(counts, self._units[kind][instrument], _REAL)


class _UnstorableError(Exception):
    """Column, row within the frame, and why."""


def _dictionary(names: list[str]) -> "Array":
    """Names by index, and the empty name, last, for index -1."""
    return pa.array([*names, ""], pa.string())


def _named(name: str, names: "Array", rows: Frame) -> "Array":
    index = np.ascontiguousarray(rows[name])
    _check_index(name, index, len(names) - 1)
    positions = np.where(index < 0, np.int32(len(names) - 1), index)
    return pa.DictionaryArray.from_arrays(pa.array(positions, pa.int32()), names)


def _check_index(name: str, index: Frame, count: int) -> None:
    wrong = (index < -1) | (index >= count)
    if wrong.any():
        i = int(wrong.argmax())
        raise _UnstorableError(name, i, f"index {index[i]} is none of the desk's {count}")


def _members(labels: type[IntEnum]) -> Frame:
    """Which bytes are members: ClickHouse would store any other number unseen and fail when it is read."""
    return np.isin(np.arange(256), [m.value % 256 for m in labels])


def _enum(name: str, members: Frame, rows: Frame) -> "Array":
    values = rows[name]
    narrow = values.astype(np.int8)
    wrong = (narrow != values) | ~members[narrow.view(np.uint8)]
    if wrong.any():
        i = int(wrong.argmax())
        raise _UnstorableError(name, i, f"{values[i]} is none of the column's values")
    return pa.array(narrow)


def _decimal128(counts: Frame, units: Frame, kind: pa.DataType) -> "Array":
    """The products as the 128-bit little-endian integers of an Arrow decimal."""
    words = np.empty((len(counts), 2), "<i8")
    np.multiply(counts, units, out=words[:, 0])  # wraps around: the low word of any product
    np.right_shift(words[:, 0], 63, out=words[:, 1])
    most = _INT64_MAX // np.maximum(units, 1)
    for i in np.flatnonzero((counts > most) | (counts < -most)):
        words[i, 1] = int(counts[i]) * int(units[i]) >> 64
    return pa.Array.from_buffers(kind, len(counts), [None, pa.py_buffer(words.data)])


def _plain(values: Frame, kind: pa.DataType) -> "Array":
    return pa.Array.from_buffers(kind, len(values), [None, pa.py_buffer(np.ascontiguousarray(values).data)])
