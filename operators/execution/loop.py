"""The closed loop: decision, risk, venue and portfolio around one event-time queue, event by event.

For every entry of the input log, in order: what is pending and due by its time happens; then its market
data moves the books, the marks and the instruments' states, and resting orders are matched; then its
signals are acted on. At the end of the input whatever is still pending falls due and the account is
written once more. A row carries as `cause` the entry whose time released it, so it depends on nothing later.
"""

from enum import IntEnum
from typing import Any

import numpy as np
from pydantic import Field

from operators.book.ladder import (
    LADDER,
    LEVEL,
    NEEDS_ROOM,
    clear,
    new_ladders,
    new_levels,
    reserve,
    set_level,
    set_only_level,
)
from operators.execution.example import loop_example
from operators.execution.pending import drop_first
from operators.execution.rows import SCHEMAS, has_room, scratch, write_equity, write_fill, write_order_event
from operators.execution.state import DESK, I8, INSTRUMENT, ORDER, PAIR, PENDING, Due, Table
from operators.execution.trader import Trader, on_done, on_fill, on_retry, on_signal
from operators.execution.venue import SimulatedVenue, arrive, cancel_arrives, fee, match_resting
from operators.kernel import State, bare, inlined, kernel, table
from operators.operator import Desk, Example, Frames, Operator, Parameters
from operators.portfolio.portfolio import Portfolio, book_fill, mark, on_clock, write_account
from operators.risk.limits import Limits, settle
from schemas.market import LEVELS, QUOTES, RAW, BookState, RawFrame, RawKind
from schemas.record import Frame, Schema
from schemas.signal import SIGNALS
from schemas.trade import OrderEventKind


class Stopped(IntEnum):
    """Why the kernel came back."""

    DONE = 0
    ROWS = 1  # a stream's scratch is full: drain it
    PENDING = 2  # the heap is full: grow it
    ORDERS = 3  # no free order slots: grow them
    LEVELS = 4  # the pool of levels is full: grow it


_DONE, _ROWS, _PENDING_FULL, _ORDERS_FULL, _LEVELS_FULL = (int(s) for s in Stopped)
_DESK, _INSTRUMENTS, _PENDING, _ORDERS = int(Table.DESK), int(Table.INSTRUMENTS), int(Table.PENDING), int(Table.ORDERS)
_LEVELS, _LADDERS = int(Table.LEVELS), int(Table.LADDERS)
_ARRIVAL, _CANCEL_ARRIVAL, _ACCEPTED = int(Due.ARRIVAL), int(Due.CANCEL_ARRIVAL), int(Due.ACCEPTED)
_FILLED, _CANCELLED, _REJECTED, _RETRY = int(Due.FILLED), int(Due.CANCELLED), int(Due.REJECTED), int(Due.RETRY)
_EVENT_ACCEPTED, _EVENT_PARTIAL = int(OrderEventKind.ACCEPTED), int(OrderEventKind.PARTIALLY_FILLED)
_EVENT_FILLED, _EVENT_CANCELLED = int(OrderEventKind.FILLED), int(OrderEventKind.CANCELLED)
_EVENT_REJECTED = int(OrderEventKind.REJECTED)
_UNPRICED, _END = int(BookState.CROSSED | BookState.EMPTY), int(RawKind.END)
_FOREVER = 2**63 - 1
_RAW, _QUOTE, _LEVEL, _SIGNAL = RAW.dtype, QUOTES.dtype, LEVELS.dtype, SIGNALS.dtype


@kernel
def _room(ctx: Any, out: Any) -> int:
    """DONE when one more step certainly fits everywhere, or what has to be made room for."""
    desk = table(ctx, _DESK, DESK)[0]
    if not has_room(out):
        return _ROWS
    if desk.free_orders < 2:
        return _ORDERS_FULL
    slots = len(table(ctx, _ORDERS, ORDER))
    most_fills = 2 * desk.deepest + slots  # each uses up a level of one of the two sides, or an order
    if len(table(ctx, _PENDING, PENDING)) - desk.pending < most_fills + 8:
        return _PENDING_FULL
    return _DONE


