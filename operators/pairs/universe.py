"""The kernel that samples all instruments of a desk together, bar by bar."""

import math

import numpy as np

from operators.kernel import kernel, table
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
