"""The end of a chain: streams become numbered rows of tables, and the desk's totals are kept."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from flows.sampling import Sampler
from flows.streams import Ref, Streams, merged
from operators.operator import Desk
from schemas.market import RAW, RawFrame
from schemas.output import Output
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
        self._rules = rules
        self._desk = desk.id
        self._samplers = {
            name: Sampler(rule.schema, rule.every_ns, _key_count(rule.schema, desk))
            for name, rule in rules.items()
            if rule.every_ns is not None
        }
        self._table_of = {ref: name for name, rule in rules.items() for ref in rule.refs}
        self.counts = dict.fromkeys(rules, 0)
        self.denied = 0
        self._equity = EQUITY.empty
        self._rows = RAW.empty

    def number(self, raw: RawFrame, streams: Streams) -> Output:
        """Everything this cut writes; the frames are the output's own."""
        self._rows = raw.rows
        written: dict[str, tuple[int, Frame]] = {}
        for name in sorted({self._table_of[ref] for ref in self._table_of.keys() & streams.keys()}):
            frame = merged(streams, self._rules[name].refs)
            assert frame is not None
            sampler = self._samplers.get(name)
            frame = _owned(frame) if sampler is None else sampler.take(frame)
            if len(frame):
                written[name] = (self.counts[name] + 1, frame)
                self.counts[name] += len(frame)
        if VERDICTS.name in written:
            self.denied += written[VERDICTS.name][1]["passed"].tolist().count(0)
        if EQUITY.name in written:
            self._equity = written[EQUITY.name][1][-1:]
        return Output(self._desk, written)

    @property
    def cause(self) -> int:
        """The last entry of the input log whose rows are numbered, 0 before the first."""
        return int(self._rows["cause"][-1]) if len(self._rows) else 0

    @property
    def account(self) -> dict[str, int]:
        """The last row of `equity`, money quanta; empty before the first."""
        return {name: int(self._equity[name][0]) for name in EQUITY.dtype.names or ()} if len(self._equity) else {}

    def snapshot(self) -> Any:
        """Numbers given so far, totals, and what the samplers have kept."""
        samplers = {name: sampler.snapshot() for name, sampler in self._samplers.items()}
        return self._rows[-1:].copy(), dict(self.counts), self.denied, self._equity.copy(), samplers

    def restore(self, state: Any) -> None:
        """Go on from a snapshot."""
        self._rows, counts, self.denied, self._equity, samplers = state
        self.counts = dict(counts)
        for name, due in samplers.items():
            self._samplers[name].restore(due)


def _owned(frame: Frame) -> Frame:
    """A copy of the rows. By way of bytes, which costs a sixth of NumPy's field by field, but for references."""
    return frame.copy() if frame.dtype.hasobject else np.frombuffer(frame.tobytes(), frame.dtype)


def _key_count(schema: Schema, desk: Desk) -> int:
    """How many values the schema's `by` column can take on this desk."""
    kinds = {c.name: c.kind for c in schema.columns}
    sizes = {Kind.INSTRUMENT: len(desk.instruments), Kind.PAIR: len(desk.pairs), Kind.FEED: len(desk.feeds)}
    return sizes.get(kinds[schema.by], 1) if schema.by else 1
