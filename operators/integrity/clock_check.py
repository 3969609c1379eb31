"""Feeds whose stamps are hours apart, found by what they say of the same thing."""

import math
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from pydantic import Field, field_validator, model_validator

from operators.integrity.bars import CLOCK, FOLLOWED, TERMS, correlate, follow_quotes
from operators.integrity.clock_check_example import clock_example
from operators.kernel import State
from operators.operator import Desk, Example, Frames, Operator, Parameters
from operators.registry import register
from schemas.errors import ConfigError, InvariantError
from schemas.integrity import CLOCK_CHECKS
from schemas.market import FEED_EVENTS, QUOTES, FeedEventKind
from schemas.parameter_types import Duration
from schemas.record import Frame, Schema

_MINUTE_NS = 60 * 10**9


class ClockCheckParameters(Parameters):
    """Which instruments should move together, and what is looked back on."""

    groups: tuple[tuple[str, ...], ...] = Field(
        default=(),
        description="instruments that should move together; the clock of the first of each is believed. "
        "Default: the desk's pairs, x before y",
    )
    bar: Duration = Field(default=5 * 10**9, gt=0, description="length of the bars whose returns are correlated")
    every: Duration = Field(default=3_600 * 10**9, gt=0, description="time from check to check, whole bars")
    window: Duration = Field(default=86_400 * 10**9, gt=0, description="time that is looked back on, whole bars")
    step: Duration = Field(default=1_800 * 10**9, gt=0, description="shifts that are tried are multiples of this")
    reach: Duration = Field(default=14 * 3_600 * 10**9, gt=0, description="the largest shift that is tried")
    least: int = Field(default=500, ge=2, description="bars in which both have to move for a check to count")
    above: float = Field(
        default=0.3, gt=0, le=1, description="a shift has to raise the correlation by this to be reported"
    )

    @field_validator("groups")
    @classmethod
    def _are_groups(cls, value: tuple[tuple[str, ...], ...]) -> tuple[tuple[str, ...], ...]:
        checked: set[str] = set()
        for group in value:
            if len(group) < 2:
                raise ValueError(f"{list(group)} is no group; name two instruments or more that should move together")
            for name in group[1:]:
                if name in checked or name == group[0]:
                    raise ValueError(f"the clock of {name!r} would be checked twice; keep it in one group, once")
                checked.add(name)
        return value

    @model_validator(mode="after")
    def _are_whole_bars(self) -> "ClockCheckParameters":
        for name in ("every", "window", "step"):
            if getattr(self, name) % self.bar:
                raise ValueError(f"{name} is not a whole number of bars; make it a multiple of `bar`")
        if self.reach < self.step:
            raise ValueError("reach is shorter than step, so that no shift would be tried; make it longer")
        if (self.window + self.reach) // self.bar > 1_000_000:
            raise ValueError("window and reach have more than a million bars; make `bar` longer")
        return self


