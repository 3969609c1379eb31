"""The same strategy as an operator in plain Python: what one writes first, for the ratio.

Floats and dictionaries, one quote at a time. It takes the same decisions on the same quotes.
"""

import heapq
import math
from dataclasses import dataclass
from typing import Any

from benchmarks import strategy
from operators.operator import Desk, Frames, Operator
from schemas.market import QUOTES
from schemas.record import Frame
from schemas.signal import SIGNALS, Action
from schemas.trade import FILLS

_ALPHA = 1 - 0.5 ** (1 / strategy.HALF_LIFE)
_WARM = math.ceil(3 * strategy.HALF_LIFE)


@dataclass
class PairState:
    """What is known of a pair."""

    y: int
    x: int
    hedge: float
    samples: int = 0
    mean: float = 0.0
    variance: float = 0.0
    pending: float | None = None
    side: int = 0
    cooling_until: int = 0
    is_armed: bool = True
    phase: str = "flat"
    live: int = 0
    lots_y: int = 0
    lots_x: int = 0
    leave: bool = False


class PythonStrategy(Operator):
    """Quotes in, signals and fills out."""

    inputs = {"quotes": QUOTES}
    outputs = {"signals": SIGNALS, "fills": FILLS}

    def __init__(self, parameters: Any, desk: Desk) -> None:
        super().__init__(parameters, desk)
        self.pairs = [
            PairState(y, x, float(pair.hedge or 0)) for pair, (y, x) in zip(desk.pairs, desk.legs, strict=True)
        ]
        self.touching: list[list[int]] = [[] for _ in desk.instruments]
        for number, pair in enumerate(self.pairs):
            self.touching[pair.y].append(number)
            self.touching[pair.x].append(number)
        self.quotes: dict[int, tuple[float, float]] = {}
        self.pending: list[tuple[int, int, Any]] = []
        self.sent: list[int] = []
        self.positions: dict[int, int] = {}
        self.ties = 0
        self.cash = self.fees = 0.0
        self.signals: list[tuple[Any, ...]] = []
        self.fills: list[tuple[Any, ...]] = []

    def process(self, frames: Frames) -> Frames:
        """Run through the quotes one by one."""
        frame = frames["quotes"]
        assert not hasattr(frame, "rows")
        self.signals, self.fills = [], []
        names = ("cause", "ts", "bid", "ask", "instrument")
        for cause, ts, bid, ask, instrument in zip(*(_column(frame, n) for n in names), strict=True):
            self.on_quote(cause, ts, bid * 0.01, ask * 0.01, instrument)
        return {"signals": SIGNALS.rows(self.signals), "fills": FILLS.rows(self.fills)}

    def on_quote(self, cause: int, ts: int, bid: float, ask: float, instrument: int) -> None:
        """Release what is due, then look at every pair of the instrument."""
        while self.pending and self.pending[0][0] <= ts:
            due, _, (action, order) = heapq.heappop(self.pending)
            if action == "arrive":
                self.execute(due, order)
            else:
                self.learn(cause, due, order)
        self.quotes[instrument] = (bid, ask)
        for number in self.touching[instrument]:
            self.on_touch(cause, ts, number)

    def on_touch(self, cause: int, ts: int, number: int) -> None:
        """Update the pair's statistics and decide."""
        pair, quotes = self.pairs[number], self.quotes
        if pair.y not in quotes or pair.x not in quotes:
            return
        (bid_y, ask_y), (bid_x, ask_x) = quotes[pair.y], quotes[pair.x]
        if pair.pending is not None:
            change = pair.pending - pair.mean
            if pair.samples == 0:
                pair.mean = pair.pending
            else:
                pair.mean += _ALPHA * change
                pair.variance = (1 - _ALPHA) * (pair.variance + _ALPHA * change * change)
            pair.samples += 1
        spread = (bid_y + ask_y) / 2 - pair.hedge * (bid_x + ask_x) / 2
        pair.pending = spread
        if pair.samples < _WARM or pair.variance <= 0:
            return
        self.decide(cause, ts, number, spread, (spread - pair.mean) / math.sqrt(pair.variance))

    def decide(self, cause: int, ts: int, number: int, spread: float, z: float) -> None:
        """Bands with a stop and a cool-down."""
        pair = self.pairs[number]
        if pair.side == 0:
            if abs(z) < strategy.ENTRY:
                pair.is_armed = True
            elif abs(z) < strategy.STOP and pair.is_armed and ts >= pair.cooling_until:
                pair.side = -1 if z > 0 else 1
                self.signals.append((cause, ts, spread, z, pair.hedge, 0, number, Action.ENTER, pair.side))
                self.enter(ts, number)
            return
        is_stop = -pair.side * z >= strategy.STOP
        if is_stop or pair.side * z >= -strategy.EXIT:
            action = Action.STOP if is_stop else Action.EXIT
            self.signals.append((cause, ts, spread, z, pair.hedge, 0, number, action, pair.side))
            pair.side = 0
            if is_stop:
                pair.is_armed, pair.cooling_until = False, ts + strategy.COOLDOWN_NS
            self.leave(ts, number)

    def enter(self, ts: int, number: int) -> None:
        """Size, check and send both legs."""
        pair = self.pairs[number]
        if pair.phase != "flat":
            return
        mid_y, mid_x = sum(self.quotes[pair.y]) / 2, sum(self.quotes[pair.x]) / 2
        lots_y = int(strategy.NOTIONAL / (mid_y + abs(pair.hedge) * mid_x))
        lots_x = round(pair.hedge * lots_y)
        if lots_y and lots_x and self.passes(ts, lots_y * mid_y) and self.passes(ts, lots_x * mid_x):
            pair.phase, pair.live, pair.leave = "entering", 2, False
            self.send(ts, (number, 0, pair.side * lots_y))
            self.send(ts, (number, 1, -pair.side * lots_x))

    def passes(self, ts: int, value: float) -> bool:
        """Order value, gross value and message rate."""
        limits = strategy.LIMITS
        gross = sum(abs(lots) * sum(self.quotes[i]) / 2 for i, lots in self.positions.items())
        rate = limits["rate"]
        is_slow = len(self.sent) < rate or ts - self.sent[-rate] >= 10**9
        return value <= limits["order"] and gross + value <= limits["gross"] and is_slow

    def leave(self, ts: int, number: int) -> None:
        """Close both legs, now or once the entry is done."""
        pair = self.pairs[number]
        if pair.phase == "entering":
            pair.leave = True
        elif pair.phase == "open":
            pair.phase = "exiting"
            for leg, lots in ((0, pair.lots_y), (1, pair.lots_x)):
                if lots:
                    pair.live += 1
                    self.send(ts, (number, leg, -lots))

    def send(self, ts: int, order: tuple[int, int, int]) -> None:
        """To the venue."""
        self.sent.append(ts)
        self.schedule(ts + strategy.LATENCY_NS, "arrive", order)

    def schedule(self, ts: int, action: str, order: Any) -> None:
        """Queue what happens later."""
        self.ties += 1
        heapq.heappush(self.pending, (ts, self.ties, (action, order)))

    def execute(self, ts: int, order: tuple[int, int, int]) -> None:
        """Fill the order at the touch."""
        number, leg, lots = order
        instrument = self.pairs[number].y if leg == 0 else self.pairs[number].x
        bid, ask = self.quotes[instrument]
        self.schedule(ts + strategy.LATENCY_NS, "report", (order, instrument, ask if lots > 0 else bid))

    def learn(self, cause: int, ts: int, report: Any) -> None:
        """Book the fill and move the pair's trade on."""
        (number, leg, lots), instrument, price = report
        pair = self.pairs[number]
        fee = abs(lots) * price * strategy.TAKER_BPS / 1e4
        self.cash -= lots * price + fee
        self.fees += fee
        self.positions[instrument] = self.positions.get(instrument, 0) + lots
        side = 1 if lots > 0 else -1
        ticks = round(price * 100)
        self.fills.append((cause, ts, ts, 0, 0, 0, ticks, abs(lots), 0, number, instrument, side, 1))
        if leg == 0:
            pair.lots_y += lots
        else:
            pair.lots_x += lots
        pair.live -= 1
        if pair.live == 0:
            pair.phase = "open" if pair.lots_y or pair.lots_x else "flat"
            if pair.phase == "open" and pair.leave:
                self.leave(ts, number)

    def snapshot(self) -> Any:
        """Not measured, so not kept."""

    def restore(self, state: Any) -> None:
        """Not measured, so not kept."""


def _column(frame: Any, name: str) -> list[Any]:
    column: Frame = frame[name]
    return column.tolist()
