"""Whether an operator's declaration is sound: ports, parameters, and that it can be built."""

from operators.operator import Example, Operator, Parameters
from schemas.errors import ContractError
from schemas.record import Schema

_RESERVED = {"id", "type", "input"}
_MUTABLE = (list, dict, set, bytearray)


def check_declaration(cls: type[Operator], example: Example) -> None:
    """Raise ContractError for the first thing wrong before any row flows."""
    _check_ports(cls)
    _check_parameters(cls)
    try:
        parameters = cls.Parameters.model_validate(dict(example.parameters))
    except ValueError as e:
        reason = " ".join(str(e).split())
        raise ContractError(
            f"its parameters cannot be made: {reason}; give them defaults, or the class an `example(seed)`"
        ) from e
    try:
        cls(parameters, example.desk)
    except Exception as e:
        raise ContractError(f"it cannot be built: {type(e).__name__} ({e})") from e


def _check_ports(cls: type[Operator]) -> None:
    for what in ("inputs", "outputs"):
        ports = getattr(cls, what, None)
        if not ports or not all(isinstance(schema, Schema) for schema in ports.values()):
            raise ContractError(f"`{what}` must name at least one port with its Schema, found {ports!r:.60}")
    strangers = cls.optional - cls.inputs.keys()
    if strangers:
        raise ContractError(f"`optional` names {', '.join(sorted(strangers))}, which is no input port")
    if any("." in port for port in (*cls.inputs, *cls.outputs)):
        raise ContractError("a port's name holds a '.', which separates it from the operator's id")


def _check_parameters(cls: type[Operator]) -> None:
    model = cls.Parameters
    if not issubclass(model, Parameters):
        raise ContractError(f"its Parameters derive from {model.__bases__[0].__name__}, not from Parameters")
    for key, value in (("frozen", True), ("extra", "forbid")):
        if model.model_config.get(key) != value:
            raise ContractError(f"its Parameters must keep {key}={value!r} in their model_config")
    for name, field in model.model_fields.items():
        if name in _RESERVED:
            raise ContractError(f"a parameter is called {name!r}, which every operator's stanza has already")
        if isinstance(field.default, _MUTABLE):
            raise ContractError(
                f"the default of parameter {name!r} is a {type(field.default).__name__}, which can change; use a tuple "
                "or a frozen model"
            )
        if not field.description:
            raise ContractError(f"parameter {name!r} has no description")
