"""A simulated venue: orders reach the book after a latency, walk what is displayed, pay fees.

The venue keeps its own replica of the book. What our orders take is gone from the replica until the feed
says otherwise. A marketable order fills level by level as a taker; a day order rests, without queue
priority, and fills as a maker at its own price once the other side reaches it. Among our own, better
prices go first, then what came first. A book that is halted, unsynced, stale or crossed rejects what arrives
and fills nothing that rests. The desk learns of everything one report latency later.
"""

from decimal import Decimal
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from operators.book.ladder import LADDER, LEVEL, row_of
from operators.execution.pending import push
from operators.execution.stage import Role, Stage
from operators.execution.state import DESK, INSTRUMENT, ORDER, VENUE, Due, Table
from operators.kernel import kernel, table
from operators.operator import Parameters
from operators.portfolio.portfolio import share
from operators.registry import register
from schemas.market import LEVELS, QUOTES, BookState
from schemas.parameter_types import Duration, Money
from schemas.record import Frame
from schemas.trade import FILLS, ORDER_EVENTS, VERDICTS, Liquidity, OrderType, TimeInForce

_DESK, _INSTRUMENTS, _ORDERS = int(Table.DESK), int(Table.INSTRUMENTS), int(Table.ORDERS)
_LEVELS, _LADDERS, _VENUE = int(Table.LEVELS), int(Table.LADDERS), int(Table.VENUE)
_ARRIVAL, _CANCEL_ARRIVAL, _ACCEPTED = int(Due.ARRIVAL), int(Due.CANCEL_ARRIVAL), int(Due.ACCEPTED)
_FILLED, _CANCELLED, _REJECTED = int(Due.FILLED), int(Due.CANCELLED), int(Due.REJECTED)
_TAKER, _MAKER, _LIMIT = int(Liquidity.TAKER), int(Liquidity.MAKER), int(OrderType.LIMIT)
_DAY = int(TimeInForce.DAY)
_CLOSED = int(BookState.UNSYNCED | BookState.HALTED | BookState.STALE | BookState.CROSSED)
_MILLION = 10**6

Basis = Annotated[Decimal, Field(ge=-100, le=1000, decimal_places=2)]


@register("simulated_venue")
class SimulatedVenue(Stage):
    """Fills orders against the displayed book, after a latency and at a fee."""

    inputs = {"verdicts": VERDICTS, "levels": LEVELS, "quotes": QUOTES}
    outputs = {"fills": FILLS, "order_events": ORDER_EVENTS}
    optional = frozenset({"levels"})
    role = Role.VENUE

    class Parameters(Parameters):
        """Latencies and fees."""

        latency: Duration = Field(default=10**6, ge=0, description="from the desk to the book")
        jitter: Duration = Field(default=0, ge=0, description="most extra latency, uniform, drawn from the desk's seed")
        report: Duration = Field(default=10**6, ge=0, description="from the book back to the desk")
        taker_bps: Basis = Field(default=Decimal(0), description="fee on value taken, basis points")
        maker_bps: Basis = Field(default=Decimal(0), description="fee on value made, negative for a rebate")
        per_lot: Money = Field(default=0, ge=0, description="fee per lot, in currency")

    def settings(self) -> Frame:
        """One VENUE row; fees per million."""
        p = self.parameters
        row = (p.latency, p.jitter, p.report, int(p.taker_bps * 100), int(p.maker_bps * 100), p.per_lot)
        return np.array([row], VENUE)


@kernel
def _draw(seed: int, number: int, most: int) -> Any:
    """A uniform integer in 0..most: SplitMix64 (Steele, Lea, Flood 2014) of the seed and a number."""
    z = np.uint64(seed) + np.uint64(number) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z = z ^ (z >> np.uint64(31))
    return np.int64(z % np.uint64(most + 1))


@kernel
def send(ctx: Any, slot: int, ts: int, patience_ns: int) -> None:
    """The order in `slot` leaves the desk at `ts`; a day order is cancelled when patience ends."""
    venue = table(ctx, _VENUE, VENUE)[0]
    o = table(ctx, _ORDERS, ORDER)[slot]
    extra = _draw(table(ctx, _DESK, DESK)[0].seed, o.id, venue.jitter_ns)
    push(ctx, ts + venue.latency_ns + extra, _ARRIVAL, slot, o.id)
    if o.tif == _DAY:
        push(ctx, ts + patience_ns + venue.latency_ns + venue.jitter_ns, _CANCEL_ARRIVAL, slot, o.id)


