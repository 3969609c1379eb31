"""Where a fused chain takes the common path in one kernel (see `operators.express`)."""

from collections.abc import Callable, Iterable, Sequence

from flows.numbering import Numbering
from flows.step import Step
from flows.streams import SOURCE, Ref, Streams, merged
from operators.book.book import Book
from operators.execution.loop import Loop
from operators.express.express import Express, Stages
from operators.feeds.itch import Itch50
from operators.pairs.spread import Spread
from operators.signals.bands import Bands
from schemas.market import RawFrame

Run = Callable[[Streams], None]


def express_path(steps: Sequence[Step], numbering: Numbering) -> list[Run]:
    """What to run for a cut: every step, or one express in the place of those that stand together and fit.

    Rows that only `numbering` is interested in go to it directly.
    """
    for i, step in enumerate(steps):
        if isinstance(step.operator, Loop) and (found := _found(steps[: i + 1])):
            express = ExpressStep(found, [s for s in steps if s not in found], numbering)
            return [*(s.run for s in steps[: i + 1 - len(found)]), express.run, *(s.run for s in steps[i + 1 :])]
    return [step.run for step in steps]


def _found(steps: Sequence[Step]) -> tuple[Step, ...]:
    """The longest end of `steps` that an express can stand for: feed, book, spread, bands, loop, or less."""
    if len(steps) < 3 or not _is_chain(*steps[-3:]):
        return ()
    *before, spread, bands, loop = steps
    quotes, levels = dict(spread.reads)["quotes"], dict(loop.reads).get("levels")
    if not before or not isinstance(before[-1].operator, Book) or quotes != (before[-1].writes["quotes"],):
        return () if levels else (spread, bands, loop)
    book = before.pop()
    if levels not in (None, (book.writes["levels"],)):
        return ()
    if not before or not isinstance(before[-1].operator, Itch50):
        return (book, spread, bands, loop)
    events = (before[-1].writes["events"],)
    is_ours = dict(book.reads)["events"] == events and not _readers(steps, events[0], but=book)
    return (before[-1], book, spread, bands, loop) if is_ours else (book, spread, bands, loop)


def _is_chain(spread: Step, bands: Step, loop: Step) -> bool:
    """Whether these are the three, each reading the one before it and the loop what the spread reads."""
    if (type(spread.operator), type(bands.operator), type(loop.operator)) != (Spread, Bands, Loop):
        return False
    reads = dict(loop.reads)
    return (
        dict(bands.reads) == {"spreads": (spread.writes["spreads"],)}
        and not spread.operator.parameters.executable  # the express leaves no room for those rows
        and reads["raw"] == (SOURCE,)
        and reads["signals"] == (bands.writes["signals"],)
        and reads["quotes"] == dict(spread.reads)["quotes"]
    )


def _readers(steps: Iterable[Step], ref: Ref, but: Step | None = None) -> list[Step]:
    return [step for step in steps if step is not but and any(ref in refs for _, refs in step.reads)]


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
        has_levels = "levels" in dict(loop.reads)
        self._express = Express(Stages(feed, book, spread.operator, bands.operator, loop.operator, has_levels), kept)

    def run(self, streams: Streams) -> None:
        """Add what the steps write to the streams of the cut, or to its table where nothing else is to do with it."""
        raw = streams[SOURCE]
        assert isinstance(raw, RawFrame)
        inputs = merged(streams, self._inputs) if self._inputs else None
        if not self._express.run(raw, inputs):
            return
        scratches = self._express.scratches
        if not scratches:
            for port, frame in self._express.written().items():
                streams[self._writes[port]] = frame
        for ports, scratch in scratches:
            for port, count in zip(ports, scratch["counts"].tolist(), strict=True):
                if count:
                    table = self._tables.get(port)
                    if table is None:
                        streams[self._writes[port]] = scratch[port][:count]
                    else:
                        self._numbering.write(table, count, scratch.packed(port, count))


def _port(step: Step, port: str) -> str:
    """The name that the express gives a port: the feed's and the book's feed events are not the same."""
    return f"feed.{port}" if isinstance(step.operator, Itch50) else port
