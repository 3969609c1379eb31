"""What a spread can be traded at, and how old its legs' quotes are."""

import math
from typing import Any

import numpy as np

from operators.kernel import kernel, table
from operators.pairs.hedge import TOPS
from schemas.record import Frame
from schemas.signal import SpreadState

LEGS, EXECUTABLE_ROWS = 5, 6
"""Numbers of the spread operator's desk tables: y and x of every pair, one after the other, and the scratch."""

TOP = np.dtype([("bid", "f8"), ("ask", "f8"), ("ts", "i8")], align=True)
"""An instrument's last tradable quote: currency or log, and when it came."""

_DEGENERATE = int(SpreadState.DEGENERATE)


@kernel
def note_top(state: Frame, quote: Any, tick: float, log: int) -> None:
    """Keep a tradable quote."""
    top = table(state, TOPS, TOP)[quote.instrument]
    bid, ask = float(quote.bid) * tick, float(quote.ask) * tick
    top.bid = (math.log(bid) if bid > 0.0 else -np.inf) if log else bid
    top.ask = (math.log(ask) if ask > 0.0 else -np.inf) if log else ask
    top.ts = quote.ts


@kernel
def is_old(desk: Frame, state: Frame, p: int, since: int) -> bool:
    """Whether a leg of pair `p` has not had a tradable quote `since` then, ns."""
    legs, tops = table(desk, LEGS, np.int64), table(state, TOPS, TOP)
    return tops[legs[2 * p]].ts < since or tops[legs[2 * p + 1]].ts < since


@kernel
def cross_legs(row: Any, spread: Any, desk: Frame, state: Frame) -> None:
    """Fill the executable row of a spread. Without a price to cross at, both sides are 0 and it is DEGENERATE."""
    legs, tops = table(desk, LEGS, np.int64), table(state, TOPS, TOP)
    y, x = tops[legs[2 * spread.pair]], tops[legs[2 * spread.pair + 1]]
    sold, bought = (x.ask, x.bid) if spread.hedge >= 0.0 else (x.bid, x.ask)
    bid = y.bid - spread.hedge * sold - spread.intercept
    ask = y.ask - spread.hedge * bought - spread.intercept
    row.cause = spread.cause
    row.ts = spread.ts
    row.pair = spread.pair
    row.state = spread.state
    if not (np.isfinite(bid) and np.isfinite(ask)):
        bid, ask = 0.0, 0.0
        row.state |= _DEGENERATE
    row.bid = bid
    row.ask = ask
    row.y_age = (spread.ts - y.ts) * 1e-9
    row.x_age = (spread.ts - x.ts) * 1e-9
