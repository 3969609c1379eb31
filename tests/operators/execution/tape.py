"""Input of the closed loop, written entry by entry; and running it, whole or cut."""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import numpy as np

from operators.execution.loop import Loop
from operators.operator import Desk
from schemas.instrument import Instrument, Pair
from schemas.market import LEVELS, QUOTES, RAW, BookState, RawKind
from schemas.record import Frame
from schemas.signal import SIGNALS, Action
from tests.operators.execution.reference import ReferenceLoop

CAPITAL = 10**6 * 10**8
Rows = dict[str, list[tuple[float, ...]]]
Levels = Sequence[tuple[int, int]]

GENEROUS = dict(position=10**9, order=10**9, gross=10**9, net=10**9, daily_loss=10**9, collar_bps=5_000, rate=1_000)


def desk_of(*tick_lots: tuple[str, str], pairs: Sequence[tuple[int, int]] = ((0, 1),), seed: int = 7) -> Desk:
    """Instruments A, B, C... by (tick, lot), and pairs of them by index."""
    names = [chr(ord("A") + i) for i in range(len(tick_lots))]
    return Desk(
        id="test",
        instruments=tuple(
            Instrument(id=n, venue="SIM", symbol=n, tick=Decimal(tick), lot=Decimal(lot), currency="USD")
            for n, (tick, lot) in zip(names, tick_lots, strict=True)
        ),
        pairs=tuple(Pair(id=f"{names[y]}/{names[x]}", y=names[y], x=names[x]) for y, x in pairs),
        capital=CAPITAL,
        seed=seed,
    )


class Tape:
    """The input log of a desk under construction; every `at` starts an entry, the rest adds to it."""

    def __init__(self, ts: int = 0) -> None:
        self.ts = ts
        self.rows: dict[str, list[tuple[Any, ...]]] = {"raw": [], "quotes": [], "levels": [], "signals": []}

    @property
    def cause(self) -> int:
        return len(self.rows["raw"])

    def at(self, ts: int, kind: RawKind = RawKind.MESSAGE) -> "Tape":
        self.ts = ts
        self.rows["raw"].append((self.cause + 1, ts, kind, 0, 0, 0))
        return self

    def end(self, ts: int) -> "Tape":
        return self.at(ts, RawKind.END)

    def book(self, instrument: int, bids: Levels, asks: Levels, state: int = 0) -> "Tape":
        """The whole book, best level first, and its quote."""
        self.level(instrument, 0, 0, -1)
        for side, levels in enumerate((bids, asks)):
            for price, qty in levels:
                self.level(instrument, side, price, qty)
        bid, ask = (levels[0] if levels else (0, 0) for levels in (bids, asks))
        return self.quote(instrument, bid, ask, state | (0 if bids and asks else BookState.EMPTY))

    def level(self, instrument: int, side: int, price: int, qty: int) -> "Tape":
        self.rows["levels"].append((self.cause, self.ts, price, qty, instrument, side))
        return self

    def quote(self, instrument: int, bid: tuple[int, int], ask: tuple[int, int], state: int = 0) -> "Tape":
        row = (self.cause, self.ts, self.ts, bid[0], ask[0], bid[1], ask[1], instrument, int(state))
        self.rows["quotes"].append(row)
        return self

    def signal(self, pair: int, action: Action, side: int = 1, hedge: float = 1.0, notional: int = 0) -> "Tape":
        """`notional` in currency."""
        row = (self.cause, self.ts, 0.0, 0.0, hedge, notional * 10**8, pair, int(action), side)
        self.rows["signals"].append(row)
        return self

    def enter(self, pair: int, notional: int, side: int = 1, hedge: float = 1.0) -> "Tape":
        return self.signal(pair, Action.ENTER, side, hedge, notional)

    def leave(self, pair: int) -> "Tape":
        return self.signal(pair, Action.EXIT)

    def stop(self, pair: int) -> "Tape":
        return self.signal(pair, Action.STOP)

    @property
    def frames(self) -> dict[str, Frame]:
        schemas = {"raw": RAW, "quotes": QUOTES, "levels": LEVELS, "signals": SIGNALS}
        return {name: np.array(rows, schemas[name].dtype) for name, rows in self.rows.items()}


def new_loop(desk: Desk, parameters: Mapping[str, Any], cls: type[Loop] = Loop) -> Loop:
    return cls(Loop.Parameters.model_validate(parameters), desk)


def process(loop: Loop, frames: Mapping[str, Any]) -> Rows:
    return {name: rows.tolist() for name, rows in loop.process(frames).items()}


def run(desk: Desk, parameters: Mapping[str, Any], frames: Mapping[str, Any]) -> Rows:
    """Rows by stream of a new loop over the whole input."""
    return process(new_loop(desk, parameters), frames)


def expect(desk: Desk, parameters: Mapping[str, Any], frames: Mapping[str, Any]) -> Rows:
    """Rows by stream of the reference over the whole input."""
    return ReferenceLoop(desk, parameters).run(frames)


def cut(frames: Mapping[str, Frame], after: Iterable[int]) -> list[dict[str, Frame]]:
    """The frames in pieces, cut behind the entries `after`; a port without rows is absent."""
    edges = [0, *sorted(after), 2**62]
    pieces = []
    for low, high in itertools.pairwise(edges):
        piece = {n: f[slice(*np.searchsorted(f["cause"], [low, high], "right"))] for n, f in frames.items()}
        if len(piece["raw"]):
            pieces.append({n: f for n, f in piece.items() if len(f)})
    return pieces


def joined(parts: Iterable[Rows]) -> Rows:
    """Rows of several cuts, one after the other."""
    whole: Rows = {}
    for part in parts:
        for name, rows in part.items():
            whole.setdefault(name, []).extend(rows)
    return whole


def until(rows: Rows, cause: int) -> Rows:
    """Rows whose cause is not after `cause`."""
    kept = {name: [row for row in stream if row[0] <= cause] for name, stream in rows.items()}
    return {name: stream for name, stream in kept.items() if stream}
