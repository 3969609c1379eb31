"""Parameters as a person reads them: type, default, meaning, in the units of the configuration file."""

from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, TypeAdapter
from pydantic.fields import FieldInfo

from schemas.parameter_types import Duration, Money
from schemas.record import MONEY_QUANTUM

_UNITS_NS = (("h", 3600 * 10**9), ("m", 60 * 10**9), ("s", 10**9), ("ms", 10**6), ("us", 10**3), ("ns", 1))
_DURATION_PATTERN = TypeAdapter(Duration).json_schema()["pattern"]
_BOUNDS = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
_NAMES = {"string": "text", "boolean": "true or false", "array": "list", "object": "keys with values", "null": "null"}


@dataclass(frozen=True)
class ParameterDoc:
    """One parameter in words. Those of a nested choice are named `hedge.window`; `default` may be `required`."""

    name: str
    type: str
    default: str
    description: str


def describe(model: type[BaseModel]) -> list[ParameterDoc]:
    """Every parameter, in declaration order, nested ones below the parameter they belong to.

    One that several members of a union share is listed once.
    """
    schema = parameter_schema(model)
    return list(dict.fromkeys(_described(schema, schema.get("$defs", {}), "")))


def parameter_schema(model: type[BaseModel], ref_template: str = "#/$defs/{model}") -> dict[str, Any]:
    """The model's JSON Schema with defaults as they would be written: durations with units, money in currency."""
    schema = model.model_json_schema(ref_template=ref_template)
    for name, field in model.model_fields.items():
        _write_default(schema["properties"][name], field)
    return schema


def duration_text(ns: int) -> str:
    """Nanoseconds in the largest unit that divides them: '90s', '2m', '250ms'."""
    return next((f"{ns // size}{unit}" for unit, size in _UNITS_NS if ns and ns % size == 0), "0s")


def _write_default(schema: dict[str, Any], field: FieldInfo) -> None:
    default = schema.get("default")
    if type(default) is int and Money.__metadata__[0] in field.metadata:  # type: ignore[attr-defined]
        schema["default"] = default / MONEY_QUANTUM
    else:
        write_duration(schema)


def write_duration(schema: dict[str, Any]) -> None:
    """Where this is the schema of a duration, give its default as it would be written."""
    default = schema.get("default")
    if type(default) is int and any(_is_duration(form) for form in (schema, *schema.get("anyOf", ()))):
        schema["default"] = duration_text(default)


def _described(schema: dict[str, Any], definitions: dict[str, Any], prefix: str) -> list[ParameterDoc]:
    docs = []
    for name, inner in schema.get("properties", {}).items():
        is_required = name in schema.get("required", ())
        default = "required" if is_required else _default_text(inner.get("default"))
        kind, nested = _type_text(inner, definitions)
        docs.append(ParameterDoc(prefix + name, kind, default, inner.get("description", "")))
        for model in nested:
            docs += _described(_without_tag(model), definitions, f"{prefix}{name}.")
    return docs


def _without_tag(model: dict[str, Any]) -> dict[str, Any]:
    """A member of a union without the constant that tells it from the others: its name says it already."""
    properties = {name: inner for name, inner in model.get("properties", {}).items() if "const" not in inner}
    return {**model, "properties": properties}


def _default_text(default: Any) -> str:
    if default is None:
        return "null"
    if isinstance(default, dict):
        return "{" + ", ".join(f"{key}: {value}" for key, value in default.items()) + "}"
    if isinstance(default, bool):
        return str(default).lower()
    return _number_text(default) if isinstance(default, int | float) else str(default)


def _number_text(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:,g}"


def _is_duration(schema: dict[str, Any]) -> bool:
    return schema.get("pattern") == _DURATION_PATTERN


def _type_text(schema: dict[str, Any], definitions: dict[str, Any]) -> tuple[str, list[dict[str, Any]]]:
    """A type in words, and the models in it that have parameters of their own."""
    forms = schema.get("oneOf") or schema.get("anyOf")
    if forms:
        is_decimal = [form.get("type") for form in forms] == ["number", "string"]  # a number, which may be quoted
        texts = [_type_text(form, definitions) for form in (forms[:1] if is_decimal else forms)]
        return " | ".join(text for text, _ in texts), [model for _, nested in texts for model in nested]
    if "$ref" in schema:
        model = definitions[schema["$ref"].rpartition("/")[2].rpartition(".")[2]]
        tag = next((inner["const"] for inner in model.get("properties", {}).values() if "const" in inner), None)
        return (f"{{type: {tag}}}" if tag else model["title"]), [model]
    if "const" in schema:
        return str(schema["const"]), []
    if "enum" in schema:
        return " | ".join(map(str, schema["enum"])), []
    if _is_duration(schema):
        return "duration", []
    kind = _NAMES.get(schema.get("type", ""), schema.get("type", "anything"))
    if kind == "list" and "items" in schema:
        kind = f"list of {_type_text(schema['items'], definitions)[0]}"
    bounds = "".join(f", {sign} {_number_text(schema[key])}" for key, sign in _BOUNDS.items() if key in schema)
    return kind + bounds, []
