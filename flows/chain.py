"""A desk's operators run back to back: the stateful step of the dataflow.

The closed loop's stages run as one step. Fused, the whole chain is one bytewax step; unfused, each of its
steps is one, and hands on the streams of the cut.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
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

    def run(self, streams: Streams, *, keep: bool = False) -> None:
        """Process the cut's frames. An operator without any input rows has nothing to do.

        What is written is valid until the next run; with `keep` it is copied and stays.
        """
        frames: dict[str, Any] = {}
        for port, refs in self._reads:
            frame = merged(streams, refs)
            if frame is not None:
                frames[port] = frame
        if frames:
            for port, rows in self.operator.process(frames).items():
                assert not isinstance(rows, RawFrame)
                if len(rows):
                    streams[self._writes[port]] = rows.copy() if keep else rows

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


@dataclass(frozen=True)
class StepPlan:
    """A step of the chain that any desk can build for itself."""

    name: str
    build: Callable[[Desk], Step]


class Chain:
    """All steps of one desk and the numbering of what they write."""

    def __init__(self, graph: Graph, desk: Desk) -> None:
        self.desk = desk
        self.steps = [step.build(desk) for step in plan(graph)]
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


def plan(graph: Graph) -> list[StepPlan]:
    """The graph's steps, each after what it reads; the closed loop's stages are one of them."""
    stages = [node for node in graph.nodes if issubclass(node.component, Stage)]
    inside = {node.id for node in stages}
    groups = [[node] for node in graph.nodes if node.id not in inside] + ([stages] if stages else [])
    done, steps = {SOURCE[0]}, []
    while groups:
        group = next(g for g in groups if _upstream(g) <= done)
        groups.remove(group)
        done |= {node.id for node in group}
        steps.append(_loop_step(group) if group[0].id in inside else _operator_step(group[0]))
    return steps


def _upstream(group: list[Node]) -> set[str]:
    within = {node.id for node in group}
    return {ref[0] for node in group for refs in node.inputs.values() for ref in refs} - within


def _operator_step(node: Node) -> StepPlan:
    def build(desk: Desk) -> Step:
        operator = node.component(node.parameters, desk)
        assert isinstance(operator, Operator)
        return Step(node.id, operator, node.inputs, {port: (node.id, port) for port in node.component.outputs})

    return StepPlan(node.id, build)


def _loop_step(stages: list[Node]) -> StepPlan:
    seats = {node.component.role: node for node in stages if issubclass(node.component, Stage)}
    trader, venue = seats[Role.TRADER], seats[Role.VENUE]
    levels = venue.inputs.get("levels", ())
    stage_parameters: dict[str, Any] = {role.value: seats[role].parameters for role in Role}
    parameters = Loop.Parameters(**stage_parameters, levels=bool(levels))
    reads = {"raw": (SOURCE,), "quotes": trader.inputs["quotes"], "signals": trader.inputs["signals"]}
    if levels:
        reads["levels"] = levels
    writes = {port: (node.id, port) for node in stages for port in node.component.outputs}
    writes["order_events"] = (trader.id, "order_events")  # the trader's and the venue's, in their true order
    return StepPlan(LOOP_ID, lambda desk: Step(LOOP_ID, Loop(parameters, desk), reads, writes))
