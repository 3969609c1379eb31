"""The end of a chain: streams become numbered rows of tables, and the desk's totals are kept."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from flows.sampling import Sampler
from flows.streams import Ref, Streams, merged
from operators.operator import Desk
from schemas.market import RAW, RawFrame
from schemas.output import Output, Written
from schemas.record import Frame, Kind, Schema
from schemas.trade import EQUITY, VERDICTS


@dataclass(frozen=True)
class TableRule:
    """A stream that is written: its schema, the ports it comes from, and the sampling interval (None: every row)."""

    schema: Schema
    refs: tuple[Ref, ...]
    every_ns: int | None = None


class Numbering:
    """Numbers the rows of every written stream, from 1 and without holes, whatever the cut."""

    def __init__(self, rules: Mapping[str, TableRule], desk: Desk) -> None:
        self._desk = desk.id
        self._samplers = {
            name: Sampler(rule.schema, rule.every_ns, _key_count(rule.schema, desk))
            for name, rule in rules.items()
            if rule.every_ns is not None
        }
        self._rule_of = {ref: rule for rule in rules.values() for ref in rule.refs}
        self.counts = dict.fromkeys(rules, 0)
        self.denied = 0
        self._equity = b""
        self._rows = RAW.empty

    def number(self, raw: RawFrame, streams: Streams) -> Output:
        """Everything this cut writes; the frames are the output's own."""
        self._rows = raw.rows
        written = Written()
        for ref, frame in streams.items():
            rule = self._rule_of.get(ref)
            if rule is None or rule.schema.name in written:
                continue
            rows: Any = frame if len(rule.refs) == 1 else merged(streams, rule.refs)
            if rule.every_ns is not None:
                rows = self._samplers[rule.schema.name].take(rows)
            if len(rows):
                self._write(written, rule.schema, rows)
        return Output(self._desk, written)

    def _write(self, written: Written, schema: Schema, rows: Frame) -> None:
        count = self.counts[schema.name]
        written.add(count + 1, schema, rows)
        self.counts[schema.name] = count + len(rows)
        if schema.name == VERDICTS.name:
            self.denied += rows["passed"].tolist().count(0)
        elif schema.name == EQUITY.name:
            self._equity = rows[-1:].tobytes()

    @property
    def cause(self) -> int:
        """The last entry of the input log whose rows are numbered, 0 before the first."""
        return int(self._rows["cause"][-1]) if len(self._rows) else 0

    @property
    def account(self) -> dict[str, int]:
        """The last row of `equity`, money quanta; empty before the first."""
        last = np.frombuffer(self._equity, EQUITY.dtype)
        return {name: int(last[name][0]) for name in EQUITY.dtype.names or ()} if len(last) else {}

    def snapshot(self) -> Any:
        """Numbers given so far, totals, and what the samplers have kept."""
        samplers = {name: sampler.snapshot() for name, sampler in self._samplers.items()}
        return self._rows[-1:].copy(), dict(self.counts), self.denied, self._equity, samplers

    def restore(self, state: Any) -> None:
        """Go on from a snapshot."""
        self._rows, counts, self.denied, self._equity, samplers = state
        self.counts = dict(counts)
        for name, due in samplers.items():
            self._samplers[name].restore(due)


def _key_count(schema: Schema, desk: Desk) -> int:
    """How many values the schema's `by` column can take on this desk."""
    kinds = {c.name: c.kind for c in schema.columns}
    sizes = {Kind.INSTRUMENT: len(desk.instruments), Kind.PAIR: len(desk.pairs), Kind.FEED: len(desk.feeds)}
    return sizes.get(kinds[schema.by], 1) if schema.by else 1
