"""The closed loop as one operator: its state, its scratch, and what grows when the kernel asks for room."""

from typing import Any

import numpy as np
from pydantic import Field

from operators.book.ladder import new_ladders, new_levels, packed_levels, reserve, unpacked_levels
from operators.execution.example import loop_example
from operators.execution.rows import SCHEMAS, scratch
from operators.execution.run import Stopped, run_loop
from operators.execution.state import DESK, INSTRUMENT, ORDER, PAIR, PENDING
from operators.execution.trader import Trader
from operators.execution.venue import SimulatedVenue
from operators.kernel import State
from operators.operator import Desk, Example, Frames, Operator, Parameters
from operators.portfolio.portfolio import Portfolio
from operators.risk.limits import Limits
from schemas.market import LEVELS, QUOTES, RAW, BookState, RawFrame
from schemas.record import Frame, Schema
from schemas.signal import SIGNALS

_DONE, _PENDING_FULL = int(Stopped.DONE), int(Stopped.PENDING)
_ORDERS_FULL, _LEVELS_FULL = int(Stopped.ORDERS), int(Stopped.LEVELS)
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
    version = 2

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
        """Every table of the loop, of `pending` and `levels` what is in use, and for how many there is room."""
        state = self._state
        pending = state["pending"][: int(state["desk"]["pending"][0])].copy()
        levels = packed_levels(state["levels"], state["ladders"])
        room = np.array([len(state["pending"]), len(state["levels"])])
        return {**state.snapshot(pending=pending, levels=levels), "room": room}

    def restore(self, state: Any) -> None:
        """Take over the tables of a snapshot."""
        tables = dict(state)
        items, size = (int(room) for room in tables.pop("room"))
        pending = np.zeros(items, PENDING)
        pending[: len(tables["pending"])] = tables["pending"]
        levels = unpacked_levels(tables["levels"], tables["ladders"], size)
        self._state.restore(tables | {"pending": pending, "levels": levels})

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
