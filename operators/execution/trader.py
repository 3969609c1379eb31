"""Signals to orders: both legs of a pair sent as one trade, and followed until the trade is closed.

A pair is FLAT, ENTERING, OPEN or EXITING. It holds one trade at a time, so two opposite trades of one
pair cannot exist. A trade whose other leg found no counterparty is unwound; what could not be closed is
tried again after `retry`.
"""

from typing import Any, Literal

import numpy as np
from pydantic import Field

from operators.execution.pending import push
from operators.execution.rows import write_order, write_order_event, write_verdict
from operators.execution.stage import Role, Stage
from operators.execution.state import DESK, INSTRUMENT, ORDER, PAIR, TRADER, Due, Phase, Table
from operators.execution.venue import send
from operators.kernel import kernel, table
from operators.operator import Parameters
from operators.registry import register
from operators.risk.limits import check, count_sent, reserve, settle
from schemas.market import QUOTES
from schemas.parameter_types import Duration
from schemas.record import Frame
from schemas.signal import SIGNALS, Action
from schemas.trade import ORDER_EVENTS, ORDERS, OrderEventKind, OrderType, Reason, Rule, TimeInForce

_DESK, _INSTRUMENTS, _PAIRS = int(Table.DESK), int(Table.INSTRUMENTS), int(Table.PAIRS)
_ORDERS, _TRADER = int(Table.ORDERS), int(Table.TRADER)
_FLAT, _ENTERING, _OPEN, _EXITING = int(Phase.FLAT), int(Phase.ENTERING), int(Phase.OPEN), int(Phase.EXITING)
_ENTER, _STOP_ACTION = int(Action.ENTER), int(Action.STOP)
_ENTRY, _EXIT, _STOP, _UNWIND = int(Reason.ENTRY), int(Reason.EXIT), int(Reason.STOP), int(Reason.UNWIND)
_SENT, _DENIED, _SKIPPED = int(OrderEventKind.SENT), int(OrderEventKind.DENIED), int(OrderEventKind.SKIPPED)
_MARKET, _IOC = int(OrderType.MARKET), int(TimeInForce.IOC)
_OTHER_LEG, _RETRY = int(Rule.OTHER_LEG), int(Due.RETRY)


@register("trader")
class Trader(Stage):
    """Sizes both legs of a pair to a gross notional and sends, follows and closes them as one trade."""

    inputs = {"signals": SIGNALS, "quotes": QUOTES}
    outputs = {"orders": ORDERS, "order_events": ORDER_EVENTS}
    role = Role.TRADER

    class Parameters(Parameters):
        """How entries are priced, and how patient the trader is."""

        order: Literal["market", "limit"] = Field(default="market", description="type of entry orders")
        price: Literal["touch", "join"] = Field(
            default="touch", description="limit entries: at the other side's best price, or join our own side's"
        )
        cross_ticks: int = Field(default=0, ge=0, le=10_000, description="limit entries: ticks beyond that price")
        tif: Literal["ioc", "day"] = Field(default="ioc", description="limit entries: time in force")
        patience: Duration = Field(default=2 * 10**9, gt=0, description="day entries are cancelled after this long")
        retry: Duration = Field(default=10**9, gt=0, description="pause before closing is tried again")
        hedge: Literal["units", "notional"] = Field(
            default="units", description="what the hedge ratio counts: units (price spreads) or value (log prices)"
        )

    def settings(self) -> Frame:
        """One TRADER row."""
        p = self.parameters
        kind, tif = OrderType[p.order.upper()], TimeInForce[p.tif.upper()]
        row = (p.retry, p.patience, p.cross_ticks, kind, tif, p.price == "join", p.hedge == "notional")
        return np.array([row], TRADER)


@kernel
def on_signal(ctx: Any, out: Any, signal: Any) -> None:
    """Act on one signal."""
    pair = table(ctx, _PAIRS, PAIR)[signal.pair]
    if signal.action == _ENTER:
        _enter(ctx, out, signal)
        return
    pair.exit = _STOP if signal.action == _STOP_ACTION else _EXIT
    if pair.phase == _OPEN:
        _leave(ctx, out, signal.pair, signal.cause, signal.ts)
    elif pair.phase != _ENTERING:
        pair.exit = pair.exit if pair.phase == _EXITING else 0


