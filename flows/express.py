"""Where a fused chain takes the common path in one kernel (see `operators.express`)."""

from collections.abc import Callable, Container, Iterable, Sequence

from flows.step import Step
from flows.streams import SOURCE, Ref, Streams, merged
from operators.book.book import Book
from operators.execution.loop import Loop
from operators.express import NO_EVENTS, Express
from operators.pairs.spread import Spread
from operators.signals.bands import Bands
from schemas.market import RawFrame

Run = Callable[[Streams], None]


def express_path(steps: Sequence[Step], written: Iterable[Ref]) -> list[Run]:
    """What to run for a cut: every step, or one express in the place of four that stand together and fit.

    `written` are the ports whose rows go into tables.
    """
    for i in range(len(steps) - 3):
        four = steps[i : i + 4]
        operators = tuple(step.operator for step in four)
        if tuple(type(operator) for operator in operators) == (Book, Spread, Bands, Loop) and _fits(*four):
            others = [step for step in steps if step not in four]
            read = {ref for step in others for _, refs in step.reads for ref in refs} | set(written)
            express = ExpressStep(four, {port for step in four for port, ref in step.writes.items() if ref in read})
            return [*(s.run for s in steps[:i]), express.run, *(s.run for s in steps[i + 4 :])]
    return [step.run for step in steps]


def _fits(book: Step, spread: Step, bands: Step, loop: Step) -> bool:
    """Whether each of the four reads the one before it and nothing else."""
    wired = {
        "raw": (SOURCE,),
        "quotes": (book.writes["quotes"],),
        "levels": (book.writes["levels"],),
        "signals": (bands.writes["signals"],),
    }
    return (
        dict(spread.reads) == {"quotes": wired["quotes"]}
        and not spread.operator.parameters.executable  # the express leaves no room for those rows
        and dict(bands.reads) == {"spreads": (spread.writes["spreads"],)}
        and dict(loop.reads) == wired
    )


class ExpressStep:
    """Runs small cuts through the express, larger ones through the steps themselves."""

    def __init__(self, steps: Sequence[Step], wanted: Container[str]) -> None:
        book, *_ = steps
        self._steps = steps
        self._express = Express(*(step.operator for step in steps), wanted=wanted)  # type: ignore[arg-type, misc]
        self._events = dict(book.reads)["events"]
        self._writes = {port: ref for step in steps for port, ref in step.writes.items()}

    def run(self, streams: Streams) -> None:
        """Add what the four write to the streams of the cut."""
        events = merged(streams, self._events)
        if events is None:
            events = NO_EVENTS
        elif len(events) > self._express.events_max:
            for step in self._steps:
                step.run(streams)
            return
        raw = streams[SOURCE]
        assert isinstance(raw, RawFrame)
        for port, frame in self._express.run(raw.rows, events).items():
            if len(frame):
                streams[self._writes[port]] = frame
