"""Stages of the closed loop: declared like operators, run event by event inside one compiled loop.

What we do changes what we see next, so decision, risk, venue and portfolio cannot run one after the other
over a whole frame. A stage contributes its parameters and its kernels; `operators.execution.loop.Loop` is
the operator that runs them.
"""

from abc import abstractmethod
from collections.abc import Iterable
from enum import Enum
from typing import ClassVar

from operators.operator import Component
from schemas.errors import ConfigError
from schemas.record import Frame


class Role(Enum):
    """The seat a stage takes in the loop; there is one of each."""

    TRADER = "trader"
    LIMITS = "limits"
    VENUE = "venue"
    PORTFOLIO = "portfolio"


class Stage(Component):
    """A seat of the closed loop and its parameters."""

    role: ClassVar[Role]

    @abstractmethod
    def settings(self) -> Frame:
        """The parameters as the one-row table that the loop's kernels read."""


def check_loop(stages: Iterable[tuple[str, type[Component]]]) -> None:
    """Raise ConfigError unless the (id, class) pairs hold no stage at all or exactly one of each role."""
    seats: dict[Role, list[str]] = {role: [] for role in Role}
    for name, cls in stages:
        if issubclass(cls, Stage):
            seats[cls.role].append(name)
    if not any(seats.values()):
        return
    for role, names in seats.items():
        if len(names) != 1:
            found = f"{len(names)} ({', '.join(names)})" if names else "none"
            raise ConfigError(f"a graph that trades needs exactly one {role.value} stage, found {found}")
