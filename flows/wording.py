"""Findings of pydantic as sentences: which key, what was found, what would be right."""

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from flows.model_places import is_secret, models_at, places, tags_of
from flows.yaml_lines import Document, KeyPath
from schemas.errors import ConfigError

_SHOWN_NAMES = 12
_SHOWN_CHARACTERS = 60
_IS_NOT_TEXT = (int, float, bool)


class _Hidden:
    """In the place of a password in a message."""

    def __repr__(self) -> str:
        return "***"


_HIDDEN = _Hidden()
_TAG_ERRORS = ("union_tag_not_found", "union_tag_invalid")


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
    if guess := _guess(word, names):
        return guess
    if not names:
        return "; there are none"
    shown = ", ".join(names[:_SHOWN_NAMES])
    return f"; known: {shown}" + (f" and {len(names) - _SHOWN_NAMES} more" if len(names) > _SHOWN_NAMES else "")


def _guess(word: object, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(str(word), known, n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


def located(error: ValidationError, model: type[BaseModel], document: Document, at: KeyPath = ()) -> ConfigError:
    """The finding to mend first, with its line; `at` is where in the document the model's data starts.

    An unknown key goes first, for a misspelt key is also a missing one; then the first in the file. What is
    said of a list goes after what is said of its items.
    """
    data = _descend(document.value, at)

    def written(details: ErrorDetails) -> KeyPath:
        return _written(_untagged(model, details), data)

    def urgency(details: ErrorDetails) -> tuple[bool, str, int, int]:
        mark = document.mark(at + written(details))
        place = (mark.file, mark.line, mark.column) if mark else ("", 0, 0)
        return details["type"] != "extra_forbidden", *place

    errors = error.errors()
    inner = [e for e in errors if not any(e["loc"] == o["loc"][: len(e["loc"])] for o in errors if o is not e)]
    first = min(inner or errors, key=urgency)
    misplaced = first.get("ctx", {}).get("error")
    loc = written(first)
    if isinstance(misplaced, MisplacedError):
        return document.error(at + loc + misplaced.path, misplaced.message, misplaced.key)
    found = _HIDDEN if is_secret(model, first["loc"]) else _value_at(data, loc, first["input"])
    sentence = _sentence(first, model, found)
    return document.error(at + loc, sentence, key=first["type"] == "extra_forbidden")


def _descend(value: Any, path: KeyPath) -> Any:
    for part in path:
        value = value[part]
    return value


def _written(loc: KeyPath, data: Any) -> KeyPath:
    """The part of a location that is in the data: without the members of plain unions, with a missing last key."""
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
        return _unknown_key(model, loc[:-1], str(loc[-1]))
    if kind == "missing":
        meaning = _description(model, loc)
        return f"this key is missing; add it ({meaning})" if meaning else "this key is missing; add it"
    if kind == "value_error":
        return str(context["error"])
    if kind in _TAG_ERRORS:
        tags = tags_of(models_at(model, loc), _discriminator(details))
        listed = _listed(map(repr, tags), "or")
        if kind == "union_tag_not_found":
            return f"this key is missing; add it ({listed})"
        return f"should be {listed}, found {_shown(found)}{_guess(found, tags)}"
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


def _untagged(model: type[BaseModel], details: ErrorDetails) -> KeyPath:
    """Pydantic's location without the tags of unions, and with the key where a tag is wrong or missing."""
    loc = tuple(place.part for place in places(model, details["loc"]) if not place.union)
    return (*loc, _discriminator(details)) if details["type"] in _TAG_ERRORS else loc


def _discriminator(details: ErrorDetails) -> str:
    return str(details["ctx"]["discriminator"]).strip("'")


def _unknown_key(model: type[BaseModel], loc: KeyPath, key: str) -> str:
    """What to say of `key` at `loc`: whose it is, where other members of a union have it; else what is meant."""
    *_, place = (None, *places(model, loc))
    if place and (others := [m for m in place.union if key in m.model_fields]):
        kind, own = place.key, place.part
        whose = _listed(tags_of(others, kind), "and")
        return f"{key!r} is of {kind} {whose}, not of {own}; remove it, or correct the {kind}"
    known = dict.fromkeys(name for m in models_at(model, loc) for name in m.model_fields)
    return f"unknown key {key!r}{hint(key, known)}"


def _listed(names: Iterable[str], word: str) -> str:
    *most, last = names
    return f"{', '.join(most)} {word} {last}" if most else last


def _description(model: type[BaseModel], loc: tuple[str | int, ...]) -> str:
    fields = (m.model_fields.get(str(loc[-1])) for m in models_at(model, loc[:-1]))
    return next((field.description for field in fields if field and field.description), "")
