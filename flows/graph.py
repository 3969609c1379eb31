"""The graph of operators, wholly checked: classes, parameters, who reads whom, and what is written.

`build_graph` makes it from a configuration. `compose` makes it in Python:

    graph = compose(
        [
            Declaration("book", Book, inputs="itch"),
            Declaration("spread", Spread, {"every": "1s"}, inputs=["book"]),
        ],
        desks=[desk],
    )
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from flows.config import Config
from flows.numbering import TableRule
from flows.settings import TableSetting, parse_inputs
from flows.streams import SOURCE, Ref
from flows.tables import written_tables
from flows.wiring import SOURCE_OUTPUTS, resolve
from flows.wording import MisplacedError, hint, located
from flows.yaml_lines import Document, KeyPath
from operators import registry
from operators.execution.stage import check_loop
from operators.operator import Component, Desk, Parameters
from schemas.errors import ConfigError, PairflowError

Fail = Callable[..., ConfigError]
"""(path, message, key=False) -> the error to raise, with the place where there is one."""


_NOWHERE = Document()
"""Stands in for the file of a graph that comes from none."""


@dataclass(frozen=True)
class Declaration:
    """An operator of a graph composed in Python; `inputs` takes the forms of `input:` in YAML."""

    id: str
    component: type[Component]
    parameters: Mapping[str, Any] | Parameters = field(default_factory=dict)
    inputs: str | Sequence[str] | Mapping[str, str | Sequence[str]] = SOURCE[0]
    type: str = ""


@dataclass(frozen=True)
class Node:
    """An operator with its parameters and the output ports that each of its input ports reads."""

    id: str
    component: type[Component]
    parameters: Parameters
    inputs: Mapping[str, tuple[Ref, ...]]
    type: str


@dataclass(frozen=True)
class Graph:
    """Operators in an order in which each comes after what it reads, and the streams that are written."""

    nodes: tuple[Node, ...]
    tables: Mapping[str, TableRule]
    warnings: tuple[str, ...] = ()

    def node(self, name: str) -> Node:
        """The node with this id."""
        return next(node for node in self.nodes if node.id == name)


def build_graph(config: Config) -> Graph:
    """The graph of a configuration. Raises ConfigError, with the line, at the first thing that cannot run."""
    declarations = []
    for i, operator in enumerate(config.operators):
        component = _find(operator.type, ("operators", i, "type"), config.error)
        parameters = config.parameters(i, component)
        declarations.append(Declaration(operator.id, component, parameters, operator.input, operator.type))
    desks = [config.desk(desk.id) for desk in config.desks]
    return compose(declarations, desks, config.tables, config.error)


def _find(name: str, path: KeyPath, fail: Fail) -> type[Component]:
    try:
        return registry.find(name)
    except ConfigError as e:
        is_word = ":" not in name and "." not in name
        choice = f"unknown operator type {name!r}{hint(name, registry.built_in())}, or write a path like module:Class"
        raise fail(path, choice if is_word else str(e)) from e
    except Exception as e:
        raise fail(path, f"the module of {name!r} cannot be imported: {type(e).__name__}: {e}") from e


def compose(
    declarations: Sequence[Declaration],
    desks: Sequence[Desk],
    tables: Mapping[str, TableSetting] | None = None,
    fail: Fail = _NOWHERE.error,
) -> Graph:
    """Check the declarations against each other and the desks, and order them. Raises ConfigError."""
    nodes: list[Node] = []
    outputs = {**SOURCE_OUTPUTS, **{d.id: d.component.outputs for d in declarations}}
    if len(outputs) <= len(declarations):
        raise fail(("operators",), "two operators have the same id, or one is called 'feeds'")
    for i, declaration in enumerate(declarations):
        parameters = _parameters(declaration)
        try:
            wired = resolve(declaration.component, parse_inputs(declaration.inputs), outputs)
        except MisplacedError as e:
            raise fail(("operators", i, *e.path), e.message, e.key) from None
        kind = declaration.type or declaration.component.__name__
        nodes.append(Node(declaration.id, declaration.component, parameters, wired, kind))
    ordered = _in_order(nodes, fail)
    try:
        check_loop((node.id, node.component) for node in ordered)
    except ConfigError as e:
        raise fail(("operators",), str(e)) from None
    _try_constructors(nodes, desks, fail)
    rules, warnings = written_tables(
        ((n.id, n.component.outputs) for n in ordered), _consumed(nodes), tables or {}, fail
    )
    return Graph(tuple(ordered), rules, tuple(warnings))


def _parameters(declaration: Declaration) -> Parameters:
    if isinstance(declaration.parameters, Parameters):
        return declaration.parameters
    try:
        return declaration.component.Parameters.model_validate(declaration.parameters)
    except ValidationError as e:
        error = located(e, declaration.component.Parameters, Document(dict(declaration.parameters)))
        raise ConfigError(f"operator {declaration.id!r}: {error}") from None


def _in_order(nodes: Sequence[Node], fail: Fail) -> list[Node]:
    """Sources first; among operators that are ready, the one declared first. Raises ConfigError for a cycle."""
    waiting = {node.id: node for node in nodes}
    reads = {node.id: {ref[0] for refs in node.inputs.values() for ref in refs} for node in nodes}
    ordered: list[Node] = []
    while waiting:
        ready = next((name for name in waiting if not reads[name] & waiting.keys()), None)
        if ready is None:
            path = ("operators", [node.id for node in nodes].index(next(iter(waiting))), "input")
            cycle = " → ".join(_cycle(reads, set(waiting)))
            raise fail(path, f"these operators read each other in a circle: {cycle}; cut it at one `input`")
        ordered.append(waiting.pop(ready))
    return ordered


def _cycle(reads: Mapping[str, set[str]], waiting: set[str]) -> list[str]:
    """A circle among operators each of which reads one of the others, in the direction rows flow."""
    walk = [min(waiting)]
    while walk[-1] not in walk[:-1]:
        walk.append(min(reads[walk[-1]] & waiting))
    return walk[walk.index(walk[-1]) :][::-1]


def _try_constructors(nodes: Sequence[Node], desks: Sequence[Desk], fail: Fail) -> None:
    """Build every operator once for every desk, so that what does not fit is known before anything connects."""
    for i, node in enumerate(nodes):
        for desk in desks:
            try:
                node.component(node.parameters, desk)
            except PairflowError as e:
                raise fail(("operators", i), f"operator {node.id!r} does not fit desk {desk.id!r}: {e}") from e
            except Exception as e:
                message = f"operator {node.id!r} cannot be built for desk {desk.id!r}: {type(e).__name__}: {e}"
                raise fail(("operators", i), message) from e


def _consumed(nodes: Sequence[Node]) -> set[Ref]:
    return {ref for node in nodes for refs in node.inputs.values() for ref in refs}
