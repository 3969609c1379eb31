"""The simulated venue and the account in plain Python: dictionaries, lists and fractions."""

import math
from collections import defaultdict
from dataclasses import dataclass, field
from fractions import Fraction

from schemas.instrument import Instrument

MARKET, LIMIT = 1, 2
IOC, DAY = 1, 2
TAKER, MAKER = 1, 2
QUANTA = 10**8


def half_away(value: Fraction) -> int:
    """The nearest integer, halves away from zero."""
    size = math.floor(abs(value) + Fraction(1, 2))
    return size if value >= 0 else -size


@dataclass(eq=False)
class Order:
    id: int
    trade: int
    pair: int
    leg: int
    instrument: int
    side: int
    qty: int
    reason: int
    type: int = MARKET
    tif: int = IOC
    price: int = 0
    open: int = 0
    """Lots open as the desk knows it."""
    at_venue: int = 0
    lot_value: int = 0
    """Value of a lot when the order was judged."""

    @property
    def is_entry(self) -> bool:
        return self.reason == 1


@dataclass(eq=False)
class Taken:
    """A fill as the venue sees it."""

    price: int
    qty: int
    liquidity: int


@dataclass(eq=False)
class Replica:
    """One instrument's book at the venue, and our orders that rest in it in order of arrival."""

    bids: dict[int, int] = field(default_factory=dict)
    asks: dict[int, int] = field(default_factory=dict)
    resting: list[Order] = field(default_factory=list)

    def set_level(self, side: int, price: int, qty: int) -> None:
        book = self.asks if side else self.bids
        book.pop(price, None)
        if qty > 0:
            book[price] = qty

    def clear(self) -> None:
        self.bids.clear()
        self.asks.clear()

    def take(self, order: Order, liquidity: int) -> list[Taken]:
        """What the order gets from the other side now."""
        book = self.asks if order.side > 0 else self.bids
        taken = []
        for price in sorted(book, reverse=order.side < 0):
            too_dear = order.type == LIMIT and price * order.side > order.price * order.side
            if order.at_venue == 0 or too_dear:
                break
            qty = min(order.at_venue, book[price])
            order.at_venue -= qty
            self.set_level(1 if order.side > 0 else 0, price, book[price] - qty)
            taken.append(Taken(price if liquidity == TAKER else order.price, qty, liquidity))
        return taken

    def match(self) -> list[tuple[Order, Taken]]:
        """Resting orders against the book: buys first, better prices first, then by arrival."""
        fills = []
        for order in sorted(self.resting, key=lambda o: (-o.side, -o.side * o.price)):
            fills += [(order, taken) for taken in self.take(order, MAKER)]
        self.resting = [o for o in self.resting if o.at_venue > 0]
        return fills


@dataclass(eq=False)
class Holding:
    """One instrument's position. Money in quanta."""

    tick_value: int
    bid: int = 0
    ask: int = 0
    state: int = 8
    mid: Fraction = Fraction(0)
    qty: int = 0
    cost: int = 0
    realised: int = 0
    fees: int = 0

    @property
    def lot_value(self) -> int:
        value = self.mid * self.tick_value
        assert value.denominator == 1
        return int(value)

    @property
    def value(self) -> int:
        return self.qty * self.lot_value

    def book(self, side: int, price: int, qty: int, fee: int) -> None:
        """Average cost: what closes takes its share of the cost, what remains opens a position at its price."""
        closing = min(qty, abs(self.qty)) if self.qty * side < 0 else 0
        if closing:
            cost = half_away(Fraction(self.cost * closing, abs(self.qty)))
            self.realised += -side * closing * price * self.tick_value - cost
            self.cost -= cost
        self.cost += side * (qty - closing) * price * self.tick_value
        self.qty += side * qty
        self.fees += fee


@dataclass(eq=False)
class Account:
    capital: int
    holdings: list[Holding]

    @classmethod
    def of(cls, capital: int, instruments: tuple[Instrument, ...]) -> "Account":
        return cls(capital, [Holding(int(i.tick * i.lot * i.multiplier * QUANTA)) for i in instruments])

    @property
    def equity(self) -> int:
        return self.capital + sum(h.realised + h.value - h.cost - h.fees for h in self.holdings)

    @property
    def net(self) -> int:
        return sum(h.value for h in self.holdings)

    def equity_row(self, cause: int, ts: int) -> tuple[int, ...]:
        """A row of EQUITY."""
        realised, fees = sum(h.realised for h in self.holdings), sum(h.fees for h in self.holdings)
        unrealised = sum(h.value - h.cost for h in self.holdings)
        gross = sum(abs(h.value) for h in self.holdings)
        return cause, ts, self.equity, realised, unrealised, fees, gross, self.net

    def position_row(self, instrument: int, cause: int, ts: int) -> tuple[int, ...]:
        """A row of POSITIONS."""
        h = self.holdings[instrument]
        return cause, ts, h.qty, h.cost, h.realised, h.fees, instrument


@dataclass(eq=False)
class Rows:
    """Rows by stream."""

    by_stream: dict[str, list[tuple[float, ...]]] = field(default_factory=lambda: defaultdict(list))

    def add(self, stream: str, *row: float) -> None:
        self.by_stream[stream].append(row)
