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


class Operator(ABC):
    """Base class of every operator.

    `inputs` and `outputs` name the ports and their schemas. `version` is the state version: raise it
    when the state's form changes, so that an old checkpoint is refused instead of misread.
    Frames handed to `process` must not be changed; frames returned are valid until the next call.
    """

    inputs: ClassVar[Mapping[str, Schema]]
    outputs: ClassVar[Mapping[str, Schema]]
    version: ClassVar[int] = 1

    class Parameters(Parameters):
        """No parameters."""

    def __init__(self, parameters: Any, desk: Desk) -> None:
        self.parameters = parameters
        self.desk = desk

    @abstractmethod
    def process(self, frames: Frames) -> Frames:
        """Take one cut of the input, return what it produced, by output port."""

    @abstractmethod
    def snapshot(self) -> Any:
        """The whole state as a picklable value that later calls of `process` leave alone."""

    @abstractmethod
    def restore(self, state: Any) -> None:
        """Become the operator that returned `state` from `snapshot`."""


def copy_state(state: Any) -> Any:
    """A deep, independent copy of a snapshot."""
    return pickle.loads(pickle.dumps(state, protocol=5))
