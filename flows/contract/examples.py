"""Input for operators that bring none of their own: random rows that are possible, for every schema."""

from collections.abc import Callable
from decimal import Decimal
from itertools import pairwise
from typing import Any

import numpy as np

from flows.contract.orders import order_events
from operators.operator import Component, Desk, Example, Feed
from schemas.instrument import Instrument, Pair
from schemas.market import EVENTS, QUOTES, RAW, BookState, RawFrame, RawKind
from schemas.record import MONEY_QUANTUM, Column, Frame, Kind, Schema
from schemas.signal import SPREADS

Rng = np.random.Generator

_ENTRIES = 400
_INSTRUMENTS = 6
_START_NS = 1_767_623_400 * 10**9
_STEPS_NS = (0, 10**3, 10**6, 50 * 10**6, 2 * 10**9)
_ROWS_PER_ENTRY = ((0, 1, 2, 3), (0.3, 0.45, 0.15, 0.1))


def example_of(component: type[Component], seed: int) -> Example:
    """The component's own example, or default parameters and random rows for each of its input ports."""
    own = component.example(seed)
    if own is not None:
        return own
    rng = np.random.default_rng(seed)
    desk = example_desk()
    causes = 1 + np.cumsum(1 + (rng.random(_ENTRIES) < 0.2) * rng.integers(1, 5, _ENTRIES))
    clock = _START_NS + np.cumsum(rng.choice(_STEPS_NS, _ENTRIES))
    frames: dict[str, Frame | RawFrame] = {}
    for port, schema in component.inputs.items():
        counts = rng.choice(_ROWS_PER_ENTRY[0], _ENTRIES, p=_ROWS_PER_ENTRY[1])
        if schema == RAW:
            frames[port] = _raw(causes, clock, rng)
        else:
            frames[port] = random_rows(schema, desk, np.repeat(causes, counts), np.repeat(clock, counts), rng)
    return Example(desk, {}, frames)


def example_desk() -> Desk:
    """Six instruments, every neighbouring two of them a pair, two feeds."""
    ids = [f"I{i}" for i in range(_INSTRUMENTS)]
    terms: dict[str, Any] = {"venue": "SIM", "tick": Decimal("0.01"), "lot": Decimal(1), "currency": "USD"}
    instruments = tuple(Instrument(id=name, symbol=name, **terms) for name in ids)
    pairs = tuple(Pair(id=f"{y}-{x}", y=y, x=x, hedge=1.0) for y, x in pairwise(ids))
    feeds = (Feed("F0", tuple(ids)), Feed("F1", tuple(ids)))
    return Desk("example", instruments, pairs, feeds, capital=10**6 * MONEY_QUANTUM, seed=1)


def random_rows(schema: Schema, desk: Desk, causes: Frame, clock: Frame, rng: Rng) -> Frame:
    """One possible row of `schema` for every cause; `clock` is the desk clock of each."""
    frame = np.zeros(len(causes), schema.dtype)
    frame["cause"], frame["ts"] = causes, clock
    for column in schema.columns[2:]:
        frame[column.name] = _VALUES[column.kind](rng, len(causes), column, desk)
        if column.kind is Kind.TIME:
            frame[column.name] = clock - rng.integers(0, 10**6, len(causes))
    shape = _SHAPED.get(schema.name)
    if shape is not None:
        shape(frame, desk, rng)
    return frame


def _objects(values: list[Any]) -> Frame:
    array = np.empty(len(values), object)
    array[:] = values
    return array


def _labels(rng: Rng, n: int, column: Column, desk: Desk) -> Frame:
    return rng.choice([int(member) for member in column.labels or ()], n)


_VALUES: dict[Kind, Callable[[Rng, int, Column, Desk], Frame]] = {
    Kind.SEQ: lambda rng, n, column, desk: np.arange(1, n + 1),
    Kind.TIME: lambda rng, n, column, desk: np.zeros(n, np.int64),
    Kind.PRICE: lambda rng, n, column, desk: rng.integers(9_000, 11_000, n),
    Kind.QUANTITY: lambda rng, n, column, desk: rng.integers(1, 500, n),
    Kind.MONEY: lambda rng, n, column, desk: rng.integers(1, 50_000, n) * MONEY_QUANTUM,
    Kind.ID: lambda rng, n, column, desk: rng.integers(1, 1_000, n),
    Kind.FLOAT: lambda rng, n, column, desk: rng.normal(0.0, 2.0, n),
    Kind.COUNT: lambda rng, n, column, desk: rng.integers(0, 2, n),
    Kind.FLAGS: lambda rng, n, column, desk: (rng.random(n) < 0.05).astype(np.int32),
    Kind.SIDE: lambda rng, n, column, desk: rng.choice([-1, 1], n),
    Kind.ENUM: _labels,
    Kind.INSTRUMENT: lambda rng, n, column, desk: rng.integers(0, len(desk.instruments), n),
    Kind.PAIR: lambda rng, n, column, desk: rng.integers(0, len(desk.pairs), n),
    Kind.FEED: lambda rng, n, column, desk: rng.integers(0, len(desk.feeds), n),
    Kind.TEXT: lambda rng, n, column, desk: _objects([f"text {i}" for i in rng.integers(0, 100, n)]),
    Kind.BYTES: lambda rng, n, column, desk: _objects([rng.bytes(int(i)) for i in rng.integers(0, 40, n)]),
}


def _shape_quotes(frame: Frame, desk: Desk, rng: Rng) -> None:
    """Walks of a few ticks, bid below ask, and now and then a book that must not be traded on."""
    for i in range(len(desk.instruments)):
        own = frame["instrument"] == i
        frame["bid"][own] = 10_000 + 100 * i + np.cumsum(rng.integers(-3, 4, int(own.sum())))
    frame["ask"] = frame["bid"] + rng.integers(1, 8, len(frame))
    frame["state"] = np.where(rng.random(len(frame)) < 0.05, int(BookState.HALTED), 0)


def _shape_spreads(frame: Frame, desk: Desk, rng: Rng) -> None:
    """Spreads that wander off and revert, in deviations of a tenth."""
    frame["hedge"], frame["intercept"], frame["mean"] = 1.0, 0.0, 0.0
    frame["deviation"] = 0.1
    level = np.zeros(len(desk.pairs))
    for i, pair in enumerate(frame["pair"]):
        level[pair] = 0.9 * level[pair] + rng.normal(0.0, 0.8)
        frame["z"][i] = level[pair]
    frame["spread"] = frame["z"] * frame["deviation"]


_SHAPED: dict[str, Callable[[Frame, Desk, Rng], None]] = {
    EVENTS.name: order_events,
    QUOTES.name: _shape_quotes,
    SPREADS.name: _shape_spreads,
}


def _raw(causes: Frame, clock: Frame, rng: Rng) -> RawFrame:
    """Messages of random bytes, some clock ticks, and the end of the input."""
    rows = np.zeros(len(causes), RAW.dtype)
    rows["cause"], rows["ts"] = causes, clock
    rows["kind"] = np.where(rng.random(len(causes)) < 0.1, int(RawKind.TICK), int(RawKind.MESSAGE))
    rows["kind"][-1] = int(RawKind.END)
    is_message = rows["kind"] == int(RawKind.MESSAGE)
    rows["feed"] = np.where(is_message, 0, -1)
    rows["size"] = np.where(is_message, rng.integers(0, 60, len(causes)), 0)
    rows["start"] = np.where(is_message, np.cumsum(rows["size"]) - rows["size"], 0)
    data = np.frombuffer(rng.bytes(int(rows["size"].sum())), np.uint8)
    return RawFrame(rows, data)
