"""The end of a chain: streams become numbered rows of tables, and the desk's totals are kept."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from flows.sampling import Sampler
from flows.streams import Ref, Streams, merged
from operators.operator import Desk
from schemas.integrity import AUDITS, AuditScope
from schemas.market import RAW, RawFrame
from schemas.output import Output, Packed, Written, pack
from schemas.record import Frame, Kind, Schema
from schemas.trade import EQUITY, VERDICTS

assert VERDICTS.dtype.fields is not None
_PASSED = VERDICTS.dtype.fields["passed"][1]
"""Offset of the field's lowest byte; it is 0 or 1."""


@dataclass(frozen=True)
class TableRule:
    """A stream that is written: its schema, the ports it comes from, and the sampling interval (None: every row)."""

    schema: Schema
    refs: tuple[Ref, ...]
    every_ns: int | None = None


class NumberedTable:
    """A table as it is written: how many rows it has so far, and which it takes."""

    __slots__ = ("count", "every_ns", "is_tallied", "name", "refs", "sampler", "schema", "width")

    def __init__(self, rule: TableRule, desk: Desk) -> None:
        self.schema, self.refs, self.every_ns = rule.schema, rule.refs, rule.every_ns or 0
        self.name, self.width = rule.schema.name, rule.schema.dtype.itemsize
        self.is_tallied = self.name in (VERDICTS.name, EQUITY.name, AUDITS.name)
        keys = _key_count(rule.schema, desk)
        self.sampler = None if rule.every_ns is None else Sampler(rule.schema, rule.every_ns, keys)
        self.count = 0


class Numbering:
    """Numbers the rows of every written stream, from 1 and without holes, whatever the cut."""

    def __init__(self, rules: Mapping[str, TableRule], desk: Desk) -> None:
        self._desk, self._feeds = desk.id, [feed.id for feed in desk.feeds]
        self._tables = {name: NumberedTable(rule, desk) for name, rule in rules.items()}
        self._table_of = {ref: table for table in self._tables.values() for ref in table.refs}
        self.denied = 0
        self._equity = self._audits = b""
        self._rows = RAW.empty
        self._packed: Packed = {}

    def table_of(self, ref: Ref) -> NumberedTable | None:
        """The table that the rows of a port are written to."""
        return self._table_of.get(ref)

    def number(self, raw: RawFrame, streams: Streams) -> Output:
        """Everything this cut writes; the rows are the output's own."""
        self._rows = raw.rows
        for ref, frame in streams.items():
            table = self._table_of.get(ref)
            if table is None or table.name in self._packed:
                continue
            rows: Any = frame if len(table.refs) == 1 else merged(streams, table.refs)
            if table.sampler is not None:
                rows = table.sampler.take(rows)
            if len(rows):
                self._write(table, rows)
        output = Output(self._desk, Written(self._packed))
        self._packed = {}
        return output

    def write_all(self, tables: Iterable[tuple[int, NumberedTable, memoryview]], totals: Sequence[int]) -> None:
        """Number all that the present cut has for some tables: the first `totals[i]` rows of the bytes beside each."""
        packed = self._packed
        for i, table, rows in tables:
            count = totals[i]
            written = bytes(rows[: count * table.width])
            packed[table.name] = (table.count + 1, table.schema, written)
            table.count += count
            if table.is_tallied:
                self._tally(table, written)

    def _write(self, table: NumberedTable, rows: Frame) -> None:
        """Number all rows that the present cut has for the table."""
        written = pack(table.schema, rows)
        self._packed[table.name] = (table.count + 1, table.schema, written)
        table.count += len(rows)
        if table.is_tallied:
            self._tally(table, written)

    def _tally(self, table: NumberedTable, rows: bytes | Frame) -> None:
        assert isinstance(rows, bytes)
        if table.name == VERDICTS.name:
            self.denied += rows[_PASSED :: table.width].count(0)
        elif table.name == EQUITY.name:
            self._equity = rows[-table.width :]
        else:
            audits = np.frombuffer(rows, AUDITS.dtype)
            self._audits = audits[audits["scope"] == AuditScope.RUN].tobytes()

    @property
    def counts(self) -> dict[str, int]:
        """Rows so far, by table."""
        return {name: table.count for name, table in self._tables.items()}

    @property
    def cause(self) -> int:
        """The last entry of the input log whose rows are numbered, 0 before the first."""
        return int(self._rows["cause"][-1]) if len(self._rows) else 0

    @property
    def account(self) -> dict[str, int]:
        """The last row of `equity`, money quanta; empty before the first."""
        last = np.frombuffer(self._equity, EQUITY.dtype)
        return {name: int(last[name][0]) for name in EQUITY.dtype.names or ()} if len(last) else {}

    @property
    def audits(self) -> list[tuple[str, dict[str, int]]]:
        """Of each feed, the counts of the whole input, once it is over; none where nothing counts them."""
        rows = np.frombuffer(self._audits, AUDITS.dtype)
        return [(self._feeds[row["feed"]], {name: int(row[name]) for name in AUDITS.dtype.names or ()}) for row in rows]

    def snapshot(self) -> Any:
        """Numbers given so far, totals, and what the samplers have kept."""
        samplers = {name: table.sampler.snapshot() for name, table in self._tables.items() if table.sampler}
        return self._rows[-1:].copy(), self.counts, self.denied, (self._equity, self._audits), samplers

    def restore(self, state: Any) -> None:
        """Go on from a snapshot."""
        self._rows, counts, self.denied, (self._equity, self._audits), samplers = state
        for name, table in self._tables.items():
            table.count = counts[name]
            if table.sampler:
                table.sampler.restore(samplers[name])


def _key_count(schema: Schema, desk: Desk) -> int:
    """How many values the schema's `by` column can take on this desk."""
    kinds = {c.name: c.kind for c in schema.columns}
    sizes = {Kind.INSTRUMENT: len(desk.instruments), Kind.PAIR: len(desk.pairs), Kind.FEED: len(desk.feeds)}
    return sizes.get(kinds[schema.by], 1) if schema.by else 1
