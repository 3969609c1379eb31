"""Which of very many pairs are worth trading, found and given up as the market goes."""

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from operators.kernel import State
from operators.operator import Desk, Example, Frames, Operator
from operators.pairs.discovery_example import discovery_example
from operators.pairs.discovery_parameters import DiscoveryParameters
from operators.pairs.screening import FIGURES, Candidates, Rule, Screening, screen
from operators.pairs.traded_set import Admission, first_standing, renew
from operators.pairs.universe import Universe
from operators.registry import register
from schemas.errors import ConfigError
from schemas.market import QUOTES
from schemas.record import Frame, Schema
from schemas.signal import SCREENINGS, TRADED_PAIRS, Membership


@register("discovery")
class Discovery(Operator):
    """Screens every pair of the desk by correlation, distance and cointegration, and keeps the set that is traded.

    *Samples.* The first quote in a later bar than the last one takes a sample of all instruments: their log mids as
    they stood before it. Bars in which no quote came give none. An instrument that is not tradable at the end of
    a bar, or has been silent for `max_age`, misses the sample, and its last mid stands for it. One is whole that was
    seen before the window began and misses at most `missing` of it.

    *Screening.* Every `step` samples, once there are `window`, each pair of whole instruments is tested as by
    `cointegration` on log mids, with up to `lags` lags by a criterion for noisy prices. All tests count: discoveries
    are the pairs whose adjusted p-value is at most `false_discovery`, at the rate for tests that depend on each other
    as `dependence` says. A pair that correlates less than `min_correlation`, or whose legs are further apart than
    `max_distance`, counts as tested with a p-value of 1. The rate holds for each screening; it says nothing of many
    taken together.

    *Traded set.* A pair found `confirm` times in a row is promoted while there is room, the least p-value first. One
    whose adjusted p-value was above `retire` for `patience` screenings in a row is retired, as is one that could not be
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
        self._admission = Admission(parameters.traded, parameters.confirm, parameters.retire, parameters.patience)
        self._candidates, self._rule = Candidates(desk), _rule(parameters)
        p = parameters
        self._universe = Universe(desk, p.every, p.window, p.step, p.max_age)
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
        while (i := self._universe.advance(quotes, i, "discovery")) < len(quotes):
            for port, rows in self._screen(quotes[i]).items():
                found.setdefault(port, []).append(rows)
        return {port: np.concatenate(rows) for port, rows in found.items()}

    def snapshot(self) -> dict[str, Any]:
        """The window of all instruments, and how every pair stands."""
        return {"universe": self._universe.snapshot(), "standing": self._standing.snapshot()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from a snapshot of an operator with the same parameters on the same desk."""
        self._universe.restore(state["universe"])
        self._standing.restore(state["standing"])

    def _screen(self, quote: Any) -> dict[str, Frame]:
        """Screen the window; `quote` is the one that completed it."""
        levels, is_whole = self._universe.window(self.parameters.missing)
        found = screen(levels, is_whole, self._candidates, self._rule)
        retired, promoted = renew(self._standing, self._admission, found.p_values, found.adjusted, found.is_found)
        traded = self._standing["traded"].sum()
        sizes = is_whole.sum(), found.tested, found.is_found.sum(), len(promoted), len(retired), traded
        rows = {"screenings": SCREENINGS.rows([(quote["cause"], quote["ts"], found.threshold, *sizes)])}
        changed = np.concatenate([retired, promoted])
        if len(changed):
            states = np.repeat([Membership.RETIRED, Membership.PROMOTED], [len(retired), len(promoted)])
            rows["traded"] = _changes(quote, found, changed, states)
        return rows


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
