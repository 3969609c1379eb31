"""Which of very many pairs are worth trading, found and given up as the market goes."""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field, model_validator

from operators.kernel import State
from operators.operator import Desk, Example, Frames, Operator, Parameters
from operators.pairs.discovery_example import discovery_example
from operators.pairs.screening import FIGURES, Candidates, Rule, Screening, screen
from operators.pairs.traded_set import Membership, first_standing, renew
from operators.pairs.universe import CLOCK, SEEN, UNIVERSE_TERMS, sample_universe
from operators.registry import register
from schemas.errors import ConfigError, InvariantError
from schemas.market import QUOTES
from schemas.parameter_types import Duration
from schemas.record import Frame, Schema
from schemas.signal import SCREENINGS, TRADED_PAIRS
from schemas.signal import Membership as Standing


class DiscoveryParameters(Parameters):
    """How pairs are screened, and what it takes to come into the traded set and to leave it."""

    every: Duration = Field(60 * 10**9, gt=0, description="length of the bars whose ends are the samples")
    window: int = Field(300, ge=50, le=5_000, description="samples of a screening")
    step: int = Field(1, ge=1, description="samples from one screening to the next")
    lags: int = Field(1, ge=0, le=10, description="lagged changes in the Dickey-Fuller regression")
    max_age: Duration | None = Field(
        None, gt=0, description="a sample of an instrument without a tradable quote for longer is missing; null: never"
    )
    missing: float = Field(
        0.1, ge=0, lt=1, description="share of the samples that an instrument may miss, its last mid standing for them"
    )
    false_discovery: float = Field(0.05, gt=0, lt=1, description="expected share of false discoveries in a screening")
    dependence: Literal["any", "positive"] = Field(
        "any", description="of the tests on each other: `any` (Benjamini-Yekutieli), or `positive` (Benjamini-Hochberg)"
    )
    min_correlation: float = Field(-1.0, ge=-1, le=1, description="no discovery where the legs' changes correlate less")
    max_distance: float | None = Field(
        None, gt=0, description="no discovery where the legs' log mids are further apart; null: wherever they are"
    )
    traded: int = Field(50, ge=1, le=5_000, description="pairs traded at most")
    confirm: int = Field(2, ge=1, description="a pair is promoted when so many screenings in a row have found it")
    retire: float = Field(0.1, gt=0, lt=1, description="a traded pair fails a screening at a p-value above this")
    patience: int = Field(3, ge=1, description="a traded pair is retired when so many screenings in a row failed it")

    @model_validator(mode="after")
    def _makes_sense(self) -> "DiscoveryParameters":
        if 3 * self.lags + 10 > self.window:
            raise ValueError(f"{self.lags} lags need a window of at least {3 * self.lags + 10} samples")
        if self.retire < self.false_discovery:
            raise ValueError(
                f"retire {self.retire:g} must not be below false_discovery {self.false_discovery:g}, "
                "or pairs would come and go"
            )
        return self


