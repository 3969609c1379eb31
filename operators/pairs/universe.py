"""All instruments of a desk sampled together, bar by bar."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from operators.kernel import State, kernel, table
from operators.operator import Desk
from schemas.errors import InvariantError
from schemas.market import QUOTES
from schemas.record import Frame

_QUOTE = QUOTES.dtype

UNIVERSE_TERMS = np.dtype(
    [
        ("every", "i8"),  # ns
        ("window", "i8"),  # samples
        ("step", "i8"),  # samples
        ("max_age", "i8"),  # ns; 0: none
    ],
    align=True,
)

CLOCK = np.dtype([("bar", "i8"), ("taken", "i8")], align=True)
"""The bar of the last quote, and samples so far."""

SEEN = np.dtype(
    [
        ("mid", "f8"),  # logarithm of the last tradable mid, in ticks; NaN: none yet
        ("ts", "i8"),  # when it came
        ("tradable", "i8"),
    ],
    align=True,
)
"""What is known of an instrument."""


@kernel
def sample_universe(desk: Frame, state: Frame, quotes: Frame, start: int) -> int:
    """Take in `quotes` from number `start` on, up to the first that completes a sample after which a screening is due.

    Returns its number, from which to go on after the screening; `len(quotes)` where there is none; `-1 - i` where
    quote `i` is of no instrument of the desk. `desk` is the ctx of the terms, `state` of the tables that change
    (clock; instruments; the window's log mids, a row per sample in a ring, and whether each was held over).
    """
    terms = table(desk, 0, UNIVERSE_TERMS)[0]
    clock = table(state, 0, CLOCK)[0]
    seen = table(state, 1, SEEN)
    for i in range(start, len(quotes)):
        quote = quotes[i]
        if not 0 <= quote.instrument < len(seen):
            return -1 - i
        bar = quote.ts // terms.every
        if bar > clock.bar:
            is_first = clock.bar == np.iinfo(np.int64).min
            if not is_first:
                _take(
                    state, clock.taken % terms.window, (clock.bar + 1) * terms.every - terms.max_age, terms.max_age > 0
                )
                clock.taken += 1
            clock.bar = bar
            if not is_first and clock.taken >= terms.window and (clock.taken - terms.window) % terms.step == 0:
                return i
        own = seen[quote.instrument]
        twice = float(quote.bid) + float(quote.ask)
        own.tradable = quote.state == 0 and twice > 0.0
        if own.tradable:
            own.mid = math.log(twice)
            own.ts = quote.ts
    return len(quotes)


@kernel
def _take(state: Frame, slot: int, since: int, ages: bool) -> None:
    """A bar is over: what every instrument showed. One that was not to be traded on holds its last mid over."""
    seen = table(state, 1, SEEN)
    mids, held = table(state, 2, np.float64), table(state, 3, np.int8)
    first = slot * len(seen)
    for k in range(len(seen)):
        mids[first + k] = seen[k].mid
        held[first + k] = not seen[k].tradable or (ages and seen[k].ts < since)


class Universe:
    """The last `window` samples of all instruments.

    The first quote in a later bar than the last one takes a sample: what every instrument showed before it. Bars in
    which no quote came give none. An instrument that is not tradable at the end of a bar, or has been silent for
    `max_age` (where that is not 0), misses the sample, and its last mid stands for it.
    """

    def __init__(self, desk: Desk, every: int, window: int, step: int, max_age: int | None) -> None:
        self._desk, self._shape = desk, (window, len(desk.instruments))
        terms, clock = np.zeros(1, UNIVERSE_TERMS), np.zeros(1, CLOCK)
        terms["every"], terms["window"], terms["step"], terms["max_age"] = every, window, step, max_age or 0
        clock["bar"] = np.iinfo(np.int64).min
        seen, size = np.zeros(len(desk.instruments), SEEN), window * len(desk.instruments)
        seen["mid"] = np.nan
        self._terms = State(terms=terms)
        self._state = State(clock=clock, seen=seen, mids=np.full(size, np.nan), held=np.zeros(size, np.int8))

    def advance(self, quotes: Frame, start: int, who: str) -> int:
        """Take in `quotes` from number `start` on: the number of the first that makes a look at the window due.

        To be called with that number again; `len(quotes)` where there is none. `who` asks, for the error.
        """
        i = sample_universe(self._terms.ctx, self._state.ctx, quotes, start)
        if i < 0:
            quote: Any = quotes[-1 - i]
            raise InvariantError(
                f"desk {self._desk.id!r}, {who}, input {quote['cause']}: expected a quote of an instrument numbered "
                f"0 to {len(self._desk.instruments) - 1}, got one of number {quote['instrument']}"
            )
        return i

    def window(self, missing: float) -> tuple[Frame, Frame]:
        """The log mids, a row per sample from the oldest on, and which instruments are whole.

        Whole are those that were seen before the window began and miss at most the share `missing` of it.
        """
        split = int(self._state["clock"]["taken"][0]) % self._shape[0]
        mids = np.roll(self._state["mids"].reshape(self._shape), -split, axis=0)
        missed = self._state["held"].reshape(self._shape).sum(axis=0, dtype=np.int64)
        return mids, np.isfinite(mids[0]) & (missed <= missing * self._shape[0])

    def snapshot(self) -> dict[str, Frame]:
        """The window, and what is known of the present bar."""
        return self._state.snapshot()

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from a snapshot of the same kind of universe."""
        self._state.restore(state)
