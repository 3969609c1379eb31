"""The kernel of the rolling correlation: quotes in, one row per pair touched."""

import math
from typing import Any

import numpy as np

from operators.kernel import kernel, table
from operators.pairs.moments import MOMENTS, QUEUE, roll_moments
from operators.pairs.window import BY_EVENT
from schemas.record import Frame
from schemas.signal import CORRELATIONS, SpreadState

_ROW = CORRELATIONS.dtype
_COLD, _LEG, _DEGENERATE = int(SpreadState.COLD), int(SpreadState.LEG), int(SpreadState.DEGENERATE)

CORRELATED = np.dtype(
    [
        ("y", "f8"),  # log mids of the last sample
        ("x", "f8"),
        ("correlation", "f8"),  # in force until the next sample
        ("bar", "i8"),  # of the last touch
        ("changes", "i8"),  # from sample to sample so far
        ("sampled", "i4"),  # 1: there is a last sample
        ("state", "i4"),
    ],
    align=True,
)

TOP_MID = np.dtype([("mid", "f8"), ("state", "i8")], align=True)
"""An instrument's last tradable log mid in ticks, and UNSEEN, UNTRADABLE or FIT."""

FIT, UNTRADABLE, UNSEEN = 0, 1, 2

CORRELATION_TERMS = np.dtype([("every", "i8"), ("window", "i8")], align=True)
"""The operator's parameters: ns, BY_EVENT or BY_CHANGE; changes."""


@kernel
def correlate_pairs(desk: Frame, state: Frame, quotes: Frame) -> int:
    """Write the rows of `quotes` to the scratch table and return how many.

    Returns `-1 - i` where quote `i` is of no instrument of the desk. `desk` is the ctx of the tables that stay
    (terms, starts, touches, legs, rows), `state` of those that change (mids by instrument; pairs; and the queues
    and slots of their windows).
    """
    terms = table(desk, 0, CORRELATION_TERMS)[0]
    starts, touches, legs = table(desk, 1, np.int64), table(desk, 2, np.int64), table(desk, 3, np.int64)
    rows = table(desk, 4, _ROW)
    mids, pairs = table(state, 0, TOP_MID), table(state, 1, CORRELATED)
    every = terms.every
    n = 0
    for i in range(len(quotes)):
        quote = quotes[i]
        if not 0 <= quote.instrument < len(mids):
            return -1 - i
        own = mids[quote.instrument]
        twice = float(quote.bid) + float(quote.ask)
        is_tradable = quote.state == 0 and twice > 0.0
        mid = math.log(twice) if is_tradable else own.mid
        is_new = every == BY_EVENT or mid != own.mid
        bar = quote.ts // every if every > 0 else 0
        first, last = starts[quote.instrument], starts[quote.instrument + 1]
        for k in range(first, last):
            p = touches[k] >> 1
            pair = pairs[p]
            y, x = mids[legs[2 * p]], mids[legs[2 * p + 1]]
            if y.state + x.state == FIT and (bar > pair.bar if every > 0 else is_new):
                _take(p, pair, terms.window, y.mid, x.mid, state)
            pair.bar = bar
        own.mid = mid
        own.state = FIT if is_tradable else max(own.state, UNTRADABLE)
        for k in range(first, last):
            p = touches[k] >> 1
            y, x = mids[legs[2 * p]], mids[legs[2 * p + 1]]
            if y.state < UNSEEN and x.state < UNSEEN:
                row = rows[n]
                row.cause = quote.cause
                row.ts = quote.ts
                row.pair = p
                row.correlation = pairs[p].correlation
                row.state = pairs[p].state | (_LEG if y.state + x.state != FIT else 0)
                n += 1
    return n


@kernel
def _take(p: int, pair: Any, window: int, y: float, x: float, state: Frame) -> None:
    """The legs as they stand are a sample: their changes since the last one enter the window."""
    dy, dx = y - pair.y, x - pair.x
    pair.y = y
    pair.x = x
    if not pair.sampled:
        pair.sampled = 1
        return
    queue, ring = table(state, 2, QUEUE)[p], table(state, 3, MOMENTS)
    pair.changes += 1
    n, _, _, xx, xy, yy = roll_moments(queue, ring, p * window, window, pair.changes, True, dx, dy)
    together = xy / math.sqrt(xx * yy)
    pair.state = _COLD if n < window else 0 if np.isfinite(together) else _DEGENERATE
    pair.correlation = min(max(together, -1.0), 1.0) if pair.state == 0 else 0.0