@register("discovery")
class Discovery(Operator):
    """Screens every pair of the desk by correlation, distance and cointegration, and keeps the set that is traded.

    *Samples.* The first quote in a later bar than the last one takes a sample of all instruments: their log mids as
    they stood before it. Bars in which no quote came give none. An instrument that is not tradable at the end of
    a bar, or has been silent for `max_age`, misses the sample, and its last mid stands for it; one that misses more
    than `missing` of the window, or has not been seen in all of it, is whole again only later.

    *Screening.* Every `step` samples, once there are `window`, each pair of whole instruments is tested as by
    `cointegration` with exactly `lags` lags on log mids. All tests count: discoveries are the pairs whose adjusted
    p-value is at most `false_discovery`, at the rate for tests that depend on each other as `dependence` says. A
    pair that correlates less than `min_correlation`, or whose legs are further apart than `max_distance`, counts
    as tested with a p-value of 1. The rate holds for each screening; it says nothing of many taken together.

    *Traded set.* A pair found `confirm` times in a row is promoted while there is room, the least p-value first. One
    whose p-value was above `retire` for `patience` screenings in a row is retired, as is one that could not be
    tested (a leg is not whole or stands still, or y is x in other units).

    Every screening gives a row of `screenings`; every promotion and retirement one of `traded_pairs`, retirements
    first. `traded_spread` measures the promoted pairs; `bands` leaves a retired one.
    """

    inputs: ClassVar[Mapping[str, Schema]] = {"quotes": QUOTES}
    outputs: ClassVar[Mapping[str, Schema]] = {"traded": TRADED_PAIRS, "screenings": SCREENINGS}
    Parameters = DiscoveryParameters

    def __init__(self, parameters: DiscoveryParameters, desk: Desk) -> None:
        super().__init__(parameters, desk)
        if not desk.pairs:
            raise ConfigError(f"desk {desk.id!r} has no pairs to screen; declare some, or set `every_pair: true`")
        self._membership = Membership(parameters.traded, parameters.confirm, parameters.retire, parameters.patience)
        self._candidates, self._rule = Candidates(desk), _rule(parameters)
        self._desk_tables = State(terms=_terms(parameters))
        count = len(desk.instruments)
        clock, seen = np.zeros(1, CLOCK), np.zeros(count, SEEN)
        clock["bar"] = np.iinfo(np.int64).min
        seen["mid"] = np.nan
        self._universe = State(
            clock=clock,
            seen=seen,
            mids=np.full(count * parameters.window, np.nan),
            held=np.zeros(count * parameters.window, np.int8),
        )
        self._standing = State(**first_standing(len(desk.pairs)))

    @classmethod
    def example(cls, seed: int) -> Example:
        """Pairs that go together, for a while or never, and legs that fall silent."""
        return discovery_example(seed)

    def process(self, frames: Frames) -> Frames:
        """Sample the universe as `quotes` come, and screen it when that is due."""
        quotes: Any = frames.get("quotes", QUOTES.empty)
        found: dict[str, list[Frame]] = {}
        i = 0
        while True:
            i = sample_universe(self._desk_tables.ctx, self._universe.ctx, quotes, i)
            if i < 0:
                raise self._stranger(quotes[-1 - i])
            if i == len(quotes):
                return {port: np.concatenate(rows) for port, rows in found.items()}
            for port, rows in self._screen(quotes[i]).items():
                found.setdefault(port, []).append(rows)

    def snapshot(self) -> dict[str, Any]:
        """The window of all instruments, and how every pair stands."""
        return {"universe": self._universe.snapshot(), "standing": self._standing.snapshot()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from a snapshot of an operator with the same parameters on the same desk."""
        self._universe.restore(state["universe"])
        self._standing.restore(state["standing"])

    def _screen(self, quote: Any) -> dict[str, Frame]:
        """Screen the window; `quote` is the one that completed it."""
        levels, is_whole = self._window()
        found = screen(levels, is_whole, self._candidates, self._rule)
        retired, promoted = renew(self._standing, self._membership, found.p_values, found.is_found)
        traded = self._standing["traded"].sum()
        sizes = is_whole.sum(), found.tested, found.is_found.sum(), len(promoted), len(retired), traded
        rows = {"screenings": SCREENINGS.rows([(quote["cause"], quote["ts"], found.threshold, *sizes)])}
        changed = np.concatenate([retired, promoted])
        if len(changed):
            states = np.repeat([Standing.RETIRED, Standing.PROMOTED], [len(retired), len(promoted)])
            rows["traded"] = _changes(quote, found, changed, states)
        return rows

    def _window(self) -> tuple[Frame, Frame]:
        """The window's log mids from its first sample on, a row per sample, and which instruments are whole."""
        window, count = self.parameters.window, len(self.desk.instruments)
        split = int(self._universe["clock"]["taken"][0]) % window
        mids = np.roll(self._universe["mids"].reshape(window, count), -split, axis=0)
        missed = self._universe["held"].reshape(window, count).sum(axis=0, dtype=np.int64)
        return mids, np.isfinite(mids[0]) & (missed <= self.parameters.missing * window)

    def _stranger(self, quote: Any) -> InvariantError:
        return InvariantError(
            f"desk {self.desk.id!r}, discovery, input {quote['cause']}: expected a quote of an instrument numbered "
            f"0 to {len(self.desk.instruments) - 1}, got one of number {quote['instrument']}"
        )


def _changes(quote: Any, found: Screening, pairs: Frame, states: Frame) -> Frame:
    rows = np.zeros(len(pairs), TRADED_PAIRS.dtype)
    rows["cause"], rows["ts"] = quote["cause"], quote["ts"]
    rows["pair"], rows["state"] = pairs, states
    rows["p_value"], rows["adjusted"] = found.p_values[pairs], found.adjusted[pairs]
    for name, values in zip(FIGURES, found.figures, strict=True):
        rows[name] = values[pairs]
    return rows


def _rule(parameters: DiscoveryParameters) -> Rule:
    furthest = np.inf if parameters.max_distance is None else parameters.max_distance
    is_dependent = parameters.dependence == "any"
    return Rule(parameters.lags, parameters.false_discovery, is_dependent, parameters.min_correlation, furthest)


def _terms(parameters: DiscoveryParameters) -> Frame:
    terms = np.zeros(1, UNIVERSE_TERMS)
    terms["every"], terms["window"], terms["step"] = parameters.every, parameters.window, parameters.step
    terms["max_age"] = parameters.max_age or 0
    return terms