@kernel
def _report(ctx: Any, out: Any, item: Any, cause: int) -> None:
    """The desk learns what became of an order."""
    slot, ts, qty = item.slot, item.ts, item.qty
    o = table(ctx, _ORDERS, ORDER)[slot]
    if item.due == _ACCEPTED:
        write_order_event(out, cause, ts, o.id, o.instrument, _EVENT_ACCEPTED, qty, o.open)
        return
    settle(ctx, slot, qty, item.due == _FILLED)
    if item.due == _FILLED:
        on_fill(ctx, slot, qty)
        kind = _EVENT_FILLED if o.open == 0 else _EVENT_PARTIAL
        write_order_event(out, cause, ts, o.id, o.instrument, kind, qty, o.open)
        paid = fee(ctx, o.instrument, item.price, qty, item.liquidity)
        write_fill(ctx, out, slot, cause, ts, item.ts_venue, item.price, qty, paid, item.liquidity)
        book_fill(ctx, o.instrument, o.side, item.price, qty, paid)
        write_account(ctx, out, o.instrument, cause, ts)
    else:
        o.open -= qty
        kind = _EVENT_REJECTED if item.due == _REJECTED else _EVENT_CANCELLED
        write_order_event(out, cause, ts, o.id, o.instrument, kind, qty, o.open)
    if o.open == 0:
        on_done(ctx, out, slot, cause, ts)


@kernel
def _release(ctx: Any, out: Any, item: Any, cause: int, may_retry: bool) -> None:
    """A pending item falls due."""
    if item.due == _ARRIVAL:
        arrive(ctx, item.slot, item.ts)
    elif item.due == _CANCEL_ARRIVAL:
        cancel_arrives(ctx, item.slot, item.order, item.ts)
    elif item.due == _RETRY:
        if may_retry:
            on_retry(ctx, out, item.slot, cause, item.ts)
    else:
        _report(ctx, out, item, cause)


@kernel
def _release_due(ctx: Any, out: Any, item: Any, cause: int, until: int) -> int:
    """Everything pending that is due by `until`. `item` is one row to work in.

    With `_FOREVER` nothing stays pending, and nothing is tried again: the book will not change any more.
    """
    desk = table(ctx, _DESK, DESK)[0]
    heap = table(ctx, _PENDING, PENDING)
    while desk.pending > 0 and heap[0].ts <= until:
        room = _room(ctx, out)
        if room != _DONE:
            return room
        item[0] = heap[0]
        drop_first(ctx)
        _release(ctx, out, item[0], cause, until != _FOREVER)
    return _DONE


@inlined
def _apply_levels(ctx: Any, rows: Any, at: Any, cause: int) -> int:
    """The venue's replica follows the levels that `cause` changed."""
    desk = table(ctx, _DESK, DESK)[0]
    levels, ladders = table(ctx, _LEVELS, LEVEL), table(ctx, _LADDERS, LADDER)
    i = at[2]
    while i < len(rows) and rows[i].cause == cause:
        ladder = 2 * rows[i].instrument + rows[i].side
        if rows[i].qty < 0:
            clear(ladders, ladder)
            clear(ladders, ladder ^ 1)
        elif set_level(levels, ladders, ladder, rows[i].price, rows[i].qty) == NEEDS_ROOM:
            at[2] = i
            return _LEVELS_FULL
        desk.deepest = max(desk.deepest, ladders[ladder].count)
        i += 1
    at[2] = i
    return _DONE


@inlined
def _apply_quote(ctx: Any, instruments: Any, quote: Any) -> None:
    """Price and state of an instrument."""
    held = instruments[quote.instrument]
    held.bid, held.ask, held.state = quote.bid, quote.ask, quote.state
    if quote.state & _UNPRICED == 0:
        if held.committed != 0 or held.qty != 0:
            mark(ctx, quote.instrument, quote.bid + quote.ask)
        held.mid2 = quote.bid + quote.ask


@inlined
def _replace_book(ctx: Any, quote: Any) -> None:
    """The quote is all that the venue's replica knows of the instrument."""
    levels, ladders = table(ctx, _LEVELS, LEVEL), table(ctx, _LADDERS, LADDER)
    set_only_level(levels, ladders, 2 * quote.instrument, quote.bid, quote.bid_qty)
    set_only_level(levels, ladders, 2 * quote.instrument + 1, quote.ask, quote.ask_qty)


@kernel
def _match(ctx: Any, out: Any, rows: Any, end: int, cause: int, ts: int) -> int:
    """Resting orders meet the instruments of the rows of `cause` before row `end`; stopped, it may start over."""
    first = end
    while first > 0 and rows[first - 1].cause == cause:
        first -= 1
    for i in range(first, end):
        full = _room(ctx, out)
        if full != _DONE:
            return full
        match_resting(ctx, rows[i].instrument, ts)
    return _DONE


