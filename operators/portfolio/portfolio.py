"""Positions, profit and loss, equity: exact integer arithmetic in money quanta.

Average-cost method. A fill that closes part of a position takes its share of the cost, rounded to the
quantum (half away from zero); what rounding leaves stays in the cost of the open part, so that
realised + unrealised is exact at every moment.
"""

from typing import Any

import numpy as np
from pydantic import Field

from operators.execution.rows import write_equity, write_position
from operators.execution.stage import Role, Stage
from operators.execution.state import DESK, INSTRUMENT, PORTFOLIO, Table
from operators.kernel import inlined, kernel, table
from operators.operator import Parameters
from operators.registry import register
from schemas.market import QUOTES
from schemas.parameter_types import Duration
from schemas.record import Frame
from schemas.trade import EQUITY, FILLS, POSITIONS

_DESK, _INSTRUMENTS, _PORTFOLIO = int(Table.DESK), int(Table.INSTRUMENTS), int(Table.PORTFOLIO)
_DAY_NS = 86_400 * 10**9


@register("portfolio")
class Portfolio(Stage):
    """Books fills into positions, valued at the mid of the last tradable quote; rows after fills and every so often."""

    inputs = {"fills": FILLS, "quotes": QUOTES}
    outputs = {"positions": POSITIONS, "equity": EQUITY}
    role = Role.PORTFOLIO

    class Parameters(Parameters):
        """How often equity is written."""

        every: Duration = Field(default=60 * 10**9, gt=0, description="interval between equity rows, desk clock")

    def settings(self) -> Frame:
        """One PORTFOLIO row."""
        return np.array([(self.parameters.every,)], PORTFOLIO)


@kernel
def share(amount: int, part: int, whole: int) -> int:
    """`amount * part / whole` rounded half away from zero, for 0 <= part <= whole < 2**61, without overflow."""
    size = abs(amount)
    rest = size % whole
    is_narrow = whole < 2**31
    rounded = (2 * rest * part + whole) // (2 * whole) if is_narrow else _share_of_rest(rest, part, whole)
    result = (size // whole) * part + rounded
    return result if amount >= 0 else -result


@kernel
def _share_of_rest(rest: int, part: int, whole: int) -> int:
    """`rest * part / whole` rounded half up for 0 <= rest < whole: the product, too wide for int64, bit by bit."""
    quotient, left = 0, 0
    for bit in range(61, -1, -1):
        left = 2 * left + rest * (part >> bit & 1)
        quotient = 2 * quotient + left // whole
        left %= whole
    return quotient + (2 * left >= whole)


@inlined
def mark(ctx: Any, i: int, mid2: int) -> None:
    """Value instrument `i` at a new mid."""
    held = table(ctx, _INSTRUMENTS, INSTRUMENT)[i]
    if held.committed != 0 or held.qty != 0:
        desk = table(ctx, _DESK, DESK)[0]
        unit = held.qty * held.half_tick_value
        change = unit * (mid2 - held.mid2)
        desk.unrealised += change
        desk.net += change
        desk.gross += abs(unit * mid2) - abs(unit * held.mid2)
        desk.committed += held.committed * held.half_tick_value * (mid2 - held.mid2)
    held.mid2 = mid2


@kernel
def book_fill(ctx: Any, i: int, side: int, price: int, qty: int, fee: int) -> None:
    """Take a fill of `qty` lots at `price` ticks into the position of instrument `i`."""
    desk = table(ctx, _DESK, DESK)[0]
    held = table(ctx, _INSTRUMENTS, INSTRUMENT)[i]
    value_before = held.qty * held.mid2 * held.half_tick_value
    unrealised_before = value_before - held.cost
    lot = 2 * price * held.half_tick_value
    closing = min(qty, abs(held.qty)) if held.qty * side < 0 else 0
    if closing > 0:
        cost = share(held.cost, closing, abs(held.qty))
        gain = -side * lot * closing - cost
        held.realised += gain
        desk.realised += gain
        held.cost -= cost
    held.cost += side * lot * (qty - closing)
    held.qty += side * qty
    held.fees += fee
    desk.fees += fee
    value = held.qty * held.mid2 * held.half_tick_value
    desk.unrealised += value - held.cost - unrealised_before
    desk.gross += abs(value) - abs(value_before)
    desk.net += value - value_before


@kernel
def write_account(ctx: Any, out: Any, i: int, cause: int, ts: int) -> None:
    """Position and equity rows after a fill in instrument `i`."""
    write_position(ctx, out, i, cause, ts)
    write_equity(ctx, out, cause, ts)


@kernel
def equity(ctx: Any) -> int:
    """The desk's equity, money quanta."""
    desk = table(ctx, _DESK, DESK)[0]
    return desk.capital + desk.realised + desk.unrealised - desk.fees


@kernel
def on_clock(ctx: Any, out: Any, cause: int, ts: int) -> None:
    """At `desk.clock_due`: start a new day, and write the account once an interval has ended."""
    desk = table(ctx, _DESK, DESK)[0]
    if ts >= desk.day_ends:
        desk.day_ends = (ts // _DAY_NS + 1) * _DAY_NS
        desk.day_equity = equity(ctx)
    if ts >= desk.equity_due:
        every = table(ctx, _PORTFOLIO, PORTFOLIO)[0].every_ns
        if desk.equity_due > 0:
            write_equity(ctx, out, cause, ts)
        desk.equity_due = (ts // every + 1) * every
    desk.clock_due = min(desk.day_ends, desk.equity_due)
