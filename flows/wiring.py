"""Which output port every input port reads: references by operator id, matched by schema."""

from collections.abc import Iterable, Mapping, Sequence

from flows.settings import Inputs
from flows.streams import SOURCE, Ref
from flows.wording import MisplacedError, hint
from flows.yaml_lines import KeyPath
from operators.operator import Component
from schemas.market import RAW
from schemas.record import Schema

Outputs = Mapping[str, Mapping[str, Schema]]
"""Operator id -> its output ports; the source is among them."""

SOURCE_OUTPUTS: Mapping[str, Mapping[str, Schema]] = {SOURCE[0]: {SOURCE[1]: RAW}}


def resolve(component: type[Component], inputs: Inputs, outputs: Outputs) -> dict[str, tuple[Ref, ...]]:
    """The output ports behind every connected input port, in the order they are listed.

    Raises MisplacedError, with a path below `input`, where a reference is unknown, ambiguous, or of no use,
    and where an input port that is not optional stays empty.
    """
    if isinstance(inputs, Mapping):
        wired = _by_port(component, inputs, outputs)
    else:
        wired = _by_schema(component, inputs, outputs)
    for port, schema in component.inputs.items():
        if port not in wired and port not in component.optional:
            makers = [f"{name}.{out}" for name, ports in outputs.items() for out, s in ports.items() if s == schema]
            remedy = f"read it from {' or '.join(makers)}" if makers else f"add an operator that emits {schema.name}"
            raise MisplacedError(("input",), f"nothing feeds input port {port!r}, which takes {schema.name}; {remedy}")
    return wired


def _by_schema(component: type[Component], references: Sequence[str], outputs: Outputs) -> dict[str, tuple[Ref, ...]]:
    ports_of = _ports_by_schema(component)
    wired: dict[str, tuple[Ref, ...]] = {}
    for i, reference in enumerate(references):
        path: KeyPath = ("input", i) if len(references) > 1 else ("input",)
        offered = _offered(reference, outputs, path)
        taken = [(ref, schema) for ref, schema in offered if schema.name in ports_of]
        if not taken:
            raise MisplacedError(path, _useless(component, reference, offered))
        _check_distinct(reference, taken, path)
        for ref, schema in taken:
            ports = ports_of[schema.name]
            if len(ports) > 1:
                form = ", ".join(f"{port}: …" for port in ports)
                message = f"{reference!r} fits the input ports {' and '.join(ports)}; say which: input: {{{form}}}"
                raise MisplacedError(path, message)
            _check_same(component.inputs[ports[0]], schema, ref, path)
            wired[ports[0]] = (*wired.get(ports[0], ()), ref)
    return wired


def _by_port(
    component: type[Component], inputs: Mapping[str, Sequence[str]], outputs: Outputs
) -> dict[str, tuple[Ref, ...]]:
    wired: dict[str, tuple[Ref, ...]] = {}
    for port, references in inputs.items():
        path: KeyPath = ("input", port)
        wanted = component.inputs.get(port)
        if wanted is None:
            raise MisplacedError(path, f"there is no input port {port!r}{hint(port, component.inputs)}", key=True)
        for reference in references:
            offered = _offered(reference, outputs, path)
            fitting = [(ref, schema) for ref, schema in offered if schema.name == wanted.name]
            if not fitting:
                message = f"input port {port!r} takes {wanted.name}; {reference!r} emits {_listed(offered)}"
                raise MisplacedError(path, message)
            _check_distinct(reference, fitting, path)
            _check_same(wanted, fitting[0][1], fitting[0][0], path)
            wired[port] = (*wired.get(port, ()), fitting[0][0])
    return wired


def _offered(reference: str, outputs: Outputs, path: KeyPath) -> list[tuple[Ref, Schema]]:
    """The output ports that `id` or `id.port` stands for."""
    name, _, port = reference.partition(".")
    if name not in outputs:
        raise MisplacedError(path, f"there is no operator {name!r}{hint(name, outputs)}")
    ports = outputs[name]
    if port and port not in ports:
        raise MisplacedError(path, f"operator {name!r} has no output port {port!r}{hint(port, ports)}")
    return [((name, out), schema) for out, schema in ports.items() if port in {"", out}]


def _ports_by_schema(component: type[Component]) -> dict[str, list[str]]:
    ports: dict[str, list[str]] = {}
    for port, schema in component.inputs.items():
        ports.setdefault(schema.name, []).append(port)
    return ports


def _useless(component: type[Component], reference: str, offered: Iterable[tuple[Ref, Schema]]) -> str:
    wanted = ", ".join(schema.name for schema in component.inputs.values()) or "no input at all"
    return f"{reference!r} is of no use here: it emits {_listed(offered)}, the operator takes {wanted}"


def _listed(offered: Iterable[tuple[Ref, Schema]]) -> str:
    return ", ".join(schema.name for _, schema in offered) or "nothing"


def _check_distinct(reference: str, offered: Sequence[tuple[Ref, Schema]], path: KeyPath) -> None:
    """One reference must not stand for two ports of one schema."""
    seen: dict[str, Ref] = {}
    for ref, schema in offered:
        if schema.name in seen:
            choice = " or ".join(".".join(r) for r in (seen[schema.name], ref))
            raise MisplacedError(path, f"{reference!r} emits {schema.name} on two ports; say which: {choice}")
        seen[schema.name] = ref


def _check_same(wanted: Schema, found: Schema, ref: Ref, path: KeyPath) -> None:
    if wanted.dtype != found.dtype:
        message = (
            f"{'.'.join(ref)} emits another {wanted.name!r} than is taken here: columns "
            f"{', '.join(found.dtype.names or ())}, not {', '.join(wanted.dtype.names or ())}"
        )
        raise MisplacedError(path, message)
