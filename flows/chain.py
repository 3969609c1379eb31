"""A desk's operators run back to back: the stateful step of the dataflow.

The closed loop's stages run as one step. Fused, the whole chain is one bytewax step; unfused, each of its
steps is one, and hands on the streams of the cut.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flows.express import express_path
from flows.graph import Graph, Node
from flows.numbering import Numbering
from flows.step import Step
from flows.streams import SOURCE, Streams
from operators.execution.loop import Loop
from operators.execution.stage import Role, Stage
from operators.operator import Desk, Operator
from schemas.errors import RecoveryError
from schemas.market import RawFrame
from schemas.output import Output

LOOP_ID = "loop"
"""Step id of the closed loop."""


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
        self._path = express_path(self.steps, self.numbering)

    def process(self, raw: RawFrame) -> Output:
        """Run one cut of the input log through every operator."""
        streams: Streams = {SOURCE: raw}
        for run in self._path:
            run(streams)
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
        self._path = express_path(self.steps, self.numbering)  # it must not remember what it saw after the snapshot


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
