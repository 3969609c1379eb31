"""Whether baskets of several instruments are cointegrated, tested over and over."""

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from operators.operator import Desk, Example, Frames, Operator
from operators.pairs.baskets_example import baskets_example
from operators.pairs.baskets_parameters import Basket, BasketsParameters
from operators.pairs.johansen import johansen
from operators.pairs.trace_test import CRITICAL, rank, trace_p_value
from operators.pairs.universe import Universe
from operators.registry import register
from schemas.errors import ConfigError
from schemas.market import QUOTES
from schemas.record import Frame, Schema
from schemas.signal import BASKETS, GATES, LEGS_MAX, Gate


@register("baskets")
class Baskets(Operator):
    """Johansen's trace test of every basket over its last samples, and a gate that opens and closes by it.

    Samples are of all instruments together, as `discovery` takes them: their log mids at the end of each bar in which
    a quote came. Every `step` samples, once there are `window`, a basket is tested; it opens at a p-value up to
    `open` of no cointegration, and closes above `close`. A test that cannot be made closes it: an instrument is not
    whole (it misses more than `missing` of the window) or stands still, or follows from the others to a millionth.
    Every test gives a row of `baskets` with the combination that reverts most, and a row of `gates` for each pair
    of the desk with both legs in the basket: `statistic` is the trace's, `hedge` that of the combination. All are
    closed from the first quote to the first test.

    Read by `bands`, a closed gate vetoes entries; exits never ask.
    """

    inputs: ClassVar[Mapping[str, Schema]] = {"quotes": QUOTES}
    outputs: ClassVar[Mapping[str, Schema]] = {"gates": GATES, "baskets": BASKETS}
    Parameters = BasketsParameters

    def __init__(self, parameters: BasketsParameters, desk: Desk) -> None:
        super().__init__(parameters, desk)
        p = parameters
        self._members = [_members(basket, desk) for basket in p.baskets]
        self._pairs = _pairs_within(p.baskets, desk)
        self._universe = Universe(desk, p.every, p.window, p.step, p.max_age)
        self._states = np.full(len(p.baskets), int(Gate.CLOSED))
        self._is_told = False

    @classmethod
    def example(cls, seed: int) -> Example:
        """Baskets that belong together for a while, always and never."""
        return baskets_example(seed)

    def process(self, frames: Frames) -> Frames:
        """Sample the instruments as `quotes` come, and test every basket when that is due."""
        quotes: Any = frames.get("quotes", QUOTES.empty)
        rows: dict[str, list[tuple[Any, ...]]] = {"gates": [], "baskets": []}
        if len(quotes) and not self._is_told:
            self._is_told = True
            for number in range(len(self._members)):
                self._tell(rows, number, quotes[0], None)
        i = 0
        while (i := self._universe.advance(quotes, i, "baskets")) < len(quotes):
            levels, is_whole = self._universe.window(self.parameters.missing)
            for number, members in enumerate(self._members):
                self._tell(rows, number, quotes[i], levels[:, members].T.copy() if is_whole[members].all() else None)
        found = {"gates": GATES.rows(rows["gates"]), "baskets": BASKETS.rows(rows["baskets"])}
        return {port: frame for port, frame in found.items() if len(frame)}

    def snapshot(self) -> dict[str, Any]:
        """The window of all instruments, and which baskets are open."""
        return {"universe": self._universe.snapshot(), "states": self._states.copy(), "is_told": self._is_told}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from a snapshot of an operator with the same parameters on the same desk."""
        self._universe.restore(state["universe"])
        self._states, self._is_told = state["states"].copy(), state["is_told"]

    def _tell(self, rows: dict[str, list[tuple[Any, ...]]], number: int, quote: Any, levels: Frame | None) -> None:
        """Test a basket on its log mids, a row per instrument, or without them find that it cannot be tested."""
        basket, lags = self.parameters.baskets[number], self.parameters.lags
        count = len(basket.instruments)
        statistics, weights, p_value = np.zeros(count), np.zeros(LEGS_MAX), 1.0
        is_tested = False
        if levels is not None:
            statistics, weights[:count], is_tested = johansen(levels, lags)
        if is_tested:
            p_value = trace_p_value(float(statistics[0]), count)
        if p_value <= self.parameters.open:
            self._states[number] = Gate.OPEN
        elif p_value > self.parameters.close:
            self._states[number] = Gate.CLOSED
        when, state = (int(quote["cause"]), int(quote["ts"])), int(self._states[number])
        tested = (float(statistics[0]), p_value, CRITICAL[count - 1])
        relations = rank(statistics) if is_tested else 0
        rows["baskets"].append((*when, *tested, *weights.tolist(), basket.id, relations, lags, state))
        for pair, (y, x) in self._pairs[number]:
            hedge = -float(weights[x] / weights[y]) if weights[y] != 0.0 else 0.0
            rows["gates"].append((*when, *tested, hedge, lags, pair, state))


def _members(basket: Basket, desk: Desk) -> Frame:
    missing = [name for name in basket.instruments if name not in desk.index]
    if missing:
        known = ", ".join(desk.index)
        raise ConfigError(f"basket {basket.id!r}: desk {desk.id!r} has no instrument {missing[0]!r}; it has {known}")
    return np.array([desk.index[name] for name in basket.instruments])


def _pairs_within(baskets: tuple[Basket, ...], desk: Desk) -> list[list[tuple[int, tuple[int, int]]]]:
    """Of each basket the desk's pairs with both legs in it: the pair's number, and where its y and x are in it."""
    found: list[list[tuple[int, tuple[int, int]]]] = [[] for _ in baskets]
    for number, pair in enumerate(desk.pairs):
        homes = [i for i, basket in enumerate(baskets) if {pair.y, pair.x} <= set(basket.instruments)]
        if len(homes) > 1:
            names = " and ".join(repr(baskets[i].id) for i in homes[:2])
            raise ConfigError(
                f"pair {pair.id!r} lies in the baskets {names}; one gate cannot follow both, so part them"
            )
        for i in homes:
            members = baskets[i].instruments
            found[i].append((number, (members.index(pair.y), members.index(pair.x))))
    return found
