"""Seeded streams of market events that real feeds could have sent, to try books and everything behind them.

Every other instrument is told by order (L3), the rest by level (L2). Each starts with a snapshot; now and
then a feed halts trading, misses messages and sends a new snapshot, quotes a crossed market, or contradicts
itself. Everything else is valid.
"""

import random
from collections.abc import Callable
from decimal import Decimal

from operators.operator import Desk, Feed
from schemas.instrument import Instrument
from schemas.market import EVENTS, LAST, EventKind, Side
from schemas.record import Frame

START_NS = 1_700_000_000_000_000_000

_USUAL_ORDERS = 40
_REACH_TICKS = 12


class Market:
    """One instrument as its feed sees it: live orders around a price that wanders."""

    def __init__(self, rng: random.Random, instrument: int, by_order: bool) -> None:
        self.rng = rng
        self.instrument = instrument
        self.by_order = by_order
        self.mid = 1_000 * (instrument + 1)
        self.live: dict[int, tuple[Side, int, int]] = {}
        """Order reference -> (side, price, qty)."""
        self.refs = 0
        self.trading = self.heard = True
        self.told: list[dict[str, int]] = []
        """Events of the message in the making."""

    def snapshot(self) -> None:
        """The whole book anew."""
        self.live.clear()
        self._tell(EventKind.CLEAR)
        for _ in range(self.rng.randrange(6)):
            self._add()
        self._tell(EventKind.SYNC, qty=1)

    def change(self) -> None:
        """One or two of the things that happen to orders."""
        self.mid += self.rng.choice((-1, 0, 0, 0, 1))
        for _ in range(self.rng.choice((1, 1, 1, 2))):
            if self.rng.random() * 2 * _USUAL_ORDERS > len(self.live):
                self._add()
            else:
                self._change_order()

    def gap(self) -> None:
        """Messages were missed."""
        self._tell(EventKind.SYNC, qty=0)

    def status(self) -> None:
        """A halt, or its end."""
        self.trading = not self.trading
        self._tell(EventKind.STATUS, qty=int(self.trading))

    def silence(self) -> None:
        """Nothing is heard of it for too long, or something again."""
        self.heard = not self.heard
        self._tell(EventKind.SILENCE, qty=int(not self.heard))

    def trade(self) -> None:
        """A trade and a quote, which leave the book alone."""
        self._tell(EventKind.TRADE, price=self.mid, qty=100)
        self._tell(EventKind.QUOTE, side=Side.BID, price=self.mid, qty=100)

    def contradict(self) -> None:
        """Something that does not fit the book."""
        unknown = self.refs + 1_000_000
        ref, (side, price, qty) = self.rng.choice([*self.live.items(), (unknown, (Side.BID, self.mid, 100))])
        match self.rng.randrange(3):
            case 0:
                self._tell(EventKind.ADD, order=ref, side=side, price=price, qty=0)
            case 1:
                self._tell(EventKind.EXECUTE, order=ref, side=side, qty=qty + 1)
            case _:
                self._tell(EventKind.REPLACE, order=unknown, order_new=unknown + 1, side=side, price=price, qty=qty)

    def _add(self) -> None:
        self.refs += 1
        side = self.rng.choice((Side.BID, Side.ASK))
        price, qty = self._price(side), self.rng.randint(1, 9) * 100
        self.live[self.refs] = (side, price, qty)
        self._tell_change(EventKind.ADD, {price}, side, order=self.refs, price=price, qty=qty)

    def _change_order(self) -> None:
        ref = self.rng.choice(list(self.live))
        side, price, qty = self.live.pop(ref)
        part = self.rng.choice((qty, self.rng.randint(1, qty)))
        kind = self.rng.choice((EventKind.EXECUTE, EventKind.CANCEL, EventKind.DELETE, EventKind.REPLACE))
        if kind is EventKind.DELETE:
            self._tell_change(kind, {price}, side, order=ref)
        elif kind is EventKind.REPLACE:
            self.refs += 1
            new_price = self._price(side)
            self.live[self.refs] = (side, new_price, part)
            prices = {price, new_price}
            self._tell_change(kind, prices, side, order=ref, order_new=self.refs, price=new_price, qty=part)
        else:
            if part < qty:
                self.live[ref] = (side, price, qty - part)
            self._tell_change(kind, {price}, side, order=ref, price=price, qty=part)

    def _price(self, side: Side) -> int:
        """Mostly near the middle, at times far away, rarely through the other side."""
        away = -2 if self.rng.random() < 0.005 else int(self.rng.expovariate(3 / _REACH_TICKS)) + 1
        return self.mid - away if side is Side.BID else self.mid + away

    def _tell_change(self, kind: EventKind, prices: set[int], side: Side, **fields: int) -> None:
        if self.by_order:
            self._tell(kind, side=side, **fields)
            return
        for price in sorted(prices):
            total = sum(qty for other, at, qty in self.live.values() if (other, at) == (side, price))
            self._tell(EventKind.LEVEL, side=side, price=price, qty=total)

    def _tell(self, kind: EventKind, **fields: int) -> None:
        self.told.append({"kind": kind, **fields})


def event_stream(seed: int, messages: int, instruments: int = 6, faults: float = 0.01) -> tuple[Desk, Frame]:
    """A desk and the events of `messages` messages about its instruments.

    `faults` is the share of messages that are a gap or a contradiction (each followed, some time later, by a
    snapshot). One message in twenty speaks of two instruments.
    """
    rng = random.Random(seed)
    markets = [Market(rng, i, by_order=i % 2 == 0) for i in range(instruments)]
    rows: list[tuple[int, ...]] = []
    ts = START_NS
    for number in range(messages):
        ts += rng.choice((0, 1_000, 250_000, 40_000_000))
        told = rng.sample(markets, 1 if rng.random() < 0.95 else min(2, instruments))
        for market in markets if number == 0 else told:
            _next_message(rng, market, faults, opening=number == 0)
            rows += _rows(market, number + 1, ts)
    return _desk(instruments), EVENTS.rows(rows)


def _next_message(rng: random.Random, market: Market, faults: float, opening: bool) -> None:
    if opening:
        market.snapshot()
        return
    choices: tuple[tuple[Callable[[], None], float], ...] = (
        (market.change, 0.96),
        (market.trade, 0.03),
        (market.status, 0.005),
        (market.silence, 0.005),
        (market.snapshot, 0.005 + faults),
        (market.gap, faults / 2),
        (market.contradict, faults / 2),
    )
    rng.choices([choice for choice, _ in choices], [weight for _, weight in choices])[0]()


def _rows(market: Market, cause: int, ts: int) -> list[tuple[int, ...]]:
    """The market's message as rows of EVENTS; the last one says so."""
    told, market.told = market.told, []
    told[-1]["flags"] = LAST
    common = {"cause": cause, "ts": ts, "ts_event": ts - 1_000_000, "instrument": market.instrument}
    return [tuple(int((common | event).get(column.name, 0)) for column in EVENTS.columns) for event in told]


def _desk(instruments: int) -> Desk:
    ids = [f"I{i}" for i in range(instruments)]
    tick, lot = Decimal("0.01"), Decimal(1)
    return Desk(
        id="books",
        instruments=tuple(Instrument(id=i, venue="test", symbol=i, tick=tick, lot=lot, currency="USD") for i in ids),
        feeds=(Feed("by-order", tuple(ids[::2])), Feed("by-level", tuple(ids[1::2]))),
    )