@register("clock_check")
class ClockCheck(Operator):
    """Finds feeds whose stamps are off by half hours or hours, by instruments that should move together.

    A timezone taken for another joins quotes that are hours apart, and nothing fails. Every `every`, the returns of
    each instrument are correlated with those of its group's first, at all shifts of its stamps up to `reach`. A row of
    `checks` tells the best. Where that is not 0, and better than none by `above`, feed event CLOCK_SKEW names the
    instrument's feed: `first` is what has to be added to its stamps, ns, `last` the same in minutes. It is told once,
    and again when the shift becomes another. Nothing is corrected, nor kept from trading: that is for the feed's
    `timezone` to do.

    Raises ConfigError for an instrument that the desk does not have, and where there are neither groups nor pairs.
    """

    inputs: ClassVar[Mapping[str, Schema]] = {"quotes": QUOTES}
    outputs: ClassVar[Mapping[str, Schema]] = {"feed_events": FEED_EVENTS, "checks": CLOCK_CHECKS}
    Parameters = ClockCheckParameters

    def __init__(self, parameters: ClockCheckParameters, desk: Desk) -> None:
        super().__init__(parameters, desk)
        self._compared = _compared(parameters, desk)
        watched = sorted({instrument for pair in self._compared for instrument in pair})
        slots = np.full(len(desk.instruments), -1, np.int64)
        slots[watched] = np.arange(len(watched))
        self._slots: list[int] = slots.tolist()
        bars = (parameters.window + parameters.reach) // parameters.bar
        self._desk_tables = State(
            terms=np.array([(parameters.bar, parameters.every, bars)], TERMS),
            slots=slots,
        )
        self._state = State(
            clock=np.full(1, -1, CLOCK),
            followed=np.full(len(watched), np.nan, FOLLOWED),
            returns=np.full(len(watched) * bars, np.nan),
            told=np.zeros(len(self._compared), np.int64),
        )
        step, most = parameters.step // parameters.bar, parameters.reach // parameters.step
        self._shifts = sorted((step * i for i in range(-most, most + 1)), key=lambda shift: (abs(shift), shift))

    @classmethod
    def example(cls, seed: int) -> Example:
        """Quotes of one thing on three venues, one of them half an hour off."""
        return clock_example(seed)

    def process(self, frames: Frames) -> Frames:
        """Follow the quotes; check whenever it is time."""
        quotes: Any = frames.get("quotes", QUOTES.empty)
        checks: list[tuple[Any, ...]] = []
        skews: list[tuple[Any, ...]] = []
        at = 0
        while (at := follow_quotes(self._desk_tables.ctx, self._state.ctx, quotes, at)) < len(quotes):
            if at < 0:
                raise self._unknown(quotes[-1 - at])
            cause, ts = int(quotes["cause"][at]), int(quotes["ts"][at])
            for number, (y, x) in enumerate(self._compared):
                self._check(number, y, x, (cause, ts), checks, skews)
        produced = {"feed_events": FEED_EVENTS.rows(skews), "checks": CLOCK_CHECKS.rows(checks)}
        return {port: rows for port, rows in produced.items() if len(rows)}

    def snapshot(self) -> dict[str, Frame]:
        """The returns, and what was told of each clock."""
        return self._state.snapshot()

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from a snapshot of an operator with the same parameters on the same desk."""
        self._state.restore(state)

    def _check(
        self, number: int, y: int, x: int, at: tuple[int, int], checks: list[tuple[Any, ...]], skews: list[Any]
    ) -> None:
        """Compare the clock of instrument `y` with that of `x`."""
        unshifted, _ = self._correlation(y, x, 0)
        best, shift, bars = 0.0, 0, 0
        for tried in self._shifts:
            correlation, moved = self._correlation(y, x, tried)
            if moved >= self.parameters.least and abs(correlation) > abs(best):
                best, shift, bars = correlation, tried, moved
        if bars == 0:
            return
        shift_ns = shift * self.parameters.bar
        checks.append((*at, shift_ns, best, unshifted, bars, y, x))
        told = self._state["told"]
        if abs(best) - abs(unshifted) < (self.parameters.above if shift else 0.0):
            return
        if shift_ns not in (0, told[number]):
            feed = _feed_of(self.desk, y)
            skews.append((*at, feed, y, FeedEventKind.CLOCK_SKEW, shift_ns, shift_ns // _MINUTE_NS))
        told[number] = shift_ns

    def _unknown(self, quote: Any) -> InvariantError:
        return InvariantError(
            f"desk {self.desk.id!r}, clock_check, input {quote['cause']}: expected a quote of one of "
            f"{len(self.desk.instruments)} instruments, got one of number {quote['instrument']}"
        )

    def _correlation(self, y: int, x: int, shift: int) -> tuple[float, int]:
        """Of instrument `y`, its stamps shifted by so many bars, with `x`; 0 where nothing can be said."""
        window = self.parameters.window // self.parameters.bar
        found, moved = correlate(self._desk_tables.ctx, self._state.ctx, self._slots[y], self._slots[x], shift, window)
        return (0.0 if math.isnan(found) else found), moved


def _compared(parameters: ClockCheckParameters, desk: Desk) -> list[tuple[int, int]]:
    """(instrument, the one it is compared with) of every clock that is checked."""
    if not parameters.groups:
        if not desk.pairs:
            raise ConfigError(f"clock_check: desk {desk.id!r} has no pairs; name `groups` of instruments instead")
        return list(dict.fromkeys(desk.legs))
    for group in parameters.groups:
        for name in group:
            if name not in desk.index:
                known = ", ".join(desk.index)
                raise ConfigError(f"clock_check: desk {desk.id!r} has no instrument {name!r}; known: {known}")
    return [(desk.index[name], desk.index[group[0]]) for group in parameters.groups for name in group[1:]]


def _feed_of(desk: Desk, instrument: int) -> int:
    """The first feed that speaks of an instrument."""
    name = desk.instruments[instrument].id
    return next((i for i, feed in enumerate(desk.feeds) if name in feed.instruments), -1)
