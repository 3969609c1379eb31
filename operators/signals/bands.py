"""Entries and exits by z-score bands."""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field, model_validator

from operators.changes import between
from operators.kernel import State
from operators.operator import Desk, Example, Frames, Operator, Parameters
from operators.registry import register
from operators.signals.decision import BAND_TERMS, DOUBTED, POSITION, band_signals, gated_signals
from operators.signals.example import bands_example
from operators.signals.retirement import note_membership
from operators.signals.sizing import Sizing, size_points, write_sizing
from schemas.errors import ConfigError, InvariantError
from schemas.learn import PREDICTIONS
from schemas.parameter_types import Duration, Money
from schemas.record import Frame, Schema
from schemas.signal import GATES, SIGNALS, SPREADS, TRADED_PAIRS

_NEVER = np.iinfo(np.int64).max
_NO_SPREADS, _NO_GATES, _NO_PREDICTIONS = (np.empty(0, of.dtype) for of in (SPREADS, GATES, PREDICTIONS))


class BandsParameters(Parameters):
    """When to hold a position in a spread, and of what size."""

    entry: float = Field(gt=0, description="enter where |z| is at least this, against the deviation")
    exit: float = Field(0.0, ge=0, description="leave where |z| has come back to this, or z to the other side")
    stop: float | None = Field(None, description="leave where z is this far against the position; null: never")
    cooldown: Duration = Field(0, description="after a stop, no entry for this long and before |z| was below `entry`")
    min_hold: Duration | None = Field(None, description="no exit before this long after the entry; stops stay armed")
    max_hold: Duration | None = Field(None, description="leave this long after the entry; null: never")
    notional: Money = Field(gt=0, description="gross notional of both legs, in currency")
    min_deviation: float = Field(0.0, ge=0, description="no entry where the spread's deviation is below this")
    min_hedge: float = Field(0.05, ge=0, description="no entry where |hedge| is below this")
    max_hedge: float = Field(20.0, gt=0, description="no entry where |hedge| is above this")
    min_probability: float = Field(
        0.5, ge=0, le=1, description="where predictions are read: no entry on a probability below this"
    )
    min_expected_bps: float | None = Field(
        None, description="where predictions are read: no entry on an expected gain below this; null: any"
    )
    sizing: Sizing | None = Field(
        None, description="how the notional follows from a prediction with an opinion; null: it does not"
    )
    unpredicted: Literal["open", "closed"] = Field(
        "open", description="whether a pair that no prediction has an opinion of may be entered"
    )

    @model_validator(mode="after")
    def _bands_nest(self) -> "BandsParameters":
        if self.exit >= self.entry:
            raise ValueError(f"exit {self.exit:g} must be below entry {self.entry:g}")
        if self.stop is not None and self.stop <= self.entry:
            raise ValueError(f"stop {self.stop:g} must be above entry {self.entry:g}, or null")
        if self.min_hedge >= self.max_hedge:
            raise ValueError(f"min_hedge {self.min_hedge:g} must be below max_hedge {self.max_hedge:g}")
        if self.min_hold is not None and self.max_hold is not None and self.min_hold > self.max_hold:
            raise ValueError(f"min_hold {self.min_hold} ns must not be longer than max_hold {self.max_hold} ns")
        if self.cooldown and self.stop is None:
            raise ValueError("cooldown follows a stop, and there is none; set stop, or drop cooldown")
        return self


