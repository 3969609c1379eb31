"""What a model sees of the pairs of a desk."""

import math
from collections.abc import Mapping
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field, model_validator

from operators.kernel import State
from operators.learn.example import features_example
from operators.learn.observe import BEST, FLOW, OBSERVE_TERMS, OBSERVED, observe_pairs
from operators.operator import Desk, Example, Frames, Operator, Parameters
from operators.registry import register
from schemas.errors import ConfigError, InvariantError
from schemas.learn import FEATURES
from schemas.market import EVENTS, QUOTES
from schemas.parameter_types import Duration
from schemas.record import Frame, Schema
from schemas.signal import SPREADS

_NO_EVENTS, _NO_QUOTES, _NO_SPREADS = (np.empty(0, of.dtype) for of in (EVENTS, QUOTES, SPREADS))


class FeaturesParameters(Parameters):
    """How often pairs are looked at, and what is usual for them."""

    every: Duration | Literal["event"] = Field(
        10**9, description="least time from one sample of a pair to its next, in bars, or `event`: every usable row"
    )
    half_life: float = Field(
        600.0, gt=0, le=1_000_000, description="samples after which a weight in the usual deviation has halved"
    )
    flow_half_life: Duration = Field(
        60 * 10**9, gt=0, description="time after which a trade counts half in the flow of trades"
    )

    @model_validator(mode="after")
    def _time_passes(self) -> "FeaturesParameters":
        if self.every != "event" and self.every <= 0:
            raise ValueError("every must be longer than 0; `event` samples at every usable row of spreads")
        return self


@register("features")
class Features(Operator):
    """Per pair, now and then, what a model may learn from: z, its speed, regime, both legs' books and trades, the hour.

    With `every: 1s` the desk clock is cut into bars [k * every, (k + 1) * every); the first usable row of
    `spreads` (state 0) of a pair in a later bar than its last sample is a sample, and every sample but a
    pair's first gives a row. A row holds what was known at its cause, its own spread included. `regime` is the
    deviation over its exponentially weighted average of the samples before, with
    `alpha = 1 - 2 ** (-1 / half_life)`. The legs are as their last tradable quotes show them, up to and with
    those of the row's cause; a pair whose legs' quotes do not come this way, or are not above 0, has no rows.

    Where `events` of the feeds are read, the flow of a leg is (bought - sold) / (bought + sold) lots, by the side that
    did not rest, each trade's weight halving every `flow_half_life`; it fades to 0 at the same rate where nothing
    trades. Without events it is 0.

    The best price's microprice (mid weighted by the opposite quantities) is half a spread times the imbalance
    away from the mid: counted in half spreads it would be the imbalance again, so it is given relative to the mid.
    """

    inputs: ClassVar[Mapping[str, Schema]] = {"events": EVENTS, "quotes": QUOTES, "spreads": SPREADS}
    optional = frozenset({"events"})
    version = 2
    outputs: ClassVar[Mapping[str, Schema]] = {"features": FEATURES}
    Parameters = FeaturesParameters

    def __init__(self, parameters: FeaturesParameters, desk: Desk) -> None:
        super().__init__(parameters, desk)
        if not desk.pairs:
            raise ConfigError(f"desk {desk.id!r} has no pairs, so no features; declare some under `pairs`")
        terms = np.zeros(1, OBSERVE_TERMS)
        terms["every"] = 0 if parameters.every == "event" else parameters.every
        terms["alpha"] = 1.0 - 2.0 ** (-1.0 / parameters.half_life)
        terms["flow_decay"] = math.log(2.0) / parameters.flow_half_life
        self._desk_tables = State(
            terms=terms, legs=np.array(desk.legs, np.int64).ravel(), rows=np.zeros(1024, FEATURES.dtype)
        )
        instruments = len(desk.instruments)
        self._state = State(
            bests=np.zeros(instruments, BEST),
            flows=np.zeros(instruments, FLOW),
            pairs=np.zeros(len(desk.pairs), OBSERVED),
        )

    @classmethod
    def example(cls, seed: int) -> Example:
        """The spreads of a lively tape, and the tape."""
        return features_example(seed)

    def process(self, frames: Frames) -> Frames:
        """Look at every pair of `spreads`."""
        events: Any = frames.get("events", _NO_EVENTS)
        quotes: Any = frames.get("quotes", _NO_QUOTES)
        spreads: Any = frames.get("spreads", _NO_SPREADS)
        if len(spreads) > len(self._desk_tables["rows"]):
            self._desk_tables.replace("rows", np.zeros(2 * len(spreads), FEATURES.dtype))
        count = observe_pairs(self._desk_tables.ctx, self._state.ctx, events, quotes, spreads)
        if count < 0:
            spread = spreads[-1 - count]
            raise InvariantError(
                f"desk {self.desk.id!r}, features, input {spread['cause']}: expected a spread of a pair "
                f"numbered 0 to {len(self.desk.pairs) - 1}, got one of number {spread['pair']}"
            )
        return {"features": self._desk_tables["rows"][:count]} if count else {}

    def snapshot(self) -> dict[str, Frame]:
        """What is known of instruments and pairs."""
        return self._state.snapshot()

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from a snapshot of an operator with the same parameters on the same desk."""
        self._state.restore(state)
