"""Spreads of all pairs of a desk, and how unusual each is."""

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from operators.kernel import State
from operators.operator import Desk, Example, Frames, Operator
from operators.pairs.example import spread_example
from operators.pairs.layout import adjacency, first_tables, terms_of
from operators.pairs.parameters import SpreadParameters
from operators.pairs.touch import spread_rows
from operators.pairs.windows import packed_windows, unpacked_windows
from operators.registry import register
from schemas.errors import ConfigError, InvariantError
from schemas.market import QUOTES
from schemas.record import Frame, Schema
from schemas.signal import SPREAD_QUOTES, SPREADS


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

    *Hedges.* Over a window (`rolling`, `tls`) a sample enters the regression first, then the spread at the new
    hedge enters mean and deviation: they are over residuals each taken at the hedge in force when it was
    sampled, so they include how the hedge moved. Recursive hedges (`kalman`, `ewls`) give mean and deviation
    their prediction error: the spread at the hedge before the sample, which is what rows show too. With z-score
    `innovation` the mean is 0 and the deviation that of the filter's next prediction error: z = e / sqrt(Q),
    with the row's own x.

    *Windows* count samples or, as a time, bars: `10m` with `every: 1s` holds the samples of the last 600 bars,
    counted back from the newest sample, however many bars were silent.

    *States.* Warming up takes the hedge its window (ewls: 3 half-lives; kalman: `warm_up`), and from there on
    the z-score its own (ewm: 3 half-lives, at least 2 samples); until then rows are COLD. A window of time is
    warm while at least half of its bars hold a sample. A singular regression (x did not move) keeps the last
    hedge and takes no sample of the spread. With `max_age` rows are STALE while a leg's last tradable quote is
    older: they are measured as ever, but not usable, and such a pair is not sampled. DEGENERATE rows have
    z = 0, as have COLD ones; nothing in a row is ever infinite or NaN.

    *Executable.* With `executable: true` every row of `spreads` has one of `spread_quotes` beside it.
    """

    inputs: ClassVar[Mapping[str, Schema]] = {"quotes": QUOTES}
    outputs: ClassVar[Mapping[str, Schema]] = {"spreads": SPREADS, "spread_quotes": SPREAD_QUOTES}
    version = 3
    Parameters = SpreadParameters

    def __init__(self, parameters: SpreadParameters, desk: Desk) -> None:
        super().__init__(parameters, desk)
        if not desk.pairs:
            raise ConfigError(f"desk {desk.id!r} has no pairs, so no spreads; declare some under `pairs`")
        terms = terms_of(parameters)
        self._desk_tables = State(
            terms=terms,
            ticks=np.array([float(instrument.tick) for instrument in desk.instruments]),
            starts=np.zeros(0, np.int64),
            touches=np.zeros(0, np.int64),
            rows=np.zeros(1024, SPREADS.dtype),
            legs=np.zeros(2 * len(desk.pairs), np.int64),
            executable=np.zeros(1024 * parameters.executable, SPREAD_QUOTES.dtype),
        )
        self._rows = self._desk_tables["rows"]
        self.state = State(**first_tables(terms, parameters, desk))
        self.watch(dict(enumerate(desk.legs)))

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
        count = spread_rows(self._desk_tables.ctx, self.state.ctx, quotes)
        if count < 0:
            raise self.stranger(quotes[-1 - count])
        if count == 0:
            return {}
        found = {"spreads": self._rows[:count]}
        return found | self._executable(count) if self.parameters.executable else found

    def watch(self, legs: Mapping[int, tuple[int, int]]) -> None:
        """Measure the pairs of these numbers, with these legs and in this order, and no others."""
        starts, touches = adjacency(len(self.desk.instruments), legs.items())
        self._desk_tables.replace("starts", starts)
        self._desk_tables.replace("touches", touches)
        of_pairs = self._desk_tables["legs"].reshape(-1, 2)
        for pair, own in legs.items():
            of_pairs[pair] = own
        self._degrees = np.diff(starts)
        self.degree_max = int(self._degrees.max())
        """Pairs that the most paired instrument is a leg of."""
        if self.degree_max > len(self._rows):
            self._replace_scratch(self.degree_max)

    @property
    def contexts(self) -> tuple[int, int]:
        """What the kernel `spread_rows` gets: desk tables with the scratch, and state."""
        return self._desk_tables.ctx, self.state.ctx

    def reserve(self, quotes: int) -> int:
        """Have scratch for every row that so many quotes can give; returns for how many rows there is room."""
        needed = quotes * self.degree_max
        if needed > len(self._rows):
            self._replace_scratch(needed)
        return len(self._rows)

    def snapshot(self) -> dict[str, Frame]:
        """Pairs, their statistics, and of their windows the samples, from which the rest follows."""
        return packed_windows(self.state, self._desk_tables["ticks"], self._desk_tables["legs"])

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from a snapshot of an operator with the same parameters on the same desk."""
        desk = self._desk_tables
        self.state.restore(unpacked_windows(state, desk["terms"][0], desk["ticks"], desk["legs"]))

    def _make_room(self, quotes: Frame) -> None:
        """Have scratch for every row that `quotes` can give."""
        needed = int(self._degrees.take(quotes["instrument"], mode="clip").sum())
        if needed > len(self._rows):
            self._replace_scratch(needed + needed // 4)

    def _executable(self, count: int) -> dict[str, Frame]:
        return {"spread_quotes": self._desk_tables["executable"][:count]}

    def _replace_scratch(self, rows: int) -> None:
        self._desk_tables.replace("rows", np.zeros(rows, SPREADS.dtype))
        self._rows = self._desk_tables["rows"]
        if self.parameters.executable:
            self._desk_tables.replace("executable", np.zeros(rows, SPREAD_QUOTES.dtype))

    def stranger(self, quote: Any) -> InvariantError:
        """What is wrong with a quote of an instrument that the desk does not have."""
        return InvariantError(
            f"desk {self.desk.id!r}, spread, input {quote['cause']}: expected a quote of an instrument numbered "
            f"0 to {len(self.desk.instruments) - 1}, got one of number {quote['instrument']}"
        )
