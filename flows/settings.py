"""The parts of a configuration: desks, operators, tables, runtime."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    PlainValidator,
    WithJsonSchema,
    model_validator,
)

from operators.sources.base_feed import CapturedFeed, LiveFeed
from operators.sources.feed import AnyCapture, AnyLive, FeedConfig
from schemas.instrument import Definition, Pair
from schemas.learn import FEATURES
from schemas.market import QUOTES
from schemas.parameter_types import Duration, Money, duration_ns
from schemas.signal import CORRELATIONS, SPREADS

RESERVED_IDS = frozenset({"feeds", "loop"})
"""The source, and the step that the closed loop's stages run in."""


def _name(value: str, pattern: str, allowed: str) -> str:
    if not re.fullmatch(pattern, value):
        raise ValueError(f"{value!r} is not a name; use {allowed}")
    return value


_NAME_JSON = {"pattern": r"^\w[\w.-]*$"}
Name = Annotated[
    str,
    AfterValidator(lambda v: _name(v, r"\w[\w.-]*", "letters, digits, '-', '_' and '.'")),
    Field(json_schema_extra=_NAME_JSON),
]
"""A name of a run or desk: fit for a file name and a table."""

OperatorId = Annotated[
    str,
    AfterValidator(lambda v: _name(v, r"\w[\w-]*", "letters, digits, '-' and '_' ('.' separates a port)")),
    Field(json_schema_extra={"pattern": r"^\w[\w-]*$"}),
]


Sync = Annotated[
    int | Literal["always", "never"],
    BeforeValidator(lambda v: v if v in ("always", "never") or type(v) is int else duration_ns(v)),
    Field(json_schema_extra={"type": "string"}),
]


class JournalConfig(Definition):
    """Where a desk that listens writes down what it hears, before anything is made of it."""

    path: str = Field(min_length=1, description="folder, relative to the data folder; made where there is none")
    sync: Sync = Field(
        default=10**9,
        description="when the disk must have what was written: always (before it is processed), never, "
        "or within a time; a killed process loses nothing either way, a power failure does",
    )
    segment: int = Field(default=64 << 20, ge=1 << 10, description="bytes after which another file is begun")


class DeskConfig(Definition):
    """A set of pairs with its own capital, feeds and ledger."""

    id: Name = Field(description="unique name, as shown in tables")
    capital: Money = Field(gt=0, description="starting equity, in the currency of the desk's instruments")
    seed: int = Field(default=0, ge=0, description="seed of everything random on this desk")
    feeds: tuple[FeedConfig, ...] = Field(min_length=1, description="what the desk listens to")
    journal: JournalConfig | None = Field(
        default=None, description="live feeds: what they are written to first; feeds of format journal: what is read"
    )
    tick: Duration = Field(default=10**9, gt=0, description="live feeds: time without input after which time is told")
    pairs: tuple[Pair, ...] = Field(default=(), description="pairs traded, or the path of a YAML file with the list")
    every_pair: bool = Field(
        default=False, description="every two of the desk's instruments are a pair, called Y/X; for `discovery`"
    )

    @model_validator(mode="after")
    def _pairs_once(self) -> "DeskConfig":
        if self.every_pair and self.pairs:
            raise ValueError("`every_pair: true` declares all pairs there are; drop `pairs`, or every_pair")
        return self

    @property
    def is_live(self) -> bool:
        """Whether it listens, rather than reads."""
        return isinstance(self.feeds[0], LiveFeed)

    @property
    def live_feeds(self) -> list[AnyLive]:
        """Those it listens to: all, or none."""
        return [feed for feed in self.feeds if isinstance(feed, LiveFeed)]

    @property
    def captures(self) -> list[AnyCapture]:
        """Those that are files: all, or none."""
        return [feed for feed in self.feeds if isinstance(feed, CapturedFeed)]


Inputs = tuple[str, ...] | Mapping[str, tuple[str, ...]]
"""Operator ids (or `id.port`), matched to input ports by schema; or input port -> where it reads."""


