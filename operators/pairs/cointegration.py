"""Whether pairs are cointegrated, tested over and over."""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field, model_validator

from operators.kernel import State
from operators.operator import Desk, Example, Frames, Operator, Parameters
from operators.pairs.example import cointegration_example
from operators.pairs.gate import GATE_TERMS, TESTED, gate_pairs
from operators.pairs.layout import adjacency
from operators.pairs.unit_root import schwert_lags
from operators.pairs.window import Sampling, bar_ns
from operators.registry import register
from schemas.errors import ConfigError, InvariantError
from schemas.market import QUOTES
from schemas.record import Frame, Schema
from schemas.signal import GATES


class CointegrationParameters(Parameters):
    """What is tested, how often, and what it takes to pass."""

    price: Literal["mid", "log_mid"] = Field("log_mid", description="mid price in currency, or its natural logarithm")
    every: Sampling = Field(
        10**9,
        description="length of the bars whose ends are the samples, or `event`: every quote of a leg, or `change`: "
        "every new mid of one",
    )
    window: int = Field(600, ge=50, le=20_000, description="samples of the test")
    step: int = Field(60, ge=1, description="samples from one test of a pair to its next")
    lags: int | None = Field(
        None, ge=0, le=100, description="lagged changes in the Dickey-Fuller regression; null: by Akaike's criterion"
    )
    open: float = Field(0.05, gt=0, lt=1, description="a gate opens at a p-value of at most this")
    close: float = Field(0.1, gt=0, lt=1, description="an open gate closes at a p-value above this")

    @model_validator(mode="after")
    def _makes_sense(self) -> "CointegrationParameters":
        if not isinstance(self.every, str) and self.every <= 0:
            raise ValueError(
                "every must be longer than 0; `event` samples at every quote of a leg, `change` at every new mid"
            )
        if self.close < self.open:
            raise ValueError(f"close {self.close:g} must not be below open {self.open:g}, or gates would flicker")
        if self.lags is not None and 3 * self.lags + 10 > self.window:
            raise ValueError(f"{self.lags} lags need a window of at least {3 * self.lags + 10} samples")
        return self


@register("cointegration")
class Cointegration(Operator):
    """Engle and Granger's test of every pair over its last samples, and a gate that opens and closes by it.

    Samples are taken as `spread` takes them: the first quote of a leg in a later bar than the last one makes a
    sample of the legs' mids before it, where both are tradable. Every `step` samples, once there are `window`,
    y is regressed on x and a constant and the residuals are tested for a unit root. A gate opens at a p-value
    up to `open` and closes above `close`; between them it stays as it is. A test without a statistic (a leg
    that does not move; y equal to x in other units) closes it. Every test gives a row. A pair's first row
    comes with its first quote and says that it is closed.

    Read by `bands`, a closed gate vetoes entries; exits never ask.
    """

    inputs: ClassVar[Mapping[str, Schema]] = {"quotes": QUOTES}
    outputs: ClassVar[Mapping[str, Schema]] = {"gates": GATES}
    Parameters = CointegrationParameters

    def __init__(self, parameters: CointegrationParameters, desk: Desk) -> None:
        super().__init__(parameters, desk)
        if not desk.pairs:
            raise ConfigError(f"desk {desk.id!r} has no pairs to test; declare some under `pairs`")
        starts, touches = adjacency(len(desk.instruments), enumerate(desk.legs))
        self._degree_max = int(np.diff(starts).max())
        self._desk_tables = State(
            terms=_terms(parameters),
            ticks=np.array([float(instrument.tick) for instrument in desk.instruments]),
            starts=starts,
            touches=touches,
            legs=np.array(desk.legs, np.int64).ravel(),
            rows=np.zeros(1024, GATES.dtype),
        )
        slots = len(desk.pairs) * parameters.window
        pairs = np.zeros(len(desk.pairs), TESTED)
        pairs["bar"] = np.iinfo(np.int64).min
        self._state = State(
            prices=np.zeros(len(desk.instruments)),
            tradable=np.zeros(len(desk.instruments), np.int64),
            pairs=pairs,
            y=np.zeros(slots),
            x=np.zeros(slots),
        )

    @classmethod
    def example(cls, seed: int) -> Example:
        """Pairs that are cointegrated, some for a while, and some never."""
        return cointegration_example(seed)

    def process(self, frames: Frames) -> Frames:
        """Sample every pair that `quotes` touch, and test those that are due."""
        quotes: Any = frames.get("quotes")
        if quotes is None or len(quotes) == 0:
            return {}
        needed = len(quotes) * self._degree_max
        if needed > len(self._desk_tables["rows"]):
            self._desk_tables.replace("rows", np.zeros(2 * needed, GATES.dtype))
        count = gate_pairs(self._desk_tables.ctx, self._state.ctx, quotes)
        if count < 0:
            quote = quotes[-1 - count]
            raise InvariantError(
                f"desk {self.desk.id!r}, cointegration, input {quote['cause']}: expected a quote of an instrument "
                f"numbered 0 to {len(self.desk.instruments) - 1}, got one of number {quote['instrument']}"
            )
        return {"gates": self._desk_tables["rows"][:count]} if count else {}

    def snapshot(self) -> dict[str, Frame]:
        """Prices, gates and windows."""
        return self._state.snapshot()

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from a snapshot of an operator with the same parameters on the same desk."""
        self._state.restore(state)


def _terms(parameters: CointegrationParameters) -> Frame:
    terms = np.zeros(1, GATE_TERMS)
    terms["every"] = bar_ns(parameters.every)
    terms["chooses"] = parameters.lags is None
    terms["lags"] = schwert_lags(parameters.window) if parameters.lags is None else parameters.lags
    terms["log"] = parameters.price == "log_mid"
    for name in ("window", "step", "open", "close"):
        terms[name] = getattr(parameters, name)
    return terms
