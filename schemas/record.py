"""How a record is declared: one `Schema` gives the NumPy dtype, the ClickHouse table and its docs.

A column's `Kind` ties its representation in memory (ticks, lots, money quanta, indices) to the one in
the table (exact decimals in real units, names).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, IntEnum
from functools import cached_property
from typing import Any

import numpy as np

MONEY_QUANTUM = 10**8
"""Money is int64 in units of 1e-8 of the currency."""

DECIMAL_SCALE = 9
"""Prices and quantities are stored with nine decimal places."""

Frame = np.ndarray[Any, np.dtype[Any]]
"""One NumPy structured array of one schema, rows in processing order."""


class Kind(Enum):
    """What a column means; its type in memory and in ClickHouse follow from it."""

    SEQ = "seq"
    TIME = "time"  # ns UTC
    PRICE = "price"  # ticks of the row's instrument; a decimal in the table
    QUANTITY = "quantity"  # lots of the row's instrument; a decimal in the table
    MONEY = "money"  # quanta of 1e-8; a decimal in the table
    ID = "id"
    FLOAT = "float"
    COUNT = "count"
    FLAGS = "flags"
    SIDE = "side"  # +1 buy, -1 sell
    ENUM = "enum"  # a member of the column's labels
    INSTRUMENT = "instrument"  # index into the desk's instruments, -1 none; a name in the table
    PAIR = "pair"  # index into the desk's pairs, -1 none; a name in the table
    FEED = "feed"  # index into the desk's feeds, -1 none; a name in the table
    TEXT = "text"
    BYTES = "bytes"

    @property
    def memory(self) -> str:
        """The NumPy type."""
        return _MEMORY[self]

    @property
    def clickhouse(self) -> str:
        """The ClickHouse type; empty for ENUM, whose type its labels give."""
        return _CLICKHOUSE[self]


_NAMES = (Kind.INSTRUMENT, Kind.PAIR, Kind.FEED)
_MEMORY = dict.fromkeys(Kind, "i8")
_MEMORY |= dict.fromkeys((Kind.COUNT, Kind.FLAGS, Kind.SIDE, Kind.ENUM, *_NAMES), "i4")
_MEMORY |= {Kind.FLOAT: "f8", Kind.TEXT: "O", Kind.BYTES: "O"}

_CLICKHOUSE = {
    Kind.SEQ: "Int64",
    Kind.TIME: "DateTime64(9, 'UTC')",
    Kind.PRICE: f"Decimal(38, {DECIMAL_SCALE})",
    Kind.QUANTITY: f"Decimal(38, {DECIMAL_SCALE})",
    Kind.MONEY: "Decimal(38, 8)",
    Kind.ID: "Int64",
    Kind.FLOAT: "Float64",
    Kind.COUNT: "Int32",
    Kind.FLAGS: "Int32",
    Kind.SIDE: "Enum8('sell' = -1, 'none' = 0, 'buy' = 1)",
    Kind.ENUM: "",
    Kind.TEXT: "String",
    Kind.BYTES: "String",
}
_CLICKHOUSE |= dict.fromkeys(_NAMES, "LowCardinality(String)")


@dataclass(frozen=True)
class Column:
    """One field. `labels` is the IntEnum behind an ENUM column."""

    name: str
    kind: Kind
    doc: str
    labels: type[IntEnum] | None = None

    @property
    def clickhouse(self) -> str:
        """The ClickHouse column type."""
        if self.labels is None:
            return self.kind.clickhouse
        members = ", ".join(f"'{m.name.lower()}' = {m.value}" for m in self.labels)
        return f"Enum8({members})"


@dataclass(frozen=True)
class Schema:
    """A named record. Every schema starts with `cause` and `ts`; tables add `run`, `desk` and `seq`.

    `by` names the column whose values a sampled table keeps one row of per interval.
    """

    name: str
    doc: str
    columns: tuple[Column, ...]
    by: str | None = None

    @cached_property
    def dtype(self) -> np.dtype[Any]:
        """The aligned NumPy dtype of one row in memory."""
        return np.dtype([(c.name, c.kind.memory) for c in self.columns], align=True)

    @cached_property
    def has_objects(self) -> bool:
        """Whether rows hold texts or byte strings, which are references in memory."""
        return bool(self.dtype.hasobject)

    @cached_property
    def empty(self) -> Frame:
        """A frame of no rows, shared and read-only."""
        frame = np.empty(0, self.dtype)
        frame.flags.writeable = False
        return frame

    def rows(self, rows: Sequence[Sequence[Any]]) -> Frame:
        """A frame from row tuples in column order."""
        return np.array([tuple(r) for r in rows], self.dtype) if rows else self.empty

    def __reduce__(self) -> tuple[Any, ...]:
        return (Schema, (self.name, self.doc, self.columns, self.by))


CAUSE = Column("cause", Kind.SEQ, "`seq` of the input-log event that produced the row")
TS = Column("ts", Kind.TIME, "desk clock: receive time made monotone, ns UTC")


def schema(name: str, doc: str, *columns: Column, by: str | None = None) -> Schema:
    """Declare a derived record; `cause` and `ts` come first."""
    return Schema(name, doc, (CAUSE, TS, *columns), by)