def _references(value: Any) -> tuple[str, ...]:
    """One reference or a list of them as a tuple."""
    references = (value,) if isinstance(value, str) else tuple(value) if isinstance(value, list | tuple) else None
    if references is None or not all(isinstance(r, str) and r for r in references):
        raise ValueError(f"{value!r} names no input; write an operator's id, id.port, or a list of them")
    if len(set(references)) < len(references):
        raise ValueError(f"{', '.join(references)}: the same input is listed twice; keep one")
    return references


def parse_inputs(value: Any) -> Inputs:
    """The value of `input:` in one of its two forms. Raises ValueError for anything else."""
    if isinstance(value, Mapping):
        return {str(port): _references(references) for port, references in value.items()}
    return _references(value)


_REFERENCES_JSON: dict[str, Any] = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}
_INPUTS_JSON = {"anyOf": [*_REFERENCES_JSON["anyOf"], {"type": "object", "additionalProperties": _REFERENCES_JSON}]}


_AS_IT_IS = PlainSerializer(lambda inputs: inputs, return_type=Any)


class OperatorConfig(BaseModel):
    """One operator of the graph. Keys other than these are the parameters of its type."""

    model_config = ConfigDict(frozen=True, extra="allow")

    id: OperatorId = Field(description="unique name; other operators read from it by this name")
    type: str = Field(min_length=1, description="a built-in operator, or a path such as package.module:Class")
    input: Annotated[Inputs, PlainValidator(parse_inputs), _AS_IT_IS, WithJsonSchema(_INPUTS_JSON)] = Field(
        default=(), description="`feeds`, ids of operators, or input port -> id"
    )

    @property
    def parameters(self) -> dict[str, Any]:
        """What is written beside id, type and input."""
        return dict(self.model_extra or {})


SAMPLED_ONLY = frozenset({QUOTES.name, SPREADS.name, CORRELATIONS.name, FEATURES.name})
"""Streams too dense to be written unless asked for."""


@dataclass(frozen=True)
class TableSetting:
    """Whether a stream is written, and how densely: `every_ns` None is every row."""

    written: bool = True
    every_ns: int | None = None


def usual_setting(stream: str) -> TableSetting:
    """What holds for a stream that the configuration does not speak of."""
    return TableSetting(written=stream not in SAMPLED_ONLY)


def parse_table_setting(value: Any) -> TableSetting:
    """`off`, `on` or `{every: duration}`. Raises ValueError for anything else."""
    if isinstance(value, TableSetting):
        return value
    if value in (True, "on"):
        return TableSetting()
    if value in (False, "off"):
        return TableSetting(written=False)
    if isinstance(value, Mapping) and set(value) == {"every"}:
        every_ns = duration_ns(value["every"])
        if every_ns <= 0:
            raise ValueError("`every` must be longer than nothing; write on to keep every row")
        return TableSetting(every_ns=every_ns)
    raise ValueError(f"{value!r} is not a table's setting; write off, on, or {{every: 1s}}")


_SETTING_JSON = {
    "anyOf": [
        {"enum": ["on", "off", True, False]},
        {
            "type": "object",
            "properties": {"every": {"type": "string", "description": "keep the first row of each such interval"}},
            "required": ["every"],
            "additionalProperties": False,
        },
    ]
}
Setting = Annotated[TableSetting, PlainValidator(parse_table_setting), WithJsonSchema(_SETTING_JSON)]


class RuntimeConfig(Definition):
    """How fast, never what: nothing here changes any row."""

    frame: int = Field(default=4096, ge=1, le=10**6, description="most input-log entries handed on at once")
    fuse: bool = Field(default=True, description="run a desk's operators as one bytewax step")
    flush_rows: int = Field(default=10_000, ge=1, description="write a table once this many rows wait for it")
    flush_age: Duration = Field(default=10**9, gt=0, description="write a table once a row waited this long")
    pause: Duration = Field(
        default=10**6, ge=0, description="live: pause where nothing has come; 0s is none, which takes a whole core"
    )
    recovery_parts: int = Field(default=2, ge=1, le=64, description="partitions of a recovery directory, when created")
