"""Findings of pydantic as sentences: which key, what was found, what would be right."""

import difflib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from flows.yaml_lines import Document, KeyPath
from schemas.errors import ConfigError

_SHOWN_NAMES = 12
_SHOWN_CHARACTERS = 60
_IS_NOT_TEXT = (int, float, bool)


class MisplacedError(ValueError):
    """Raised by a model validator about the part of the model at `path`."""

    def __init__(self, path: KeyPath, message: str, key: bool = False) -> None:
        super().__init__(message)
        self.path = path
        self.message = message
        self.key = key


def hint(word: object, known: Iterable[str]) -> str:
    """`; did you mean 'x'?`, or what there is to choose from."""
    names = list(known)
    close = difflib.get_close_matches(str(word), names, n=1)
    if close:
        return f"; did you mean {close[0]!r}?"
    if not names:
        return "; there are none"
    shown = ", ".join(names[:_SHOWN_NAMES])
    return f"; known: {shown}" + (f" and {len(names) - _SHOWN_NAMES} more" if len(names) > _SHOWN_NAMES else "")


def located(error: ValidationError, model: type[BaseModel], document: Document, at: KeyPath = ()) -> ConfigError:
    """The finding to mend first, with its line; `at` is where in the document the model's data starts.

    An unknown key goes first, for a misspelt key is also a missing one; then the first in the file. What is
    said of a list goes after what is said of its items.
    """
    data = _descend(document.value, at)

    def urgency(details: ErrorDetails) -> tuple[bool, str, int, int]:
        mark = document.mark(at + _written(details["loc"], data))
        place = (mark.file, mark.line, mark.column) if mark else ("", 0, 0)
        return details["type"] != "extra_forbidden", *place

    errors = error.errors()
    inner = [e for e in errors if not any(e["loc"] == o["loc"][: len(e["loc"])] for o in errors if o is not e)]
    first = min(inner or errors, key=urgency)
    misplaced = first.get("ctx", {}).get("error")
    loc = _written(first["loc"], data)
    if isinstance(misplaced, MisplacedError):
        return document.error(at + loc + misplaced.path, misplaced.message, misplaced.key)
    sentence = _sentence(first, model, _value_at(data, loc, first["input"]))
    return document.error(at + loc, sentence, key=first["type"] == "extra_forbidden")


def _descend(value: Any, path: KeyPath) -> Any:
    for part in path:
        value = value[part]
    return value


def _written(loc: tuple[str | int, ...], data: Any) -> KeyPath:
    """The part of pydantic's location that is in the data: without the tags of unions, with a missing last key."""
    path: list[str | int] = []
    for i, part in enumerate(loc):
        is_key = isinstance(data, Mapping) and part in data
        if is_key or (isinstance(data, list | tuple) and isinstance(part, int) and part < len(data)):
            data = data[part]
            path.append(part)
        elif isinstance(data, Mapping) and i == len(loc) - 1 and isinstance(part, str):
            path.append(part)
    return tuple(path)


def _value_at(data: Any, loc: KeyPath, otherwise: Any) -> Any:
    """What is written at `loc`, before any validator converted it."""
    for part in loc:
        if isinstance(data, Mapping) and part not in data:
            return otherwise
        data = data[part]
    return data


def _sentence(details: ErrorDetails, model: type[BaseModel], found: Any) -> str:
    kind, context = details["type"], details.get("ctx", {})
    loc = details["loc"]
    if kind == "extra_forbidden":
        return f"unknown key {loc[-1]!r}{hint(loc[-1], _known_keys(model, loc[:-1]))}"
    if kind == "missing":
        meaning = _description(model, loc)
        return f"this key is missing; add it ({meaning})" if meaning else "this key is missing; add it"
    if kind == "value_error":
        return str(context["error"])
    if kind == "union_tag_invalid":
        tags = [tag.strip("' ") for tag in str(context["expected_tags"]).split(",")]
        return f"unknown {str(context['discriminator']).strip(chr(39))} {context['tag']!r}{hint(context['tag'], tags)}"
    if kind == "literal_error":
        return f"should be {context['expected']}, found {_shown(found)}"
    if kind == "string_type" and isinstance(found, _IS_NOT_TEXT):
        return f"should be text, found {found!r}; put it in quotes: {str(found)!r}"
    if kind == "too_short":
        return f"should have at least {context['min_length']} of them, found {context['actual_length']}"
    if kind in {"tuple_type", "list_type"}:
        return f"should be a list, found {_shown(found)}"
    if kind in {"model_type", "model_attributes_type", "dict_type"}:
        return f"should be keys with values, found {_shown(found)}"
    message = details["msg"].removeprefix("Input ").removeprefix("Value ")
    return f"{message[0].lower()}{message[1:]}, found {_shown(found)}"


def _shown(value: object) -> str:
    text = "nothing" if value is None else repr(value)
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}…"


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    """Every model that a value of this annotation may contain directly or in a list, mapping or union."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models(argument)


def _models_at(model: type[BaseModel], loc: tuple[str | int, ...]) -> list[type[BaseModel]]:
    """The models that stand at pydantic's location `loc`."""
    models = [model]
    for part in loc:
        if isinstance(part, int):
            continue
        with_field = [m.model_fields[part].annotation for m in models if part in m.model_fields]
        models = [inner for annotation in with_field for inner in _models(annotation)] or _tagged(models, part)
    return models


def _tagged(models: list[type[BaseModel]], tag: str) -> list[type[BaseModel]]:
    """Those of a union's models one of whose fields is the literal `tag`; all of them where none is."""
    tagged = [m for m in models if any(tag in get_args(f.annotation) for f in m.model_fields.values())]
    return tagged or models


def _known_keys(model: type[BaseModel], loc: tuple[str | int, ...]) -> list[str]:
    return list(dict.fromkeys(name for m in _models_at(model, loc) for name in m.model_fields))


def _description(model: type[BaseModel], loc: tuple[str | int, ...]) -> str:
    fields = (m.model_fields.get(str(loc[-1])) for m in _models_at(model, loc[:-1]))
    return next((field.description for field in fields if field and field.description), "")
