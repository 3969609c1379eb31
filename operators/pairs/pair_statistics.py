"""How the pairs of a desk behave: correlation, half-life, Hurst exponent."""

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from pydantic import Field, model_validator

from operators.kernel import State
from operators.operator import Desk, Example, Frames, Operator, Parameters
from operators.pairs.follow import FOLLOW_TERMS, FOLLOWED, follow_pairs
from operators.pairs.statistics_example import statistics_example
from operators.pairs.window import Sampling, bar_ns
from operators.registry import register
from schemas.errors import ConfigError, InvariantError
from schemas.market import QUOTES
from schemas.record import Frame, Schema
from schemas.signal import PAIR_STATISTICS, SPREADS

_NO_QUOTES, _NO_SPREADS = np.empty(0, QUOTES.dtype), np.empty(0, SPREADS.dtype)


class PairStatisticsParameters(Parameters):
    """What is looked back on, and how often."""

    every: Sampling = Field(
        10**9,
        description="length of the bars whose ends are the samples, or `event`: every row of spreads, or `change`: "
        "every row that shows something new",
    )
    window: int = Field(600, ge=32, le=100_000, description="samples looked back on")
    step: int = Field(60, ge=1, description="samples from one row of a pair to its next")

    @model_validator(mode="after")
    def _time_passes(self) -> "PairStatisticsParameters":
        if not isinstance(self.every, str) and self.every <= 0:
            raise ValueError(
                "every must be longer than 0; `event` samples at every row of spreads, `change` at new ones"
            )
        return self


@register("pair_statistics")
class PairStatistics(Operator):
    """Per pair, every `step` samples of its spread: correlation of its legs, half-life and Hurst exponent.

    Samples are taken as `spread` takes them: the first row of a pair in a later bar than its last one makes
    a sample of what the pair showed before, where that was usable (state 0). The row belongs to the input
    that completed the sample. Everything is computed from the window's samples alone, anew each time, so a
    row costs a few microseconds per hundred samples.
    """

    inputs: ClassVar[Mapping[str, Schema]] = {"quotes": QUOTES, "spreads": SPREADS}
    outputs: ClassVar[Mapping[str, Schema]] = {"statistics": PAIR_STATISTICS}
    Parameters = PairStatisticsParameters

    def __init__(self, parameters: PairStatisticsParameters, desk: Desk) -> None:
        super().__init__(parameters, desk)
        if not desk.pairs:
            raise ConfigError(f"desk {desk.id!r} has no pairs, so no statistics; declare some under `pairs`")
        terms = np.zeros(1, FOLLOW_TERMS)
        terms["every"] = bar_ns(parameters.every)
        terms["window"], terms["step"] = parameters.window, parameters.step
        self._desk_tables = State(
            terms=terms, legs=np.array(desk.legs, np.int64).ravel(), rows=np.zeros(1024, PAIR_STATISTICS.dtype)
        )
        slots = len(desk.pairs) * parameters.window
        self._state = State(
            mids=np.full(len(desk.instruments), np.nan),
            pairs=np.zeros(len(desk.pairs), FOLLOWED),
            y=np.zeros(slots),
            x=np.zeros(slots),
            spread=np.zeros(slots),
        )

    @classmethod
    def example(cls, seed: int) -> Example:
        """The spreads of a lively tape, and the tape."""
        return statistics_example(seed)

    def process(self, frames: Frames) -> Frames:
        """Follow every pair of `spreads`."""
        quotes: Any = frames.get("quotes", _NO_QUOTES)
        spreads: Any = frames.get("spreads", _NO_SPREADS)
        if len(spreads) > len(self._desk_tables["rows"]):
            self._desk_tables.replace("rows", np.zeros(2 * len(spreads), PAIR_STATISTICS.dtype))
        count = follow_pairs(self._desk_tables.ctx, self._state.ctx, quotes, spreads)
        if count < 0:
            spread = spreads[-1 - count]
            raise InvariantError(
                f"desk {self.desk.id!r}, pair_statistics, input {spread['cause']}: expected a spread of a pair "
                f"numbered 0 to {len(self.desk.pairs) - 1}, got one of number {spread['pair']}"
            )
        return {"statistics": self._desk_tables["rows"][:count]} if count else {}

    def snapshot(self) -> dict[str, Frame]:
        """Pairs and their windows."""
        return self._state.snapshot()

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from a snapshot of an operator with the same parameters on the same desk."""
        self._state.restore(state)