@kernel
def _enter(ctx: Any, out: Any, signal: Any) -> None:
    pair = table(ctx, _PAIRS, PAIR)[signal.pair]
    lots_y, lots_x = _size(ctx, signal.pair, signal.hedge, signal.notional)
    if pair.phase != _FLAT or lots_y < 1 or lots_x == 0:
        write_order_event(out, signal.cause, signal.ts, 0, pair.y, _SKIPPED, 0, 0)
        return
    desk = table(ctx, _DESK, DESK)[0]
    pair.trade = desk.next_trade
    desk.next_trade += 1
    side_x = -signal.side if lots_x > 0 else signal.side
    y = _new_order(ctx, signal.pair, 0, signal.side, lots_y, _ENTRY)
    x = _new_order(ctx, signal.pair, 1, side_x, abs(lots_x), _ENTRY)
    if _judge_entry(ctx, out, y, x, signal.cause, signal.ts):
        pair.phase, pair.live, pair.exit = _ENTERING, 2, 0
        _dispatch(ctx, out, y, signal.cause, signal.ts)
        _dispatch(ctx, out, x, signal.cause, signal.ts)


@kernel
def _size(ctx: Any, pair_no: int, hedge: float, notional: int) -> tuple[int, int]:
    """Lots of y and (signed) lots of x whose values add up to at most about `notional`."""
    pair = table(ctx, _PAIRS, PAIR)[pair_no]
    instruments = table(ctx, _INSTRUMENTS, INSTRUMENT)
    value_y = float(instruments[pair.y].mid2 * instruments[pair.y].half_tick_value)
    value_x = float(instruments[pair.x].mid2 * instruments[pair.x].half_tick_value)
    if value_y <= 0.0 or value_x <= 0.0:
        return 0, 0
    in_value = table(ctx, _TRADER, TRADER)[0].log_prices
    ratio = hedge * value_y / value_x if in_value else hedge * pair.lot_ratio
    lots_y = int(notional / (value_y + abs(ratio) * value_x))
    return lots_y, int(round(ratio * lots_y))


@kernel
def _new_order(ctx: Any, pair_no: int, leg: int, side: int, qty: int, reason: int) -> int:
    """Fill a free order slot; the caller has made sure that there is one."""
    desk = table(ctx, _DESK, DESK)[0]
    orders = table(ctx, _ORDERS, ORDER)
    pair = table(ctx, _PAIRS, PAIR)[pair_no]
    slot = desk.free_order
    o = orders[slot]
    desk.free_order = o.next
    desk.free_orders -= 1
    o.id = desk.next_order
    desk.next_order += 1
    o.trade, o.pair, o.leg, o.side, o.reason = pair.trade, pair_no, leg, side, reason
    o.instrument = pair.y if leg == 0 else pair.x
    o.qty, o.open, o.at_venue, o.resting, o.lot_value = qty, qty, qty, 0, 0
    _price(ctx, slot)
    return slot


@kernel
def _price(ctx: Any, slot: int) -> None:
    """Entries are priced as configured; what leaves a trade takes what it gets."""
    o = table(ctx, _ORDERS, ORDER)[slot]
    trader = table(ctx, _TRADER, TRADER)[0]
    o.type, o.tif, o.price = _MARKET, _IOC, 0
    if o.reason == _ENTRY and trader.type != _MARKET:
        held = table(ctx, _INSTRUMENTS, INSTRUMENT)[o.instrument]
        buys_at_ask = (o.side > 0) != (trader.join != 0)
        o.type, o.tif = trader.type, trader.tif
        o.price = max((held.ask if buys_at_ask else held.bid) + o.side * trader.cross_ticks, 1)


@kernel
def _free(ctx: Any, slot: int) -> None:
    desk = table(ctx, _DESK, DESK)[0]
    o = table(ctx, _ORDERS, ORDER)[slot]
    o.id, o.next = 0, desk.free_order
    desk.free_order = slot
    desk.free_orders += 1


@kernel
def _judge_entry(ctx: Any, out: Any, y: int, x: int, cause: int, ts: int) -> bool:
    """Both legs pass, or neither is sent."""
    orders = table(ctx, _ORDERS, ORDER)
    write_order(ctx, out, y, cause, ts)
    write_order(ctx, out, x, cause, ts)
    rule_y, seen_y, most_y = check(ctx, y, ts, 0)
    if rule_y == 0:
        reserve(ctx, y)
    rule_x, seen_x, most_x = check(ctx, x, ts, 1 if rule_y == 0 else 0)
    if rule_x == 0:
        reserve(ctx, x)
    passed = rule_y == 0 and rule_x == 0
    if not passed and rule_y == 0:
        settle(ctx, y, orders[y].qty, False)
        rule_y, seen_y, most_y = _OTHER_LEG, 0.0, 0.0
    if not passed and rule_x == 0:
        settle(ctx, x, orders[x].qty, False)
        rule_x, seen_x, most_x = _OTHER_LEG, 0.0, 0.0
    write_verdict(out, cause, ts, orders[y].id, orders[y].instrument, rule_y, seen_y, most_y)
    write_verdict(out, cause, ts, orders[x].id, orders[x].instrument, rule_x, seen_x, most_x)
    if not passed:
        _deny(ctx, out, y, cause, ts)
        _deny(ctx, out, x, cause, ts)
    return passed


