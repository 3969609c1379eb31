"""The chain as bytewax steps: one for all of it, or one for each operator."""

from collections.abc import Callable, Mapping
from typing import Any

from bytewax.operators import StatefulBatchLogic

from flows.chain import Chain, StepPlan
from flows.clock_warning import warn_of_clocks, watches_clocks
from flows.graph import Graph
from flows.numbering import Numbering
from flows.progress import Progress
from flows.step import Step
from flows.streams import SOURCE, Streams
from operators.operator import Desk
from schemas.market import RawFrame
from schemas.output import Output

Desks = Mapping[str, Desk]
RETAIN = StatefulBatchLogic.RETAIN


class ChainLogic(StatefulBatchLogic[RawFrame, Output, Any]):
    """A desk's whole chain. It is built with the first cut, which says whose it is, or from a checkpoint."""

    def __init__(self, graph: Graph, desks: Desks, progress: Progress, resume: Any) -> None:
        self._graph, self._desks, self._progress = graph, desks, progress
        self._watches_clocks = watches_clocks(graph)
        self._chain: Chain | None = None
        if resume is not None:
            desk, state = resume
            self._chain = Chain(graph, desks[desk])
            self._chain.restore(state)
            progress.reached(desk, self._chain.numbering)

    def on_batch(self, values: list[RawFrame]) -> tuple[list[Output], bool]:
        """Process cuts of the desk's input log in order."""
        chain = self._chain
        if chain is None:
            chain = self._chain = Chain(self._graph, self._desks[values[0].desk])
            self._progress.reached(chain.desk.id, chain.numbering)
        outputs = []
        for raw in values:
            output = chain.process(raw)
            if output.streams:
                if self._watches_clocks:
                    warn_of_clocks(chain.desk, output)
                outputs.append(output)
        return outputs, RETAIN

    def snapshot(self) -> Any:
        """Whose chain it is, and its state."""
        assert self._chain is not None
        return self._chain.desk.id, self._chain.snapshot()


class StepLogic(StatefulBatchLogic[RawFrame | Streams, Streams, Any]):
    """One step of a desk's chain. The first gets the cut as the source made it."""

    def __init__(self, plan: StepPlan, desks: Desks, resume: Any) -> None:
        self._plan, self._desks = plan, desks
        self._desk = ""
        self._step: Step | None = None
        if resume is not None:
            self._desk, state = resume
            self._step = plan.build(desks[self._desk])
            self._step.restore(state)

    def on_batch(self, values: list[RawFrame | Streams]) -> tuple[list[Streams], bool]:
        """Add what the step writes to the streams of each cut."""
        cuts: list[Streams] = [{SOURCE: v} if isinstance(v, RawFrame) else v for v in values]
        if self._step is None:
            self._desk = desk_of(cuts[0])
            self._step = self._plan.build(self._desks[self._desk])
        for streams in cuts:
            self._step.run(streams, keep=True)
        return cuts, RETAIN

    def snapshot(self) -> Any:
        """Whose step it is, and its state."""
        assert self._step is not None
        return self._desk, self._step.snapshot()


class NumberingLogic(StatefulBatchLogic[Streams, Output, Any]):
    """The last step of an unfused chain: streams become numbered rows."""

    def __init__(self, graph: Graph, desks: Desks, progress: Progress, resume: Any) -> None:
        self._new: Callable[[str], Numbering] = lambda desk: Numbering(graph.tables, desks[desk])
        self._watches_clocks = watches_clocks(graph)
        self._desks = desks
        self._progress = progress
        self._desk = ""
        self._numbering: Numbering | None = None
        if resume is not None:
            self._desk, state = resume
            self._numbering = self._new(self._desk)
            self._numbering.restore(state)
            progress.reached(self._desk, self._numbering)

    def on_batch(self, values: list[Streams]) -> tuple[list[Output], bool]:
        """Number the rows of each cut."""
        if self._numbering is None:
            self._desk = desk_of(values[0])
            self._numbering = self._new(self._desk)
            self._progress.reached(self._desk, self._numbering)
        outputs = []
        for streams in values:
            raw = streams[SOURCE]
            assert isinstance(raw, RawFrame)
            output = self._numbering.number(raw, streams)
            if output.streams:
                if self._watches_clocks:
                    warn_of_clocks(self._desks[self._desk], output)
                outputs.append(output)
        return outputs, RETAIN

    def snapshot(self) -> Any:
        """Whose rows they are, and the numbers given."""
        assert self._numbering is not None
        return self._desk, self._numbering.snapshot()


def desk_of(streams: Streams) -> str:
    """The desk whose cut this is."""
    raw = streams[SOURCE]
    assert isinstance(raw, RawFrame)
    return raw.desk
