"""YAML that remembers where every key and value stood, so that a message can name the line.

Scalars follow YAML 1.2: only `true` and `false` are booleans and only plain decimal numbers are numbers, so
ticker symbols such as ON, NO or 005930 stay text. `${NAME}` and `${NAME:-default}` in a text value are taken
from the environment. Duplicate keys are refused.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from schemas.errors import ConfigError

KeyPath = tuple[str | int, ...]
"""Keys and list positions from the top of the document, such as ("operators", 3, "entry")."""

_VARIABLE = re.compile(r"\$\{(\w+)(?::-([^}]*))?\}")


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader with the scalars of YAML 1.2."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}


_INT = re.compile(r"[-+]?(?:0|[1-9][0-9_]*)$")
_FLOAT = re.compile(r"[-+]?(?:(?:0|[1-9][0-9_]*)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?$")
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"(?:true|True|TRUE|false|False|FALSE)$"), [*"tTfF"])
_Loader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"(?:~|null|Null|NULL|)$"), [*"~nN", ""])
_Loader.add_implicit_resolver("tag:yaml.org,2002:int", _INT, [*"-+0123456789"])
_Loader.add_implicit_resolver("tag:yaml.org,2002:float", _FLOAT, [*"-+0123456789."])
_Loader.add_implicit_resolver("tag:yaml.org,2002:merge", re.compile(r"<<$"), ["<"])


@dataclass(frozen=True)
class Mark:
    """A place in a file; `line` and `column` count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass
class Document:
    """Plain values and the marks of their keys and of the values themselves, by key path."""

    value: Any = None
    text: str = ""
    """What was parsed, of the first file where lists of others are grafted in."""
    keys: dict[KeyPath, Mark] = field(default_factory=dict)
    values: dict[KeyPath, Mark] = field(default_factory=dict)

    def mark(self, path: KeyPath, key: bool = False) -> Mark | None:
        """Where `path` stands (its key if `key`), or the nearest part above it that is written down."""
        if key and path in self.keys:
            return self.keys[path]
        for size in range(len(path), -1, -1):
            if path[:size] in self.values:
                return self.values[path[:size]]
        return None

    def error(self, path: KeyPath, message: str, key: bool = False) -> ConfigError:
        """A ConfigError that says where: `file:line:column: key.path: message`."""
        parts = (str(self.mark(path, key) or ""), path_text(path), message)
        return ConfigError(": ".join(part for part in parts if part))

    def graft(self, path: KeyPath, other: "Document") -> None:
        """Put `other` in the place of the value at `path`, marks included."""
        parent = self.value
        for part in path[:-1]:
            parent = parent[part]
        parent[path[-1]] = other.value
        self.values |= {path + below: mark for below, mark in other.values.items()}
        self.keys |= {path + below: mark for below, mark in other.keys.items()}


def path_text(path: KeyPath) -> str:
    """`operators[3].entry` for ("operators", 3, "entry")."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".")


def read(path: Path, environment: Mapping[str, str] | None = None) -> Document:
    """The document in the file `path`. Raises ConfigError where it cannot be read, naming the line."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as e:
        reason = e.strerror if isinstance(e, OSError) else "it is not UTF-8 text"
        raise ConfigError(f"{path}: cannot read the file: {reason}") from e
    return parse(text, str(path), environment)


def parse(text: str, file: str, environment: Mapping[str, str] | None = None) -> Document:
    """The document written in `text`; `file` is its name in messages."""
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        if node is None:
            raise ConfigError(f"{file}:1:1: the file is empty")
        builder = _Builder(file, os.environ if environment is None else environment, loader)
        builder.document.value, builder.document.text = builder.build(node, ()), text
    except yaml.MarkedYAMLError as e:
        mark = e.problem_mark or e.context_mark
        place = f"{file}:{mark.line + 1}:{mark.column + 1}" if mark else file
        raise ConfigError(f"{place}: this is not YAML: {e.problem or e.context}") from e
    except yaml.YAMLError as e:
        raise ConfigError(f"{file}: this is not YAML: {' '.join(str(e).split())}") from e
    return builder.document


class _Builder:
    """Walks a node tree once, building values and marks together."""

    def __init__(self, file: str, environment: Mapping[str, str], loader: _Loader) -> None:
        self.document = Document()
        self._file = file
        self._environment = environment
        self._loader = loader
        self._open: set[int] = set()

    def build(self, node: yaml.Node, path: KeyPath) -> Any:
        self.document.values[path] = self._mark(node)
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, path)
        if id(node) in self._open:
            raise self.document.error(path, "an alias points at a value that contains it")
        self._open.add(id(node))
        value = self._sequence(node, path) if isinstance(node, yaml.SequenceNode) else self._mapping(node, path)
        self._open.discard(id(node))
        return value

    def _mark(self, node: yaml.Node) -> Mark:
        return Mark(self._file, node.start_mark.line + 1, node.start_mark.column + 1)

    def _sequence(self, node: yaml.SequenceNode, path: KeyPath) -> list[Any]:
        return [self.build(item, (*path, i)) for i, item in enumerate(node.value)]

    def _mapping(self, node: yaml.Node, path: KeyPath) -> dict[str, Any]:
        written: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if key_node.tag == "tag:yaml.org,2002:merge":
                merged |= self._merge(value_node, path)
                continue
            if not isinstance(key_node, yaml.ScalarNode):
                raise self.document.error(path, "a key must be a plain word")
            below = (*path, key_node.value)
            if key_node.value in written:
                first = self.document.keys[below].line
                self.document.keys[below] = self._mark(key_node)
                raise self.document.error(below, f"this key is written twice, first on line {first}; keep one", True)
            self.document.keys[below] = self._mark(key_node)
            written[key_node.value] = self.build(value_node, below)
        return merged | written

    def _merge(self, node: yaml.Node, path: KeyPath) -> dict[str, Any]:
        """Values of `<<: *alias`, or of a list of aliases, of which the first wins."""
        if isinstance(node, yaml.MappingNode):
            value = self.build(node, path)
            return dict(value)
        if not isinstance(node, yaml.SequenceNode) or not all(isinstance(n, yaml.MappingNode) for n in node.value):
            raise self.document.error(path, "<< takes an alias of a mapping, or a list of them")
        merged: dict[str, Any] = {}
        for item in reversed(node.value):
            merged |= self.build(item, path)
        return merged

    def _scalar(self, node: yaml.ScalarNode, path: KeyPath) -> Any:
        if node.tag == "tag:yaml.org,2002:str":
            return self._substitute(node.value, path)
        try:
            return self._loader.construct_object(node)
        except (yaml.YAMLError, ValueError):
            raise self.document.error(path, f"cannot read {node.value!r} as {node.tag.rpartition(':')[2]}") from None

    def _substitute(self, text: str, path: KeyPath) -> str:
        def value(match: re.Match[str]) -> str:
            name, default = match[1], match[2]
            found = self._environment.get(name, default)
            if found is None:
                message = f"the environment variable {name} is not set; set it, or write a default: ${{{name}:-value}}"
                raise self.document.error(path, message)
            return found

        return _VARIABLE.sub(value, text)