@kernel
def _deny(ctx: Any, out: Any, slot: int, cause: int, ts: int) -> None:
    o = table(ctx, _ORDERS, ORDER)[slot]
    write_order_event(out, cause, ts, o.id, o.instrument, _DENIED, o.qty, 0)
    _free(ctx, slot)


@kernel
def _dispatch(ctx: Any, out: Any, slot: int, cause: int, ts: int) -> None:
    o = table(ctx, _ORDERS, ORDER)[slot]
    count_sent(ctx, ts)
    write_order_event(out, cause, ts, o.id, o.instrument, _SENT, o.qty, o.qty)
    send(ctx, slot, ts, table(ctx, _TRADER, TRADER)[0].patience_ns)


@kernel
def _leave(ctx: Any, out: Any, pair_no: int, cause: int, ts: int) -> None:
    """Send what closes both legs; what is denied is tried again later."""
    pair = table(ctx, _PAIRS, PAIR)[pair_no]
    pair.phase = _EXITING
    for leg in range(2):
        held = pair.qty_y if leg == 0 else pair.qty_x
        if held == 0:
            continue
        slot = _new_order(ctx, pair_no, leg, -1 if held > 0 else 1, abs(held), pair.exit)
        o = table(ctx, _ORDERS, ORDER)[slot]
        rule, seen, most = check(ctx, slot, ts, 0)
        write_order(ctx, out, slot, cause, ts)
        write_verdict(out, cause, ts, o.id, o.instrument, rule, seen, most)
        if rule == 0:
            pair.live += 1
            _dispatch(ctx, out, slot, cause, ts)
        else:
            _deny(ctx, out, slot, cause, ts)
    if pair.live == 0:
        _retry_later(ctx, pair_no, ts)


@kernel
def _retry_later(ctx: Any, pair_no: int, ts: int) -> None:
    pair = table(ctx, _PAIRS, PAIR)[pair_no]
    if pair.retrying == 0:
        pair.retrying = 1
        push(ctx, ts + table(ctx, _TRADER, TRADER)[0].retry_ns, _RETRY, pair_no, 0)


@kernel
def on_retry(ctx: Any, out: Any, pair_no: int, cause: int, ts: int) -> None:
    """Try again to close what is left of a trade."""
    pair = table(ctx, _PAIRS, PAIR)[pair_no]
    pair.retrying = 0
    if pair.phase == _EXITING and pair.live == 0:
        _leave(ctx, out, pair_no, cause, ts)


@kernel
def on_fill(ctx: Any, slot: int, qty: int) -> None:
    """The desk learns of a fill: `qty` lots more in the trade."""
    o = table(ctx, _ORDERS, ORDER)[slot]
    pair = table(ctx, _PAIRS, PAIR)[o.pair]
    o.open -= qty
    if o.leg == 0:
        pair.qty_y += o.side * qty
    else:
        pair.qty_x += o.side * qty


@kernel
def on_done(ctx: Any, out: Any, slot: int, cause: int, ts: int) -> None:
    """The order is over; with the last live one the trade moves on."""
    pair_no = table(ctx, _ORDERS, ORDER)[slot].pair
    pair = table(ctx, _PAIRS, PAIR)[pair_no]
    _free(ctx, slot)
    pair.live -= 1
    if pair.live > 0:
        return
    if pair.qty_y == 0 and pair.qty_x == 0:
        pair.phase, pair.exit = _FLAT, 0
    elif pair.phase == _EXITING:
        _retry_later(ctx, pair_no, ts)
    elif pair.exit != 0 or pair.qty_y == 0 or pair.qty_x == 0:
        pair.exit = pair.exit if pair.exit != 0 else _UNWIND
        _leave(ctx, out, pair_no, cause, ts)
    else:
        pair.phase = _OPEN
