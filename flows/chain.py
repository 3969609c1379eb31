"""A desk's operators run back to back: the stateful step of the dataflow.

The closed loop's stages run as one step. Fused, the whole chain is one bytewax step; unfused, each of its
steps is one, and hands on the streams of the cut.
"""

from collections.abc import Mapping
from typing import Any

from flows.graph import Graph, Node
from flows.numbering import Numbering
from flows.streams import SOURCE, Ref, Streams, merged
from operators.execution.loop import Loop
from operators.execution.stage import Role, Stage
from operators.operator import Desk, Operator
from schemas.errors import RecoveryError
from schemas.market import RawFrame
from schemas.output import Output

LOOP_ID = "loop"
"""Step id of the closed loop."""


class Step:
    """An operator and where its input ports read and its output ports write."""

    def __init__(
        self, name: str, operator: Operator, reads: Mapping[str, tuple[Ref, ...]], writes: Mapping[str, Ref]
    ) -> None:
        self.name = name
        self.operator = operator
        self._reads = tuple(reads.items())
        self._writes = dict(writes)

    def run(self, streams: Streams) -> None:
        """Process the cut's frames. An operator without any input rows has nothing to do."""
        frames: dict[str, Any] = {}
        for port, refs in self._reads:
            frame = merged(streams, refs)
            if frame is not None:
                frames[port] = frame
        if frames:
            for port, frame in self.operator.process(frames).items():
                if len(frame):  # type: ignore[arg-type]
                    streams[self._writes[port]] = frame

    def snapshot(self) -> Any:
        """The operator's identity, state version and state."""
        cls = type(self.operator)
        return f"{cls.__module__}:{cls.__qualname__}", cls.version, self.operator.snapshot()

    def restore(self, state: Any) -> None:
        """Go on from a snapshot of the same operator. Raises RecoveryError for another one's."""
        cls = type(self.operator)
        kind, version, inner = state
        here = (f"{cls.__module__}:{cls.__qualname__}", cls.version)
        if (kind, version) != here:
            raise RecoveryError(
                f"the checkpoint of step {self.name!r} was written by {kind} (state version {version}), "
                f"this is {here[0]} (state version {here[1]}); run the version that wrote it, "
                "or start a new run with another name and recovery directory"
            )
        self.operator.restore(inner)


class Chain:
    """All steps of one desk and the numbering of what they write."""

    def __init__(self, graph: Graph, desk: Desk) -> None:
        self.steps = build_steps(graph, desk)
        self.numbering = Numbering(graph.tables, desk)

    def process(self, raw: RawFrame) -> Output:
        """Run one cut of the input log through every operator."""
        streams: Streams = {SOURCE: raw}
        for step in self.steps:
            step.run(streams)
        return self.numbering.number(raw, streams)

    def snapshot(self) -> Any:
        """The state of every step."""
        return {step.name: step.snapshot() for step in self.steps}, self.numbering.snapshot()

    def restore(self, state: Any) -> None:
        """Go on from a snapshot of a chain of the same graph."""
        steps, numbering = state
        if steps.keys() != {step.name for step in self.steps}:
            raise RecoveryError(
                f"the checkpoint holds the operators {', '.join(steps)}; this graph has "
                f"{', '.join(s.name for s in self.steps)}; resume with the configuration it was written by"
            )
        for step in self.steps:
            step.restore(steps[step.name])
        self.numbering.restore(numbering)


def build_steps(graph: Graph, desk: Desk) -> list[Step]:
    """Fresh operators of the graph for one desk, in an order in which each comes after what it reads."""
    stages = [node for node in graph.nodes if issubclass(node.component, Stage)]
    inside = {node.id for node in stages}
    waiting = [node for node in graph.nodes if node.id not in inside]
    steps: list[Step] = []
    done = {SOURCE[0]}
    needed_by_loop = {ref[0] for node in stages for refs in node.inputs.values() for ref in refs} - inside
    is_loop_due = bool(stages)
    while waiting or is_loop_due:
        if is_loop_due and needed_by_loop <= done:
            steps.append(_loop_step(stages, desk))
            done |= inside
            is_loop_due = False
            continue
        node = next(n for n in waiting if {ref[0] for refs in n.inputs.values() for ref in refs} <= done)
        waiting.remove(node)
        done.add(node.id)
        steps.append(_operator_step(node, desk))
    return steps


def _operator_step(node: Node, desk: Desk) -> Step:
    operator = node.component(node.parameters, desk)
    assert isinstance(operator, Operator)
    return Step(node.id, operator, node.inputs, {port: (node.id, port) for port in node.component.outputs})


def _loop_step(stages: list[Node], desk: Desk) -> Step:
    seats = {node.component.role: node for node in stages if issubclass(node.component, Stage)}
    trader, venue = seats[Role.TRADER], seats[Role.VENUE]
    levels = venue.inputs.get("levels", ())
    parameters = Loop.Parameters(
        trader=trader.parameters,
        limits=seats[Role.LIMITS].parameters,
        venue=venue.parameters,
        portfolio=seats[Role.PORTFOLIO].parameters,
        levels=bool(levels),
    )
    reads = {"raw": (SOURCE,), "quotes": trader.inputs["quotes"], "signals": trader.inputs["signals"]}
    if levels:
        reads["levels"] = levels
    writes = {port: (node.id, port) for node in stages for port in node.component.outputs}
    writes["order_events"] = (trader.id, "order_events")  # the trader's and the venue's, in their true order
    return Step(LOOP_ID, Loop(parameters, desk), reads, writes)
