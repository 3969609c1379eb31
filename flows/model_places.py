"""Where the locations of pydantic's findings lead: which models stand there, and which parts are tags of unions."""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple, get_args

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

Location = tuple[str | int, ...]
"""Keys and positions in lists from the top of a model's data, as pydantic gives them: with the tags of unions."""


class Place(NamedTuple):
    """A part of a location."""

    part: str | int
    models: list[type[BaseModel]]
    """Those that may stand there."""
    union: list[type[BaseModel]]
    """Where the part is a tag, the members that it tells from each other; else none."""
    key: str
    """The key that they have it under."""


def places(model: type[BaseModel], loc: Location) -> list[Place]:
    """The parts of a location in data of `model`, one after the other."""
    found, models, key = list[Place](), [model], ""
    for part in loc:
        union = models if key and isinstance(part, str) else []
        if union:
            models = [m for m in union if part in tags_of([m], key)] or union
            found.append(Place(part, models, union, key))
            key = ""
            continue
        fields = [m.model_fields[part] for m in models if isinstance(part, str) and part in m.model_fields]
        models = [inner for field in fields for inner in _models(field.annotation)] or models
        key = next(filter(None, map(_tag_key, fields)), key)
        found.append(Place(part, models, [], ""))
    return found


def models_at(model: type[BaseModel], loc: Location) -> list[type[BaseModel]]:
    """The models that may stand at a location."""
    found = places(model, loc)
    return found[-1].models if found else [model]


def is_secret(model: type[BaseModel], loc: Location) -> bool:
    """Whether what stands at a location is not to be shown."""
    *upper, key = loc or ("",)
    for model_there in models_at(model, tuple(upper)):
        field = model_there.model_fields.get(str(key))
        if field is not None and (not field.repr or SecretStr in (field.annotation, *get_args(field.annotation))):
            return True
    return False


def tags_of(models: Iterable[type[BaseModel]], key: str) -> list[str]:
    """What the members of a union have under the key that tells them from each other."""
    return [str(tag) for m in models if key in m.model_fields for tag in get_args(m.model_fields[key].annotation)]


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    """Every model that a value of this annotation may contain directly or in a list, mapping or union."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models(argument)


def _tag_key(field: Any) -> str:
    """The key that tells the members of a field's union from each other; empty where there is no such union."""
    if isinstance(field, FieldInfo) and isinstance(field.discriminator, str):
        return field.discriminator
    within = (field.annotation,) if isinstance(field, FieldInfo) else get_args(field)
    return next(filter(None, map(_tag_key, within)), "")
