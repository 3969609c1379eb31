"""Pre-trade risk: every order gets a verdict, a pass or the first rule that denied it.

Exposure is counted by trade: two trades that hold one instrument in opposite directions do not offset
each other in the position and gross limits. Leaving a trade can therefore never raise what these limits
look at, and orders that leave are held to a tradable book, the price collar and the message rate alone.
"""

from typing import Any

import numpy as np
from pydantic import Field

from operators.execution.stage import Role, Stage
from operators.execution.state import DESK, I8, INSTRUMENT, LIMITS, ORDER, Table
from operators.kernel import kernel, table
from operators.operator import Parameters
from operators.portfolio.portfolio import equity
from operators.registry import register
from schemas.market import QUOTES
from schemas.parameter_types import Duration, Money
from schemas.record import MONEY_QUANTUM, Frame
from schemas.trade import ORDERS, VERDICTS, Reason, Rule

_DESK, _INSTRUMENTS, _ORDERS = int(Table.DESK), int(Table.INSTRUMENTS), int(Table.ORDERS)
_LIMITS, _SENT = int(Table.LIMITS), int(Table.SENT_TIMES)
_PASSED, _UNTRADABLE, _POSITION, _NOTIONAL = (
    int(Rule.PASSED),
    int(Rule.UNTRADABLE),
    int(Rule.POSITION),
    int(Rule.NOTIONAL),
)
_GROSS, _NET, _COLLAR, _RATE, _LOSS = (
    int(Rule.GROSS),
    int(Rule.NET),
    int(Rule.COLLAR),
    int(Rule.RATE),
    int(Rule.DAILY_LOSS),
)
_ENTRY = int(Reason.ENTRY)


@register("limits")
class Limits(Stage):
    """Position, notional, gross, net, collar, rate and daily-loss checks before an order leaves."""

    inputs = {"orders": ORDERS, "quotes": QUOTES}
    outputs = {"verdicts": VERDICTS}
    role = Role.LIMITS

    class Parameters(Parameters):
        """The limits; money in the desk's currency."""

        position: Money = Field(gt=0, description="most value committed to one instrument")
        order: Money = Field(gt=0, description="most value of one order")
        gross: Money = Field(gt=0, description="most value committed by the desk")
        net: Money = Field(gt=0, description="most absolute net value of the desk, entries under way included")
        daily_loss: Money = Field(gt=0, description="loss since the day's first event that stops new entries")
        collar_bps: float = Field(gt=0, description="how far from mid an order may be priced, basis points")
        rate: int = Field(gt=1, le=1_000_000, description="most orders in any `rate_window`")
        rate_window: Duration = Field(default=10**9, gt=0, description="sliding window of the order rate")

    def settings(self) -> Frame:
        """One LIMITS row."""
        p = self.parameters
        row = (p.position, p.order, p.gross, p.net, p.daily_loss, p.rate_window, p.collar_bps)
        return np.array([row], LIMITS)


@kernel
def check(ctx: Any, slot: int, ts: int, ahead: int) -> tuple[int, float, float]:
    """Judge the order in `slot`: (rule, observed, limit), rule 0 for a pass.

    `ahead` counts the legs of the same trade that passed just before and are not sent yet.
    """
    limits = table(ctx, _LIMITS, LIMITS)[0]
    o = table(ctx, _ORDERS, ORDER)[slot]
    held = table(ctx, _INSTRUMENTS, INSTRUMENT)[o.instrument]
    if held.state != 0 or held.mid2 <= 0:
        return _UNTRADABLE, float(held.state), 0.0
    touch = held.ask if o.side > 0 else held.bid
    price = o.price if o.price > 0 else touch
    distance_bps = abs(2.0 * price - held.mid2) * 1e4 / held.mid2
    if distance_bps > limits.collar_bps:
        return _COLLAR, distance_bps, limits.collar_bps
    sent = table(ctx, _SENT, I8)
    number = table(ctx, _DESK, DESK)[0].sent + ahead
    if number >= len(sent) and ts - sent[number % len(sent)] < limits.rate_ns:
        return _RATE, float(len(sent) + 1), float(len(sent))
    if o.reason != _ENTRY:
        return _PASSED, 0.0, 0.0
    return _check_exposure(ctx, slot, ahead)


@kernel
def _check_exposure(ctx: Any, slot: int, ahead: int) -> tuple[int, float, float]:
    """Judge what an entry adds.

    Money is compared as floating point quanta: exact up to 2**53 of them, and absurd sizes are denied, they
    do not overflow. The net limit is looked at with the second leg only: one leg alone is meant to be one-sided.
    """
    desk = table(ctx, _DESK, DESK)[0]
    limits = table(ctx, _LIMITS, LIMITS)[0]
    o = table(ctx, _ORDERS, ORDER)[slot]
    held = table(ctx, _INSTRUMENTS, INSTRUMENT)[o.instrument]
    lot_value = float(held.mid2) * held.half_tick_value
    value = o.qty * lot_value
    if value > limits.order:
        return _NOTIONAL, value / MONEY_QUANTUM, limits.order / MONEY_QUANTUM
    position = held.committed * lot_value + value
    if position > limits.position:
        return _POSITION, position / MONEY_QUANTUM, limits.position / MONEY_QUANTUM
    gross = desk.committed + value
    if gross > limits.gross:
        return _GROSS, gross / MONEY_QUANTUM, limits.gross / MONEY_QUANTUM
    net = abs(desk.net + desk.working_net + o.side * value)
    if ahead > 0 and net > limits.net:
        return _NET, net / MONEY_QUANTUM, limits.net / MONEY_QUANTUM
    loss = desk.day_equity - equity(ctx)
    if loss >= limits.daily_loss:
        return _LOSS, loss / MONEY_QUANTUM, limits.daily_loss / MONEY_QUANTUM
    return _PASSED, value / MONEY_QUANTUM, limits.order / MONEY_QUANTUM


@kernel
def reserve(ctx: Any, slot: int) -> None:
    """Count a passed entry as committed and under way."""
    desk = table(ctx, _DESK, DESK)[0]
    o = table(ctx, _ORDERS, ORDER)[slot]
    held = table(ctx, _INSTRUMENTS, INSTRUMENT)[o.instrument]
    o.lot_value = held.mid2 * held.half_tick_value
    held.committed += o.qty
    desk.committed += o.qty * o.lot_value
    desk.working_net += o.side * o.qty * o.lot_value


@kernel
def settle(ctx: Any, slot: int, qty: int, is_filled: bool) -> None:
    """`qty` lots of the order are no longer under way: filled, or cancelled, rejected and withheld."""
    desk = table(ctx, _DESK, DESK)[0]
    o = table(ctx, _ORDERS, ORDER)[slot]
    is_entry = o.reason == _ENTRY
    if is_entry:
        desk.working_net -= o.side * qty * o.lot_value
    if is_entry != is_filled:  # an entry that came to nothing, or a trade left
        held = table(ctx, _INSTRUMENTS, INSTRUMENT)[o.instrument]
        held.committed -= qty
        desk.committed -= qty * held.mid2 * held.half_tick_value


@kernel
def count_sent(ctx: Any, ts: int) -> None:
    """Count one order into the sliding message rate."""
    desk = table(ctx, _DESK, DESK)[0]
    sent = table(ctx, _SENT, I8)
    sent[desk.sent % len(sent)] = ts
    desk.sent += 1