@kernel
def run_loop(ctx: Any, out: Any, work: Any, clock: Any, quotes: Any, levels: Any, signals: Any) -> int:
    """Go on from the cursor in `work` until done, which is 0, or something is full.

    The cursor is (clock row, quote, level, signal, step), all 0 at a frame's beginning. Rows are written
    behind those in `out`, which the caller empties.

    Most entries release nothing and lead to nothing: what they cost is a few comparisons here.
    """
    at, item = table(work, 0, I8), table(work, 1, PENDING)
    clock, quotes, levels, signals = (
        bare(clock, _RAW),
        bare(quotes, _QUOTE),
        bare(levels, _LEVEL),
        bare(signals, _SIGNAL),
    )
    desk, heap = table(ctx, _DESK, DESK)[0], table(ctx, _PENDING, PENDING)
    instruments = table(ctx, _INSTRUMENTS, INSTRUMENT)
    q, s = at[1], at[3]
    for k in range(at[0], len(clock)):
        at[0] = k
        cause, ts = clock[k].cause, clock[k].ts
        if at[4] == 0:
            if desk.pending > 0 and heap[0].ts <= ts:
                full = _release_due(ctx, out, item, cause, ts)
                if full != _DONE:
                    return full
            if ts >= desk.clock_due:
                full = _room(ctx, out)
                if full != _DONE:
                    return full
                on_clock(ctx, out, cause, ts)
            at[4] = 1
        if at[4] == 1:
            if at[2] < len(levels) and levels[at[2]].cause == cause:
                full = _apply_levels(ctx, levels, at, cause)
                if full != _DONE:
                    return full
            while q < len(quotes) and quotes[q].cause == cause:
                _apply_quote(ctx, instruments, quotes[q])
                if desk.by_quotes:
                    _replace_book(ctx, quotes[q])
                q += 1
            at[1], at[4] = q, 2
        if at[4] == 2:
            if desk.resting > 0:
                full = _match(ctx, out, levels, at[2], cause, ts)
                if full == _DONE:
                    full = _match(ctx, out, quotes, q, cause, ts)
                if full != _DONE:
                    return full
            at[4] = 3
        while s < len(signals) and signals[s].cause == cause:
            full = _room(ctx, out)
            if full != _DONE:
                return full
            on_signal(ctx, out, signals[s])
            s += 1
            at[3] = s
        if clock[k].kind == _END:
            full = _release_due(ctx, out, item, cause, _FOREVER)
            if full == _DONE:
                full = _room(ctx, out)
            if full != _DONE:
                return full
            write_equity(ctx, out, cause, max(ts, item[0].ts))
        at[4] = 0
    return _DONE


_NO_QUOTES, _NO_LEVELS, _NO_SIGNALS = (np.empty(0, s.dtype) for s in (QUOTES, LEVELS, SIGNALS))
"""In place of the schemas' own empty frames, which are read-only: to numba another type, another compilation."""

_OUTPUTS: dict[str, Schema] = {s.name: s for s in SCHEMAS.values()}
COUNTED = ("counts", *_OUTPUTS)
"""What the numbers in the scratch's first table count; that of the table itself is 0."""


