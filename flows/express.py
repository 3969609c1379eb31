"""Where a fused chain takes the common path in one kernel (see `operators.express`)."""

from collections.abc import Callable, Iterable, Sequence

import numpy as np

from flows.numbering import NumberedTable, Numbering
from flows.step import Step
from flows.streams import SOURCE, Ref, Streams, merged
from operators.book.book import Book
from operators.execution.loop import Loop
from operators.express.express import PORT_NAMES, Express, Stages
from operators.feeds.itch import Itch50
from operators.pairs.spread import Spread
from operators.signals.bands import Bands
from schemas.market import RawFrame

Run = Callable[[Streams], None]


def express_path(steps: Sequence[Step], numbering: Numbering) -> list[Run]:
    """What to run for a cut: every step, or one express in the place of those that fit, and the others around it.

    Rows that only `numbering` is interested in go to it directly.
    """
    found = _found(steps)
    if not found:
        return [step.run for step in steps]
    others = [step for step in steps if step not in found]
    express = ExpressStep(found, others, numbering)
    made = {ref for step in found for ref in step.writes.values()}
    before, after = [], []
    for step in others:
        if any(ref in made for _, refs in step.reads for ref in refs):
            made |= set(step.writes.values())
            after.append(step.run)
        else:
            before.append(step.run)
    return [*before, express.run, *after]


def _found(steps: Sequence[Step]) -> tuple[Step, ...]:
    """The steps that an express can stand for, in order: feed, book, spread, bands, loop, or without those in front."""
    loop = next((step for step in steps if type(step.operator) is Loop), None)
    bands = _writer(steps, loop, "signals", Bands)
    spread = _writer(steps, bands, "spreads", Spread)
    if loop is None or bands is None or spread is None or not _is_chain(spread, bands, loop):
        return ()
    book, levels = _writer(steps, spread, "quotes", Book), dict(loop.reads).get("levels")
    if book is None:
        return () if levels else (spread, bands, loop)
    if levels not in (None, (book.writes["levels"],)):
        return ()
    feed = _writer(steps, book, "events", Itch50)
    is_shared = feed is None or len(_readers(steps, feed.writes["events"])) > 1
    return (book, spread, bands, loop) if feed is None or is_shared else (feed, book, spread, bands, loop)


def _writer(steps: Iterable[Step], reader: Step | None, port: str, kind: type) -> Step | None:
    """The step of this kind that alone writes what `reader` reads on a port."""
    refs = dict(reader.reads).get(port, ()) if reader else ()
    writers = [step for step in steps if not set(refs).isdisjoint(step.writes.values())]
    return writers[0] if len(refs) == len(writers) == 1 and type(writers[0].operator) is kind else None


def _is_chain(spread: Step, bands: Step, loop: Step) -> bool:
    """Whether each reads the one before it and nothing else, but for the loop, which reads what the spread reads."""
    assert isinstance(spread.operator, Spread)
    reads = dict(loop.reads)
    return (
        dict(bands.reads).keys() == {"spreads"}
        and not spread.operator.parameters.executable  # the express leaves no room for those rows
        and reads["raw"] == (SOURCE,)
        and reads["quotes"] == dict(spread.reads)["quotes"]
    )


def _readers(steps: Iterable[Step], ref: Ref) -> list[Step]:
    return [step for step in steps if any(ref in refs for _, refs in step.reads)]


_Plan = tuple[list[tuple[int, NumberedTable, memoryview]], list[tuple[int, str]]]


class ExpressStep:
    """Runs every cut of a chain through the express, in the place of some of its steps."""

    def __init__(self, steps: Sequence[Step], others: Sequence[Step], numbering: Numbering) -> None:
        *before, spread, bands, loop = steps
        assert isinstance(spread.operator, Spread)
        assert isinstance(bands.operator, Bands)
        assert isinstance(loop.operator, Loop)
        by_type = {type(step.operator): step.operator for step in before}
        feed, book = by_type.get(Itch50), by_type.get(Book)
        assert feed is None or isinstance(feed, Itch50)
        assert book is None or isinstance(book, Book)
        self._numbering = numbering
        self._writes = {_port(step, port): ref for step in steps for port, ref in step.writes.items()}
        self._inputs = () if feed else dict(steps[0].reads)["events" if book else "quotes"]

        read = {port for port, ref in self._writes.items() if _readers(others, ref)}
        tables = {port: table for port, ref in self._writes.items() if (table := numbering.table_of(ref))}
        elsewhere = {ref for step in others for ref in step.writes.values()}
        self._tables = {
            port: table
            for port, table in tables.items()
            if port not in read and table.sampler is None and elsewhere.isdisjoint(table.refs)
        }
        kept = {port: 0 if port in read else tables[port].every_ns for port in {*read, *tables}}
        self._plans: dict[int, _Plan] = {}
        self._planned = 0
        has_levels = "levels" in dict(loop.reads)
        self._express = Express(Stages(feed, book, spread.operator, bands.operator, loop.operator, has_levels), kept)

    def run(self, streams: Streams) -> None:
        """Add what the steps write to the streams of the cut, or to its table where nothing else is to do with it."""
        raw = streams[SOURCE]
        assert isinstance(raw, RawFrame)
        inputs = merged(streams, self._inputs) if self._inputs else None
        mask = self._express.run(raw, inputs)
        if mask > 0:
            direct, shared = self._plan(mask)
            totals = self._express.totals
            self._numbering.write_all(direct, totals)
            for i, port in shared:
                streams[self._writes[port]] = self._express.scratch(port)[: totals[i]]
        elif mask < 0:
            for port, frame in self._express.written().items():
                streams[self._writes[port]] = frame

    def _plan(self, mask: int) -> "_Plan":
        """What to do with the ports of a mask: those that go to their tables directly, and those that do not."""
        if self._express.generation != self._planned:
            self._plans.clear()
            self._planned = self._express.generation
        plan = self._plans.get(mask)
        if plan is None:
            ports = [(i, port) for i, port in enumerate(PORT_NAMES) if mask >> i & 1]
            direct = [(i, self._tables[p], self._express.scratch(p)) for i, p in ports if p in self._tables]
            shared = [(i, port) for i, port in ports if port not in self._tables]
            plan = self._plans[mask] = [(i, table, rows.view(np.uint8).data) for i, table, rows in direct], shared
        return plan


def _port(step: Step, port: str) -> str:
    """The name that the express gives a port: the feed's and the book's feed events are not the same."""
    return f"feed.{port}" if isinstance(step.operator, Itch50) else port
