"""The JSON Schema of a configuration file, operators and their parameters included, for editors."""

from typing import Any

from flows.config import Config
from flows.parameter_docs import parameter_schema, write_duration
from operators import registry
from operators.operator import Component

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_OWN_KEYS = ("id", "type", "input")


def config_schema() -> dict[str, Any]:
    """What a configuration may hold. Parameters follow from an operator's `type`, except for types named by path."""
    schema: dict[str, Any] = {"$schema": _DIALECT, **Config.model_json_schema()}
    definitions = schema["$defs"]
    for model in definitions.values():
        for field in model.get("properties", {}).values():
            write_duration(field)
    schema["properties"]["instruments"] = _or_path(schema["properties"]["instruments"])
    desk = definitions["DeskConfig"]["properties"]
    desk["pairs"] = _or_path(desk["pairs"])
    known = registry.built_in()
    operator = definitions["OperatorConfig"]
    operator["properties"]["type"] |= {"anyOf": [{"enum": list(known)}, {"pattern": "[.:]"}]}
    operator["allOf"] = [_of_type(name, cls, operator, definitions) for name, cls in known.items()]
    return schema


def _or_path(listed: dict[str, Any]) -> dict[str, Any]:
    """A list, or the path of the file that holds it."""
    described: dict[str, Any] = {key: listed.pop(key) for key in ["title", "description", "default"] if key in listed}
    return {**described, "anyOf": [listed, {"type": "string"}]}


def _of_type(
    name: str, component: type[Component], operator: dict[str, Any], definitions: dict[str, Any]
) -> dict[str, Any]:
    parameters = parameter_schema(component.Parameters, f"#/$defs/{name}.{{model}}")
    definitions |= {f"{name}.{model}": inner for model, inner in parameters.pop("$defs", {}).items()}
    own = {key: operator["properties"][key] for key in _OWN_KEYS if key != "type"}
    return {
        "if": {"properties": {"type": {"const": name}}, "required": ["type"]},
        "then": {
            "description": summary(component),
            "properties": {**own, "type": {"const": name}, **parameters.get("properties", {})},
            "required": ["id", "type", *parameters.get("required", [])],
            "additionalProperties": False,
        },
    }


def summary(component: type[Component]) -> str:
    """The first line of an operator's documentation."""
    return (component.__doc__ or "").strip().partition("\n")[0]
