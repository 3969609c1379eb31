"""What the closed loop writes: one scratch table per stream, filled by kernels and drained after each call."""

from enum import IntEnum
from typing import Any

import numpy as np

from operators.execution.state import DESK, I8, INSTRUMENT, ORDER, Table
from operators.kernel import State, kernel, table
from schemas.record import Schema
from schemas.trade import EQUITY, FILLS, ORDER_EVENTS, ORDERS, POSITIONS, VERDICTS


class Stream(IntEnum):
    """Order of the tables in the loop's scratch; 0 holds the row counts."""

    COUNTS = 0
    ORDERS = 1
    VERDICTS = 2
    ORDER_EVENTS = 3
    FILLS = 4
    POSITIONS = 5
    EQUITY = 6


SCHEMAS: dict[Stream, Schema] = {
    Stream.ORDERS: ORDERS,
    Stream.VERDICTS: VERDICTS,
    Stream.ORDER_EVENTS: ORDER_EVENTS,
    Stream.FILLS: FILLS,
    Stream.POSITIONS: POSITIONS,
    Stream.EQUITY: EQUITY,
}

MOST_ROWS_PER_STEP = 8
"""No signal and no pending item leads to more rows than this in any stream."""

_COUNTS, _ORDERS, _VERDICTS = int(Stream.COUNTS), int(Stream.ORDERS), int(Stream.VERDICTS)
_EVENTS, _FILLS, _POSITIONS, _EQUITY = (
    int(Stream.ORDER_EVENTS),
    int(Stream.FILLS),
    int(Stream.POSITIONS),
    int(Stream.EQUITY),
)
_ORDER_ROW, _VERDICT_ROW, _EVENT_ROW = ORDERS.dtype, VERDICTS.dtype, ORDER_EVENTS.dtype
_FILL_ROW, _POSITION_ROW, _EQUITY_ROW = FILLS.dtype, POSITIONS.dtype, EQUITY.dtype
_DESK_T, _ORDERS_T, _INSTRUMENTS_T = int(Table.DESK), int(Table.ORDERS), int(Table.INSTRUMENTS)


def scratch(rows: int) -> State:
    """Tables for `rows` rows of every stream, and their counts."""
    tables = {s.name: np.zeros(rows, s.dtype) for s in SCHEMAS.values()}
    return State(counts=np.zeros(len(Stream), np.int64), **tables)


@kernel
def has_room(out: Any) -> bool:
    """Whether every stream has room for one more step."""
    counts = table(out, _COUNTS, I8)
    room = len(table(out, _ORDERS, _ORDER_ROW)) - MOST_ROWS_PER_STEP
    for i in range(1, len(counts)):
        if counts[i] > room:
            return False
    return True


@kernel
def _next(out: Any, stream: int) -> int:
    counts = table(out, _COUNTS, I8)
    counts[stream] += 1
    return counts[stream] - 1


@kernel
def write_order(ctx: Any, out: Any, slot: int, cause: int, ts: int) -> None:
    """The order in `slot`."""
    o = table(ctx, _ORDERS_T, ORDER)[slot]
    row = table(out, _ORDERS, _ORDER_ROW)[_next(out, _ORDERS)]
    row.cause, row.ts, row.order_id, row.trade_id = cause, ts, o.id, o.trade
    row.price, row.qty, row.pair, row.instrument = o.price, o.qty, o.pair, o.instrument
    row.side, row.type, row.tif, row.reason = o.side, o.type, o.tif, o.reason


@kernel
def write_verdict(
    out: Any, cause: int, ts: int, order: int, instrument: int, rule: int, observed: float, limit: float
) -> None:
    """A verdict; rule 0 is a pass."""
    row = table(out, _VERDICTS, _VERDICT_ROW)[_next(out, _VERDICTS)]
    row.cause, row.ts, row.order_id, row.instrument = cause, ts, order, instrument
    row.rule, row.passed, row.observed, row.limit = rule, 1 if rule == 0 else 0, observed, limit


@kernel
def write_order_event(
    out: Any, cause: int, ts: int, order: int, instrument: int, kind: int, qty: int, remaining: int
) -> None:
    """A step in an order's life."""
    row = table(out, _EVENTS, _EVENT_ROW)[_next(out, _EVENTS)]
    row.cause, row.ts, row.order_id, row.instrument = cause, ts, order, instrument
    row.kind, row.qty, row.remaining = kind, qty, remaining


@kernel
def write_fill(
    ctx: Any, out: Any, slot: int, cause: int, ts: int, ts_venue: int, price: int, qty: int, fee: int, liquidity: int
) -> None:
    """A fill of the order in `slot`."""
    desk = table(ctx, _DESK_T, DESK)[0]
    o = table(ctx, _ORDERS_T, ORDER)[slot]
    row = table(out, _FILLS, _FILL_ROW)[_next(out, _FILLS)]
    row.cause, row.ts, row.ts_venue, row.fill_id = cause, ts, ts_venue, desk.next_fill
    desk.next_fill += 1
    row.order_id, row.trade_id, row.price, row.qty, row.fee = o.id, o.trade, price, qty, fee
    row.pair, row.instrument, row.side, row.liquidity = o.pair, o.instrument, o.side, liquidity


@kernel
def write_position(ctx: Any, out: Any, instrument: int, cause: int, ts: int) -> None:
    """The instrument's position as it stands."""
    held = table(ctx, _INSTRUMENTS_T, INSTRUMENT)[instrument]
    row = table(out, _POSITIONS, _POSITION_ROW)[_next(out, _POSITIONS)]
    row.cause, row.ts, row.instrument = cause, ts, instrument
    row.qty, row.cost, row.realised, row.fees = held.qty, held.cost, held.realised, held.fees


@kernel
def write_equity(ctx: Any, out: Any, cause: int, ts: int) -> None:
    """The desk's account as it stands."""
    desk = table(ctx, _DESK_T, DESK)[0]
    row = table(out, _EQUITY, _EQUITY_ROW)[_next(out, _EQUITY)]
    row.cause, row.ts = cause, ts
    row.realised, row.unrealised, row.fees = desk.realised, desk.unrealised, desk.fees
    row.equity = desk.capital + desk.realised + desk.unrealised - desk.fees
    row.gross, row.net = desk.gross, desk.net
