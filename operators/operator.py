"""The operator contract.

An operator turns frames into frames and holds all its state in values that pickle. It sees time only as
data, does no I/O, and must not care how its input is cut into frames: every row it emits carries the
`cause` of an input row that produced it, in non-decreasing order per port.
"""

import pickle
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict

from schemas.instrument import Instrument, Pair
from schemas.market import RawFrame
from schemas.record import Frame, Schema

Frames = Mapping[str, Frame | RawFrame]
"""Frames by port name. A port that is absent, or empty, has no rows in this cut."""


class Parameters(BaseModel):
    """Base of an operator's parameters: frozen, unknown keys rejected, every field described."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


@dataclass(frozen=True)
class Feed:
    """A feed of the desk as operators see it: its id and the instruments it speaks of."""

    id: str
    instruments: tuple[str, ...] = ()


@dataclass(frozen=True)
class Desk:
    """What every operator of a desk may know. Indices in frames are positions in these tuples."""

    id: str
    instruments: tuple[Instrument, ...]
    pairs: tuple[Pair, ...] = ()
    feeds: tuple[Feed, ...] = ()
    capital: int = 0
    """Starting equity, money quanta."""
    seed: int = 0
    index: Mapping[str, int] = field(init=False, repr=False, compare=False)
    """Instrument id -> index."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "index", {inst.id: i for i, inst in enumerate(self.instruments)})

    @property
    def legs(self) -> tuple[tuple[int, int], ...]:
        """(y, x) instrument indices of every pair."""
        return tuple((self.index[p.y], self.index[p.x]) for p in self.pairs)


class Component:
    """What the graph declares: a class with named ports, a parameter model and a state version.

    `inputs` and `outputs` name the ports and their schemas; ports in `optional` may stay unconnected.
    Raise `version` when the state's form changes, so that an old checkpoint is refused, not misread.
    """

    inputs: ClassVar[Mapping[str, Schema]]
    outputs: ClassVar[Mapping[str, Schema]]
    optional: ClassVar[frozenset[str]] = frozenset()
    version: ClassVar[int] = 1
    Parameters: ClassVar[type[Parameters]] = Parameters

    def __init__(self, parameters: Any, desk: Desk) -> None:
        """`parameters` is an instance of `Parameters`. Raises ConfigError where they do not fit the desk."""
        self.parameters = parameters
        self.desk = desk

    @classmethod
    def example(cls, seed: int) -> "Example | None":
        """Input for the contract suite, where random rows of the input schemas would not do (raw bytes)."""
        return None


class Operator(Component, ABC):
    """A pure state machine over frames: the open loop, and every user's own operator.

    Frames handed to `process` must not be changed; frames returned are valid until the next call.
    """

    @abstractmethod
    def process(self, frames: Frames) -> Frames:
        """Take one cut of the input, return what it produced, by output port."""

    @abstractmethod
    def snapshot(self) -> Any:
        """The whole state as a picklable value that later calls of `process` leave alone."""

    @abstractmethod
    def restore(self, state: Any) -> None:
        """Become the operator that returned `state` from `snapshot`."""


@dataclass(frozen=True)
class Example:
    """A desk, parameters for it, and input frames that exercise an operator."""

    desk: Desk
    parameters: Mapping[str, Any]
    frames: Frames


def copy_state(state: Any) -> Any:
    """A deep, independent copy of a snapshot."""
    return pickle.loads(pickle.dumps(state, protocol=5))
