"""How the legs of every pair move together, quote by quote."""

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from pydantic import Field, model_validator

from operators.kernel import State
from operators.operator import Desk, Example, Frames, Operator, Parameters
from operators.pairs.correlate import CORRELATED, CORRELATION_TERMS, TOP_MID, UNSEEN, correlate_pairs
from operators.pairs.example import example_desk, example_quotes
from operators.pairs.layout import adjacency
from operators.pairs.moments import MOMENTS, QUEUE
from operators.pairs.window import Sampling, bar_ns
from operators.registry import register
from schemas.errors import ConfigError, InvariantError
from schemas.market import QUOTES
from schemas.record import Frame, Schema
from schemas.signal import CORRELATIONS, SpreadState


class CorrelationParameters(Parameters):
    """What is looked back on."""

    every: Sampling = Field(
        10**9,
        description="length of the bars whose ends are the samples, or `event`: every quote of a leg, or `change`: "
        "every new mid of one",
    )
    window: int = Field(300, ge=3, le=100_000, description="changes from sample to sample looked back on")

    @model_validator(mode="after")
    def _time_passes(self) -> "CorrelationParameters":
        if not isinstance(self.every, str) and self.every <= 0:
            raise ValueError("every must be longer than 0; `event` samples at every quote, `change` at every new mid")
        return self


@register("correlation")
class Correlation(Operator):
    """For every quote, one row per pair it is a leg of: the rolling correlation of the changes of the legs' log mids.

    Samples are taken as `spread` takes them, and a row holds the correlation as of the samples before it. It is COLD
    until there are `window` changes, and DEGENERATE where a leg has not moved in all of them. Sampled by `event`
    or `change` one leg moves at a time, and correlations are low for it (T. W. Epps, "Comovements in stock prices
    in the very short run", 1979): sample by bars as long as quotes of both legs take to come.
    """

    inputs: ClassVar[Mapping[str, Schema]] = {"quotes": QUOTES}
    outputs: ClassVar[Mapping[str, Schema]] = {"correlations": CORRELATIONS}
    Parameters = CorrelationParameters

    def __init__(self, parameters: CorrelationParameters, desk: Desk) -> None:
        super().__init__(parameters, desk)
        if not desk.pairs:
            raise ConfigError(f"desk {desk.id!r} has no pairs to correlate; declare some under `pairs`")
        starts, touches = adjacency(len(desk.instruments), enumerate(desk.legs))
        self._degree_max = int(np.diff(starts).max())
        terms = np.zeros(1, CORRELATION_TERMS)
        terms["every"], terms["window"] = bar_ns(parameters.every), parameters.window
        self._desk_tables = State(
            terms=terms,
            starts=starts,
            touches=touches,
            legs=np.array(desk.legs, np.int64).ravel(),
            rows=np.zeros(1024, CORRELATIONS.dtype),
        )
        mids, pairs = np.zeros(len(desk.instruments), TOP_MID), np.zeros(len(desk.pairs), CORRELATED)
        mids["state"] = UNSEEN
        pairs["bar"] = np.iinfo(np.int64).min
        pairs["state"] = SpreadState.COLD
        windows = np.zeros(len(pairs) * parameters.window, MOMENTS)
        self._state = State(mids=mids, pairs=pairs, queues=np.zeros(len(pairs), QUEUE), windows=windows)

    @classmethod
    def example(cls, seed: int) -> Example:
        """Twenty pairs over eight instruments that jump, halt and fall silent."""
        return Example(example_desk(seed), {"every": "100ms", "window": 8}, {"quotes": example_quotes(seed, 3000)})

    def process(self, frames: Frames) -> Frames:
        """Correlate every pair that `quotes` touch."""
        quotes: Any = frames.get("quotes", QUOTES.empty)
        needed = len(quotes) * self._degree_max
        if needed > len(self._desk_tables["rows"]):
            self._desk_tables.replace("rows", np.zeros(2 * needed, CORRELATIONS.dtype))
        count = correlate_pairs(self._desk_tables.ctx, self._state.ctx, quotes)
        if count < 0:
            quote = quotes[-1 - count]
            raise InvariantError(
                f"desk {self.desk.id!r}, correlation, input {quote['cause']}: expected a quote of an instrument "
                f"numbered 0 to {len(self.desk.instruments) - 1}, got one of number {quote['instrument']}"
            )
        return {"correlations": self._desk_tables["rows"][:count]} if count else {}

    def snapshot(self) -> dict[str, Frame]:
        """Mids, pairs and their windows."""
        return self._state.snapshot()

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from a snapshot of an operator with the same parameters on the same desk."""
        self._state.restore(state)