@register("bands")
class Bands(Operator):
    """What position in each spread is wanted, from the spread stream alone; orders are someone else's job.

    Per pair, on usable rows (state 0) only:

    - flat: `entry <= |z| < stop` enters against the deviation, side -1 (sell the spread) for z > 0 and +1 for
      z < 0, where deviation and hedge are within their limits;
    - in a position: STOP where z is `stop` or further against it; else EXIT at `max_hold`, or where z is back
      at `exit` or beyond and `min_hold` is over. `side` is the side left. Turning around takes an EXIT and
      then a later row;
    - where `gates` is read (from `cointegration`, say): no entry while the pair's gate is closed; leaving never
      asks. A pair that no gate has spoken of is open;
    - where `predictions` are read (from `model`): no entry while the pair's last one is below `min_probability` or
      `min_expected_bps`, or `sizing` leaves nothing of the notional; leaving never asks. A pair without one, or whose
      last one holds no opinion, is as `unpredicted` says. The notional is multiplied by the prediction's `size`, and
      where it holds an opinion by what `sizing` says. A model that pauses entries (PAUSED) vetoes them; one that is set
      aside for the bare rule (RULE) does not;
    - where `traded` is read (from `discovery`): a pair that is retired is left at once, with an EXIT at the cause of
      its retirement whatever `min_hold` says, and not entered until it is promoted again;
    - after a STOP, flat again once `cooldown` is over and |z| was below `entry`; after an EXIT by `max_hold`,
      once |z| was below `entry`, so that a spread that does not revert is not entered over and over.
    """

    inputs: ClassVar[Mapping[str, Schema]] = {
        "spreads": SPREADS,
        "gates": GATES,
        "predictions": PREDICTIONS,
        "traded": TRADED_PAIRS,
    }
    optional = frozenset({"gates", "predictions", "traded"})
    version = 3
    outputs: ClassVar[Mapping[str, Schema]] = {"signals": SIGNALS}
    Parameters = BandsParameters

    def __init__(self, parameters: BandsParameters, desk: Desk) -> None:
        super().__init__(parameters, desk)
        if not desk.pairs:
            raise ConfigError(f"desk {desk.id!r} has no pairs, so no signals; declare some under `pairs`")
        self._desk_tables = State(
            terms=_terms(parameters), rows=np.zeros(1024, SIGNALS.dtype), sizes=size_points(parameters.sizing)
        )
        self._rows = self._desk_tables["rows"]
        positions = np.zeros(len(desk.pairs), POSITION)
        positions["share"] = 1.0
        positions["vetoed"] = self._desk_tables["terms"]["unpredicted"]
        self._state = State(positions=positions)

    @classmethod
    def example(cls, seed: int) -> Example:
        """Twenty spreads that revert, run away and become unusable."""
        return bands_example(seed)

    def process(self, frames: Frames) -> Frames:
        """Decide on every row of `spreads`, and leave what is retired."""
        if "traded" not in frames:
            return self._decide(frames)
        self._check_pairs(frames["traded"], "promotion or retirement")
        found = []
        for changes, piece in between(frames, "traded"):
            found.append(note_membership(self._state["positions"], changes))
            found += [rows.copy() for rows in self._decide(piece).values()]
        signals = np.concatenate(found)
        return {"signals": signals} if len(signals) else {}

    def _decide(self, frames: Frames) -> dict[str, Frame]:
        spreads: Any = frames.get("spreads", _NO_SPREADS)
        gates: Any = frames.get("gates", _NO_GATES)
        predictions: Any = frames.get("predictions", _NO_PREDICTIONS)
        self.reserve(len(spreads))
        if len(gates) == 0 and len(predictions) == 0:
            count = band_signals(self._desk_tables.ctx, self._state.ctx, spreads) if len(spreads) else 0
        else:
            self._check_pairs(gates, "gate")
            self._check_pairs(predictions, "prediction")
            count = gated_signals(self._desk_tables.ctx, self._state.ctx, spreads, gates, predictions)
        if count < 0:
            raise self._stranger(spreads[-1 - count])
        return {"signals": self._rows[:count]} if count else {}

    @property
    def contexts(self) -> tuple[int, int]:
        """What the kernel `band_signals` gets: desk tables with the scratch, and state."""
        return self._desk_tables.ctx, self._state.ctx

    def reserve(self, spreads: int) -> None:
        """Have scratch for a signal on each of so many spreads."""
        if spreads > len(self._rows):
            self._desk_tables.replace("rows", np.zeros(2 * spreads, SIGNALS.dtype))
            self._rows = self._desk_tables["rows"]

    def snapshot(self) -> dict[str, Frame]:
        """The position wanted of every pair."""
        return self._state.snapshot()

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from a snapshot of an operator with the same parameters on the same desk."""
        self._state.restore(state)

    def _check_pairs(self, rows: Any, what: str) -> None:
        known = (rows["pair"] >= 0) & (rows["pair"] < len(self.desk.pairs))
        if not known.all():
            raise self._stranger(rows[~known][0], what)

    def _stranger(self, row: Any, what: str = "spread") -> InvariantError:
        return InvariantError(
            f"desk {self.desk.id!r}, bands, input {row['cause']}: expected a {what} of a pair numbered "
            f"0 to {len(self.desk.pairs) - 1}, got one of number {row['pair']}"
        )


def _terms(parameters: BandsParameters) -> Frame:
    terms = np.zeros(1, BAND_TERMS)
    for name in ("entry", "exit", "cooldown", "notional", "min_deviation", "min_hedge", "max_hedge", "min_probability"):
        terms[name] = getattr(parameters, name)
    terms["min_expected_bps"] = -np.inf if parameters.min_expected_bps is None else parameters.min_expected_bps
    write_sizing(terms, parameters.sizing, parameters.notional)
    terms["unpredicted"] = DOUBTED if parameters.unpredicted == "closed" else 0
    terms["stop"] = np.inf if parameters.stop is None else parameters.stop
    terms["min_hold"] = parameters.min_hold or 0
    terms["max_hold"] = _NEVER if parameters.max_hold is None else parameters.max_hold
    return terms
