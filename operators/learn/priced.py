"""What the trade against a deviation gains: it crosses both legs at their best prices, entering and leaving.

These are the last tradable quotes, at the example's row and at that of its outcome. `desk` and `state` are the ctx
that `operators.learn.target.schedule` gets.
"""

from typing import Any

import numpy as np

from operators.kernel import inlined, kernel, table
from operators.learn.waiting import OPEN, QUEUE_ENDS, TARGET_TERMS, TOP
from schemas.record import Frame


@inlined
def note_quotes(desk: Frame, state: Frame, quotes: Frame, q: int, cause: int) -> int:
    """Keep the tradable quotes up to and with those of `cause`; returns the number of the next one."""
    ticks = table(desk, 3, np.float64)
    tops = table(state, 3, TOP)
    while q < len(quotes) and quotes[q].cause <= cause:
        quote = quotes[q]
        if quote.state == 0 and 0 <= quote.instrument < len(tops) and quote.bid > 0:
            top, tick = tops[quote.instrument], ticks[quote.instrument]
            top.bid, top.ask = float(quote.bid) * tick, float(quote.ask) * tick
        q += 1
    return q


@kernel
def enter_trade(desk: Frame, state: Frame, number: int, row: Any) -> None:
    """Price the trade against the deviation of an example: above 0 the spread is sold, below 0 bought."""
    legs = table(desk, 2, np.int64)
    tops = table(state, 3, TOP)
    example = table(state, 1, OPEN)[number - table(state, 0, QUEUE_ENDS)[0].base]
    y, x = tops[legs[2 * row.pair]], tops[legs[2 * row.pair + 1]]
    example.ratio, example.cash, example.gross = row.hedge, 0.0, 0.0
    if y.bid > 0.0 and x.bid > 0.0:
        if table(desk, 0, TARGET_TERMS)[0].notional:
            example.ratio = row.hedge * (y.bid + y.ask) / (x.bid + x.ask)
        example.cash = _cash(y, x, example.ratio, -1 if row.z >= 0.0 else 1)
        example.gross = _traded(y, x, example.ratio)


@kernel
def leave_trade(desk: Frame, state: Frame, example: Any) -> float:
    """What the trade of an example gains where it is left now, after costs, bps of its gross value."""
    if example.gross == 0.0:
        return 0.0
    legs = table(desk, 2, np.int64)
    tops = table(state, 3, TOP)
    pair = example.queue >> 1
    y, x = tops[legs[2 * pair]], tops[legs[2 * pair + 1]]
    cash = example.cash + _cash(y, x, example.ratio, -1 if example.queue & 1 else 1)
    fees = table(desk, 0, TARGET_TERMS)[0].taker_bps * (example.gross + _traded(y, x, example.ratio))
    return (cash * 1e4 - fees) / example.gross


@inlined
def _cash(y: Any, x: Any, ratio: float, side: int) -> float:
    """What buying (side 1) or selling (-1) the spread at once brings, of one unit of y."""
    if side > 0:
        return ratio * (x.bid if ratio > 0.0 else x.ask) - y.ask
    return y.bid - ratio * (x.ask if ratio > 0.0 else x.bid)


@inlined
def _traded(y: Any, x: Any, ratio: float) -> float:
    """Gross value of both legs at mid, of one unit of y."""
    return 0.5 * (y.bid + y.ask + abs(ratio) * (x.bid + x.ask))
