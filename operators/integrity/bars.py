"""The returns of instruments, bar by bar, over the last so many bars: kernels."""

import math
from typing import Any

import numpy as np

from operators.kernel import kernel, table
from schemas.market import BookState
from schemas.record import Frame

FOLLOWED = np.dtype([("now", "f8"), ("before", "f8")])
"""Log mids of an instrument: the last one, and that of the end of the bar before; NaN where there was none."""

TERMS = np.dtype([("bar_ns", "i8"), ("every_ns", "i8"), ("bars", "i8")])
"""Length of a bar, time between checks (whole bars), bars that are kept per instrument."""

CLOCK = np.dtype([("bar", "i8"), ("check", "i8")])
"""The bar that is being made, and the one at whose start the next check is due; -1 before the first quote."""

# Tables behind the ctx of the desk, and of the state.
D_TERMS, D_SLOTS = range(2)
S_CLOCK, S_FOLLOWED, S_RETURNS = range(3)

_I8, _F8 = np.dtype(np.int64), np.dtype(np.float64)
_CROSSED = int(BookState.CROSSED)


@kernel
def follow_quotes(desk: Any, state: Any, quotes: Frame, first: int) -> int:
    """Take in `quotes[first:]`. Returns the number of rows, or that of a quote before which a check is due.

    The bars that ended are complete by then, and the quote itself has not been taken in: call again with it as
    `first`. -1 - n: quote n is of an instrument that the desk does not have. A quote that cannot be traded on moves
    nothing, unless it is merely crossed, as happens while prices move.
    """
    terms, slots = table(desk, D_TERMS, TERMS)[0], table(desk, D_SLOTS, _I8)
    clock, followed = table(state, S_CLOCK, CLOCK)[0], table(state, S_FOLLOWED, FOLLOWED)
    for i in range(first, len(quotes)):
        quote = quotes[i]
        bar = quote.ts // terms.bar_ns
        if clock.bar < 0:
            clock.bar = bar
            clock.check = _next_check(bar, terms)
        if bar > clock.bar:
            _end_bars(terms, state, bar)
        if bar >= clock.check:
            clock.check = _next_check(bar, terms)
            return i
        if quote.instrument < 0 or quote.instrument >= len(slots):
            return -1 - i
        slot = slots[quote.instrument]
        if slot >= 0 and quote.state & ~_CROSSED == 0 and quote.bid + quote.ask > 0:
            followed[slot].now = math.log(0.5 * (quote.bid + quote.ask))
    return len(quotes)


@kernel
def correlate(desk: Any, state: Any, y: int, x: int, shift: int, window: int) -> tuple[float, int]:
    """(correlation, bars in which both moved) of the returns in slot `y`, `shift` bars later, with those in slot `x`.

    Over the last `window` bars that ended and have both; NaN where one never moved. Sums run in the order of time, so
    that every machine finds the same.
    """
    terms, clock = table(desk, D_TERMS, TERMS)[0], table(state, S_CLOCK, CLOCK)[0]
    returns = table(state, S_RETURNS, _F8)
    last = clock.bar - 1 - max(shift, 0)
    first = max(last - window + 1, clock.bar - terms.bars - min(shift, 0), -min(shift, 0), 0)
    n = moved = 0
    sum_y = sum_x = sum_yy = sum_xx = sum_yx = 0.0
    for bar in range(first, last + 1):
        a = returns[y * terms.bars + bar % terms.bars]
        b = returns[x * terms.bars + (bar + shift) % terms.bars]
        if math.isnan(a) or math.isnan(b):
            continue
        n += 1
        moved += a != 0.0 and b != 0.0
        sum_y += a
        sum_x += b
        sum_yy += a * a
        sum_xx += b * b
        sum_yx += a * b
    if n == 0:
        return math.nan, 0
    spread = (sum_yy - sum_y * sum_y / n) * (sum_xx - sum_x * sum_x / n)
    return ((sum_yx - sum_y * sum_x / n) / math.sqrt(spread) if spread > 0.0 else math.nan), moved


@kernel
def _next_check(bar: int, terms: Any) -> int:
    """The first bar of the next stretch between checks."""
    apart = terms.every_ns // terms.bar_ns
    return (bar // apart + 1) * apart


@kernel
def _end_bars(terms: Any, state: Any, bar: int) -> None:
    """Write the returns of all bars before `bar`."""
    clock, followed = table(state, S_CLOCK, CLOCK)[0], table(state, S_FOLLOWED, FOLLOWED)
    returns = table(state, S_RETURNS, _F8)
    for slot in range(len(followed)):
        known = followed[slot]
        change = known.now - known.before
        for ended in range(max(clock.bar, bar - terms.bars), bar):
            returns[slot * terms.bars + ended % terms.bars] = change
            if not math.isnan(known.now):
                change = 0.0
        known.before = known.now
    clock.bar = bar