@kernel
def arrive(ctx: Any, slot: int, ts: int) -> None:
    """The order reaches the book at `ts`."""
    report_ts = ts + table(ctx, _VENUE, VENUE)[0].report_ns
    o = table(ctx, _ORDERS, ORDER)[slot]
    held = table(ctx, _INSTRUMENTS, INSTRUMENT)[o.instrument]
    if held.state & _CLOSED:
        push(ctx, report_ts, _REJECTED, slot, o.id, 0, o.at_venue, ts)
        return
    push(ctx, report_ts, _ACCEPTED, slot, o.id, 0, o.at_venue, ts)
    _take(ctx, slot, ts, _TAKER)
    if o.at_venue == 0:
        return
    if o.tif == _DAY:
        _rest(ctx, slot)
    else:
        _cancel(ctx, slot, ts)


@kernel
def _take(ctx: Any, slot: int, ts: int, liquidity: int) -> None:
    """Walk the other side from its best price as far as the order's price and quantity go."""
    o = table(ctx, _ORDERS, ORDER)[slot]
    levels, ladders = table(ctx, _LEVELS, LEVEL), table(ctx, _LADDERS, LADDER)
    report_ts = ts + table(ctx, _VENUE, VENUE)[0].report_ns
    ladder = 2 * o.instrument + (1 if o.side > 0 else 0)
    while o.at_venue > 0 and ladders[ladder].count > 0:
        level = levels[row_of(ladders, ladder, 0)]
        if o.type == _LIMIT and (level.price - o.price) * o.side > 0:
            break
        qty = min(o.at_venue, level.qty)
        price = level.price if liquidity == _TAKER else o.price
        push(ctx, report_ts, _FILLED, slot, o.id, price, qty, ts, liquidity)
        o.at_venue -= qty
        level.qty -= qty
        if level.qty == 0:
            ladders[ladder].count -= 1


@kernel
def _cancel(ctx: Any, slot: int, ts: int) -> None:
    o = table(ctx, _ORDERS, ORDER)[slot]
    push(ctx, ts + table(ctx, _VENUE, VENUE)[0].report_ns, _CANCELLED, slot, o.id, 0, o.at_venue, ts)
    o.at_venue = 0


@kernel
def _goes_before(a: Any, b: Any) -> bool:
    """Whether `a`, the newer order, is matched before `b`: buys before sells, better prices first."""
    if a.side != b.side:
        return a.side > b.side
    return (a.price - b.price) * a.side > 0


@kernel
def _rest(ctx: Any, slot: int) -> None:
    """The order joins those that rest in its instrument, listed in the order in which they are matched."""
    orders = table(ctx, _ORDERS, ORDER)
    o = orders[slot]
    held = table(ctx, _INSTRUMENTS, INSTRUMENT)[o.instrument]
    before, after = -1, held.first_resting
    while after >= 0 and not _goes_before(o, orders[after]):
        before, after = after, orders[after].next
    o.next = after
    if before < 0:
        held.first_resting = slot
    else:
        orders[before].next = slot
    o.resting = 1
    table(ctx, _DESK, DESK)[0].resting += 1


@kernel
def _stop_resting(ctx: Any, slot: int) -> None:
    orders = table(ctx, _ORDERS, ORDER)
    o = orders[slot]
    held = table(ctx, _INSTRUMENTS, INSTRUMENT)[o.instrument]
    if held.first_resting == slot:
        held.first_resting = o.next
    else:
        before = held.first_resting
        while orders[before].next != slot:
            before = orders[before].next
        orders[before].next = o.next
    o.resting = 0
    table(ctx, _DESK, DESK)[0].resting -= 1


@kernel
def cancel_arrives(ctx: Any, slot: int, order: int, ts: int) -> None:
    """A cancel reaches the venue; too late for an order that is already done."""
    o = table(ctx, _ORDERS, ORDER)[slot]
    if o.id == order and o.resting == 1:
        _stop_resting(ctx, slot)
        _cancel(ctx, slot, ts)


@kernel
def match_resting(ctx: Any, instrument: int, ts: int) -> None:
    """Fill resting orders that the instrument's book now reaches, unless it is closed (see above).

    Doing it twice is doing it once.
    """
    held = table(ctx, _INSTRUMENTS, INSTRUMENT)[instrument]
    if held.state & _CLOSED:
        return
    orders = table(ctx, _ORDERS, ORDER)
    slot = held.first_resting
    while slot >= 0:
        after = orders[slot].next
        _take(ctx, slot, ts, _MAKER)
        if orders[slot].at_venue == 0:
            _stop_resting(ctx, slot)
        slot = after


@kernel
def fee(ctx: Any, instrument: int, price: int, qty: int, liquidity: int) -> int:
    """Fee of a fill in money quanta, rounded half away from zero."""
    venue = table(ctx, _VENUE, VENUE)[0]
    value = 2 * price * table(ctx, _INSTRUMENTS, INSTRUMENT)[instrument].half_tick_value * qty
    rate = venue.taker_ppm if liquidity == _TAKER else venue.maker_ppm
    charged = share(value, abs(rate), _MILLION)
    return (charged if rate >= 0 else -charged) + venue.per_lot * qty