class Loop(Operator):
    """The four stages as one operator. Build it from a graph's stages; YAML declares the stages themselves."""

    inputs = {"raw": RAW, "quotes": QUOTES, "levels": LEVELS, "signals": SIGNALS}
    outputs = _OUTPUTS
    optional = frozenset({"levels"})

    class Parameters(Parameters):
        """The parameters of every stage, and whether the venue gets whole books or quotes alone."""

        trader: Trader.Parameters = Field(default=Trader.Parameters(), description="parameters of the trader")
        limits: Limits.Parameters = Field(description="parameters of the limits")
        venue: SimulatedVenue.Parameters = Field(
            default=SimulatedVenue.Parameters(), description="parameters of the venue"
        )
        portfolio: Portfolio.Parameters = Field(
            default=Portfolio.Parameters(), description="parameters of the portfolio"
        )
        levels: bool = Field(default=True, description="false: no levels are connected, quotes are the whole book")

    def __init__(self, parameters: Any, desk: Desk) -> None:
        super().__init__(parameters, desk)
        self._state = _initial_state(parameters, desk)
        self._out = scratch(1024)
        self._work = State(cursor=np.zeros(5, np.int64), item=np.zeros(1, PENDING))

    def process(self, frames: Frames) -> Frames:
        """Run the loop over one cut of the input log."""
        raw = frames.get("raw")
        if raw is None:
            return {}
        clock: Any = raw.rows if isinstance(raw, RawFrame) else raw
        quotes: Any = frames.get("quotes", _NO_QUOTES)
        levels: Any = frames.get("levels", _NO_LEVELS)
        signals: Any = frames.get("signals", _NO_SIGNALS)
        self._work["cursor"].fill(0)
        parts: list[dict[str, Frame]] = []
        while True:
            self._out["counts"].fill(0)
            stopped = run_loop(*self.contexts, clock, quotes, levels, signals)
            if stopped == _DONE:
                return joined([*parts, self.written()])
            parts.append(self.make_room(stopped))

    @property
    def contexts(self) -> tuple[int, int, int]:
        """What the kernel `run_loop` gets: state, scratch and cursor."""
        return self._state.ctx, self._out.ctx, self._work.ctx

    @property
    def out(self) -> State:
        """The scratch: a table per stream, and `counts`, how many rows are in each of COUNTED."""
        return self._out

    def written(self) -> dict[str, Frame]:
        """The rows in the scratch, by stream."""
        out = self._out
        counts = zip(COUNTED, out["counts"].tolist(), strict=True)
        return {name: out[name][:count] for name, count in counts if count}

    def make_room(self, stopped: int) -> dict[str, Frame]:
        """Make the room for lack of which `run_loop` stopped; returns a copy of the rows written so far."""
        if stopped == _PENDING_FULL:
            self._state.grow("pending", 2 * len(self._state["pending"]))
        elif stopped == _LEVELS_FULL:
            self._state.grow("levels", 2 * len(self._state["levels"]))
        elif stopped == _ORDERS_FULL:
            _add_slots(self._state, len(self._state["orders"]))
        return {name: frame.copy() for name, frame in self.written().items()}

    def snapshot(self) -> Any:
        """Every table of the loop."""
        return self._state.snapshot()

    def restore(self, state: Any) -> None:
        """Take over the tables of a snapshot."""
        self._state.restore(state)

    @classmethod
    def example(cls, seed: int) -> Example:
        """Signals on a handful of pairs over moving books, halts among them."""
        return loop_example(seed)


def _initial_state(parameters: Any, desk: Desk) -> State:
    instruments = np.zeros(len(desk.instruments), INSTRUMENT)
    instruments["half_tick_value"] = [i.tick_value // 2 for i in desk.instruments]
    instruments["state"] = int(BookState.EMPTY)
    instruments["first_resting"] = -1
    pairs = np.zeros(len(desk.pairs), PAIR)
    for row, (y, x) in zip(pairs, desk.legs, strict=True):
        lot_y, lot_x = (desk.instruments[i].lot * desk.instruments[i].multiplier for i in (y, x))
        row["y"], row["x"], row["lot_ratio"] = y, x, float(lot_y / lot_x)
    account = np.zeros(1, DESK)
    account["next_order"] = account["next_trade"] = account["next_fill"] = 1
    account["capital"], account["seed"] = desk.capital, desk.seed
    account["free_order"] = -1
    account["by_quotes"] = not parameters.levels
    state = State(
        desk=account,
        instruments=instruments,
        pairs=pairs,
        orders=np.zeros(0, ORDER),
        pending=np.zeros(1024, PENDING),
        sent_times=np.zeros(parameters.limits.rate, np.int64),
        levels=new_levels(32 * len(instruments)),
        ladders=new_ladders(len(instruments)),
        trader=Trader(parameters.trader, desk).settings(),
        limits=Limits(parameters.limits, desk).settings(),
        venue=SimulatedVenue(parameters.venue, desk).settings(),
        portfolio=Portfolio(parameters.portfolio, desk).settings(),
    )
    _add_slots(state, 128)
    if not parameters.levels:  # every ladder keeps a block for its one level
        for ladder in range(2 * len(instruments)):
            reserve(state["levels"], state["ladders"], ladder)
    return state


def _add_slots(state: State, more: int) -> None:
    """Append `more` free order slots, the first of them at the head of the free list."""
    first = len(state["orders"])
    state.grow("orders", first + more)
    desk, orders = state["desk"], state["orders"]
    orders["next"][first:-1] = np.arange(first + 1, first + more)
    orders["next"][-1] = desk["free_order"][0]
    desk["free_order"], desk["free_orders"] = first, desk["free_orders"] + more


def joined(parts: list[dict[str, Frame]]) -> dict[str, Frame]:
    """The rows of all parts, by stream."""
    if len(parts) == 1:
        return parts[0]
    names = {name for part in parts for name in part}
    return {name: np.concatenate([part[name] for part in parts if name in part]) for name in sorted(names)}
