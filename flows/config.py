"""The configuration: desks with their instruments, pairs and feeds, the operators, what is written and where.

`load` reads YAML and checks all that can be known without the operators; `flows.graph.build_graph` checks
those. A ConfigError says `file:line:column: key.path: what was found and what would be right`.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote

from pydantic import Field, PrivateAttr, ValidationError, ValidationInfo, field_validator, model_validator

from flows.references import check_references, desk_instruments, desk_pairs
from flows.settings import DeskConfig, Name, OperatorConfig, RuntimeConfig, Setting, TableSetting, usual_setting
from flows.wording import hint, located
from flows.yaml_lines import Document, KeyPath, read
from operators import registry
from operators.operator import Component, Desk, Feed, Parameters
from operators.sinks.address import Address
from operators.sources.base_feed import CapturedFeed
from operators.sources.journal_segment import segments_of
from schemas.errors import ConfigError
from schemas.instrument import Definition, Instrument

_CHDB = "chdb://"
_PASSWORD = re.compile(r"""(\bpassword"?\s*:\s*)(?!["']?\$\{)(?:"[^"]*"|'[^']*'|[^\s,}]+)""")
"""A password as it is written, in YAML or JSON, unless it is taken from the environment."""


class Config(Definition):
    """What a run is made of."""

    run: Name = Field(description="name of the run, as shown in tables; another configuration needs another name")
    target: str = Field(
        repr=False,
        description="chdb://directory, relative to this file, or clickhouse://user:password@host:port/database",
    )
    data: Path = Field(
        default=Path(),
        validate_default=True,
        description="folder that feed paths are relative to; default: this file's",
    )
    instruments: tuple[Instrument, ...] = Field(min_length=1, description="a list, or the path of a YAML file with it")
    desks: tuple[DeskConfig, ...] = Field(min_length=1, description="every desk runs all the operators")
    operators: tuple[OperatorConfig, ...] = Field(min_length=1, description="the graph, instantiated for every desk")
    tables: dict[str, Setting] = Field(default={}, description="off, on or {every: duration}, by stream")
    runtime: RuntimeConfig = Field(default=RuntimeConfig(), description="speed; changes no row")

    _document: Document = PrivateAttr(default_factory=Document)
    _folder: Path = PrivateAttr(default_factory=Path)

    @field_validator("target")
    @classmethod
    def _reachable(cls, target: str, info: ValidationInfo) -> str:
        if target.startswith(_CHDB) and target != _CHDB:
            target = f"{_CHDB}{(_folder(info) / target.removeprefix(_CHDB)).resolve()}"
        try:
            Address.parse(target)
        except ConfigError as e:
            raise ValueError(str(e)) from None
        return target

    @field_validator("data")
    @classmethod
    def _rooted(cls, data: Path, info: ValidationInfo) -> Path:
        return (_folder(info) / data.expanduser()).resolve()

    @model_validator(mode="after")
    def _fits(self) -> "Config":
        check_references(self.instruments, self.desks, self.operators)
        return self

    def error(self, path: KeyPath, message: str, key: bool = False) -> ConfigError:
        """A ConfigError about the part at `path`, with its line where this was read from a file."""
        return self._document.error(path, message, key)

    @property
    def text(self) -> str:
        """The file as it was written, without passwords, for the record that is kept of the run."""
        text = self._document.text or self.model_dump_json(exclude={"target"})
        secret = Address.parse(self.target).secret
        for form in {secret, quote(secret, safe="")} - {""}:
            text = text.replace(form, "***")
        return _PASSWORD.sub(r"\1***", text)

    def desk(self, name: str) -> Desk:
        """The desk called `name` as its operators see it. Raises ConfigError where there is none."""
        chosen = next((d for d in self.desks if d.id == name), None)
        if chosen is None:
            raise ConfigError(f"there is no desk {name!r}{hint(name, (d.id for d in self.desks))}")
        instruments = desk_instruments(chosen, self.instruments)
        every = tuple(instrument.id for instrument in instruments)
        feeds = tuple(Feed(feed.id, feed.instruments or every) for feed in chosen.feeds)
        pairs = desk_pairs(chosen, instruments)
        return Desk(chosen.id, instruments, pairs, feeds, chosen.capital, chosen.seed)

    def table(self, stream: str) -> TableSetting:
        """Whether and how densely the stream is written."""
        return self.tables.get(stream, usual_setting(stream))

    def journal_path(self, desk: DeskConfig) -> Path:
        """The folder of a desk's journal."""
        assert desk.journal is not None
        return self.data / desk.journal.path

    def feed_path(self, feed: CapturedFeed) -> Path:
        """The file of a feed."""
        return self.data / feed.path

    def parameters(self, i: int, component: type[Component]) -> Parameters:
        """The parameters of operator number `i`, validated. Raises ConfigError at the parameter's line."""
        try:
            return component.Parameters.model_validate(self.operators[i].parameters, context={"folder": self._folder})
        except ValidationError as e:
            raise located(e, component.Parameters, self._document, ("operators", i)) from None

    @cached_property
    def digest(self) -> str:
        """SHA-256 of everything that determines rows; not of the run's name, the target or the runtime.

        Captures and journals that are read count by name and size, live feeds by what they are, not by where.
        Raises ConfigError where a file is missing.
        """
        meaning = {
            "instruments": [instrument.model_dump(mode="json") for instrument in self.instruments],
            "desks": [self._desk_meaning(i) for i in range(len(self.desks))],
            "operators": [self._operator_meaning(i) for i in range(len(self.operators))],
            "tables": {name: vars(chosen) for name, chosen in self.tables.items() if chosen != usual_setting(name)},
        }
        canonical = json.dumps(meaning, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()

    def _desk_meaning(self, i: int) -> dict[str, Any]:
        desk = self.desks[i]
        meaning = desk.model_dump(mode="json", exclude={"feeds", "journal", "tick"})
        if desk.journal is not None:
            kinds = [feed.model_dump(mode="json", include={"id", "format", "instruments"}) for feed in desk.feeds]
            return meaning | {"feeds": kinds} | ({} if desk.is_live else {"journal": self._journal_meaning(i)})
        feeds = []
        for j, feed in enumerate(desk.captures):
            path = self.feed_path(feed)
            if not path.is_file():
                raise self.error(("desks", i, "feeds", j, "path"), missing_feed(path))
            size = {"name": path.name, "bytes": path.stat().st_size}
            feeds.append(feed.model_dump(mode="json", exclude={"path"}) | {"file": size})
        return meaning | {"feeds": feeds}

    def _journal_meaning(self, i: int) -> dict[str, Any]:
        path = self.journal_path(self.desks[i])
        segments = segments_of(path)
        if not segments:
            raise self.error(("desks", i, "journal", "path"), missing_journal(path))
        return {"name": path.name, "bytes": sum(segment.stat().st_size for segment in segments)}

    def _operator_meaning(self, i: int) -> dict[str, Any]:
        operator = self.operators[i]
        component = registry.find(operator.type)
        return {
            "id": operator.id,
            "type": operator.type,
            "version": component.version,
            "input": operator.input,
            "parameters": self.parameters(i, component).model_dump(mode="json"),
        }


def missing_feed(path: Path) -> str:
    """What to say of a feed without a file."""
    return f"there is no file {path}; record or simulate it, or set `data` to the folder that holds it"


def missing_journal(path: Path) -> str:
    """What to say of a journal without a segment."""
    return f"there is no journal in {path}; record one live, or set `data` to the folder that holds it"


def load(path: str | Path) -> Config:
    """The configuration in a YAML file, wholly checked but for its operators. Raises ConfigError."""
    path = Path(path)
    document = read(path)
    if not isinstance(document.value, Mapping):
        raise document.error((), "a configuration is keys with values, such as run: demo")
    _include_lists(document, path.parent)
    try:
        config = Config.model_validate(document.value, context={"folder": path.parent})
    except ValidationError as e:
        raise located(e, Config, document) from None
    config._document, config._folder = document, path.parent
    return config


def _folder(info: ValidationInfo) -> Path:
    return info.context["folder"] if info.context else Path()


def _include_lists(document: Document, folder: Path) -> None:
    """Put the lists that are named by path in their places: `instruments` and every desk's `pairs`."""
    top = document.value
    places: list[KeyPath] = [("instruments",)]
    desks = top.get("desks")
    if isinstance(desks, list):
        places += [("desks", i, "pairs") for i, desk in enumerate(desks) if isinstance(desk, Mapping)]
    data = top.get("data")
    roots = [folder / Path(data).expanduser(), folder] if isinstance(data, str) else [folder]
    for place in places:
        holder = top if len(place) == 1 else desks[place[1]]
        name = holder.get(place[-1])
        if isinstance(name, str):
            _include(document, place, [root / name for root in roots])


def _include(document: Document, place: KeyPath, candidates: list[Path]) -> None:
    found = next((path for path in candidates if path.is_file()), None)
    if found is None:
        tried = " or ".join(str(path) for path in candidates)
        raise document.error(place, f"there is no file {tried}; write the list here, or the path of a file with it")
    document.graft(place, read(found))
