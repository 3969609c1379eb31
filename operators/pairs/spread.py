"""Spreads of all pairs of a desk, and how unusual each is."""

import math
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from operators.kernel import State
from operators.operator import Desk, Example, Frames, Operator
from operators.pairs.deviation import SPREAD_SLOT
from operators.pairs.example import spread_example
from operators.pairs.parameters import RollingDeviation, RollingHedge, SpreadParameters
from operators.pairs.regression import LINE_SLOT
from operators.pairs.sample import NO_HEDGE, PAIR, STATISTICS, TERMS, X_UNSEEN, Y_UNSEEN
from operators.pairs.touch import spread_rows
from operators.registry import register
from schemas.errors import ConfigError, InvariantError
from schemas.market import QUOTES
from schemas.record import Frame, Schema
from schemas.signal import SPREADS, SpreadState

_WINDOWS_BYTES_MAX = 4 * 2**30


@register("spread")
class Spread(Operator):
    """For every quote, one row per pair it is a leg of: spread, z-score, hedge, and whether they are usable.

    `spread = y - hedge * x - intercept` on the legs' mids in currency (or their logarithms; the hedge is then
    a ratio of values, not of units) and `z = (spread - mean) / deviation`. A quote that is not tradable
    does not move its leg's mid: the pair's rows carry LEG until the next tradable one. A pair has no rows
    before both legs have had a tradable quote.

    *Sampling.* The statistics (hedge, mean, deviation) change only by samples. With `every: 1s` the desk
    clock is cut into bars [k * every, (k + 1) * every); the first quote that touches a pair in a later bar
    than its last one first takes the pair as it stood before that quote as a sample. Bars in which nothing
    touched the pair give none. With `every: event` what each touch left is a sample of its own; the row of
    a touch is measured against the samples before it. Either way a row never looks at its own sample, let
    alone ahead. A pair with a leg that is not tradable is not sampled.

    *Rolling hedge.* A sample enters the regression first, then the spread at the new hedge enters mean and
    deviation: they are over residuals each taken at the hedge in force when it was sampled, so they include
    how the hedge moved. Warming up takes the regression's window, and from its last sample on the z-score's
    window (ewm: 3 half-lives, at least 2 samples); until then rows are COLD. A singular regression (x did
    not move) keeps the last hedge and takes no sample of the spread. DEGENERATE rows have z = 0, as have
    COLD ones; nothing in a row is ever infinite or NaN.
    """

    inputs: ClassVar[Mapping[str, Schema]] = {"quotes": QUOTES}
    outputs: ClassVar[Mapping[str, Schema]] = {"spreads": SPREADS}
    Parameters = SpreadParameters

    def __init__(self, parameters: SpreadParameters, desk: Desk) -> None:
        super().__init__(parameters, desk)
        if not desk.pairs:
            raise ConfigError(f"desk {desk.id!r} has no pairs, so no spreads; declare some under `pairs`")
        starts, touches = _adjacency(desk)
        self._degrees = np.diff(starts)
        self.degree_max = int(self._degrees.max())
        """Pairs that the most paired instrument is a leg of."""
        terms = _terms(parameters)
        self._desk_tables = State(
            terms=terms,
            ticks=np.array([float(instrument.tick) for instrument in desk.instruments]),
            starts=starts,
            touches=touches,
            rows=np.zeros(max(1024, self.degree_max), SPREADS.dtype),
        )
        self._rows = self._desk_tables["rows"]
        self._state = State(
            pairs=_first_state(parameters, desk),
            statistics=np.zeros(len(desk.pairs), STATISTICS),
            **_windows(terms, desk),
        )

    @classmethod
    def example(cls, seed: int) -> Example:
        """Twenty pairs over eight instruments that jump, halt and fall silent."""
        return spread_example(seed)

    def process(self, frames: Frames) -> Frames:
        """Measure every pair that `quotes` touch."""
        quotes: Any = frames.get("quotes")
        if quotes is None or len(quotes) == 0:
            return {}
        if len(quotes) * self.degree_max > len(self._rows):
            self._make_room(quotes)
        count = spread_rows(self._desk_tables.ctx, self._state.ctx, quotes)
        if count < 0:
            raise self.stranger(quotes[-1 - count])
        return {"spreads": self._rows[:count]} if count else {}

    @property
    def contexts(self) -> tuple[int, int]:
        """What the kernel `spread_rows` gets: desk tables with the scratch, and state."""
        return self._desk_tables.ctx, self._state.ctx

    def reserve(self, quotes: int) -> int:
        """Have scratch for every row that so many quotes can give; returns for how many rows there is room."""
        needed = quotes * self.degree_max
        if needed > len(self._rows):
            self._replace_scratch(needed)
        return len(self._rows)

    def snapshot(self) -> dict[str, Frame]:
        """Pairs, their statistics and their windows."""
        return self._state.snapshot()

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from a snapshot of an operator with the same parameters on the same desk."""
        self._state.restore(state)

    def _make_room(self, quotes: Frame) -> None:
        """Have scratch for every row that `quotes` can give."""
        needed = int(self._degrees.take(quotes["instrument"], mode="clip").sum())
        if needed > len(self._rows):
            self._replace_scratch(needed + needed // 4)

    def _replace_scratch(self, rows: int) -> None:
        self._desk_tables.replace("rows", np.zeros(rows, SPREADS.dtype))
        self._rows = self._desk_tables["rows"]

    def stranger(self, quote: Any) -> InvariantError:
        """What is wrong with a quote of an instrument that the desk does not have."""
        return InvariantError(
            f"desk {self.desk.id!r}, spread, input {quote['cause']}: expected a quote of an instrument numbered "
            f"0 to {len(self.desk.instruments) - 1}, got one of number {quote['instrument']}"
        )


def _adjacency(desk: Desk) -> tuple[Frame, Frame]:
    """The pairs each instrument touches: (starts, touches), as `operators.pairs.touch` reads them."""
    of_instrument: list[list[int]] = [[] for _ in desk.instruments]
    for p, (y, x) in enumerate(desk.legs):
        of_instrument[y].append(2 * p)
        of_instrument[x].append(2 * p + 1)
    starts = np.cumsum([0, *map(len, of_instrument)], dtype=np.int64)
    return starts, np.array([touch for touches in of_instrument for touch in touches], np.int64)


def _terms(parameters: SpreadParameters) -> Frame:
    terms = np.zeros(1, TERMS)
    terms["every"] = 0 if parameters.every == "event" else parameters.every
    terms["log"] = parameters.price == "log_mid"
    if isinstance(parameters.hedge, RollingHedge):
        terms["hedge_window"] = parameters.hedge.window
        terms["fit_intercept"] = parameters.hedge.intercept
    if isinstance(parameters.zscore, RollingDeviation):
        terms["spread_window"] = terms["warm"] = parameters.zscore.window
    else:
        terms["alpha"] = 1.0 - 2.0 ** (-1.0 / parameters.zscore.half_life)
        terms["warm"] = max(2, math.ceil(3 * parameters.zscore.half_life))
    return terms


def _windows(terms: Frame, desk: Desk) -> dict[str, Frame]:
    """The windows of every pair, end to end. Raises ConfigError where no machine would want to hold them."""
    count = len(desk.pairs)
    lines, spreads = count * int(terms["hedge_window"][0]), count * int(terms["spread_window"][0])
    needed = lines * LINE_SLOT.itemsize + spreads * SPREAD_SLOT.itemsize
    if needed > _WINDOWS_BYTES_MAX:
        raise ConfigError(
            f"desk {desk.id!r}: the windows of {count} pairs would take {needed / 2**30:.1f} GiB, copied at every "
            f"checkpoint, and at most {_WINDOWS_BYTES_MAX / 2**30:g} GiB are allowed; use shorter windows with a "
            "longer `every`, or `ewm`"
        )
    return {"lines": np.zeros(lines, LINE_SLOT), "spreads": np.zeros(spreads, SPREAD_SLOT)}


def _first_state(parameters: SpreadParameters, desk: Desk) -> Frame:
    """Every pair before its first quote. Raises ConfigError where a static hedge is missing or not finite."""
    pairs = np.zeros(len(desk.pairs), PAIR)
    pairs["legs"] = Y_UNSEEN | X_UNSEEN
    pairs["bar"] = np.iinfo(np.int64).min
    pairs["state"] = SpreadState.COLD
    if isinstance(parameters.hedge, RollingHedge):
        pairs["state"] |= NO_HEDGE
        return pairs
    bad = [p.id for p in desk.pairs if p.hedge is None or not math.isfinite(p.hedge) or not math.isfinite(p.intercept)]
    if bad:
        raise ConfigError(
            f"desk {desk.id!r}: hedge type `static` needs a finite `hedge` and `intercept` on every pair, and these "
            f"lack one: {', '.join(bad)}; add them, or use hedge type `rolling`"
        )
    pairs["hedge"] = [p.hedge for p in desk.pairs]
    pairs["intercept"] = [p.intercept for p in desk.pairs]
    return pairs
