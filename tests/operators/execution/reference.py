"""An independent closed loop, event by event in plain Python: exposures summed up afresh for every order."""

import heapq
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Any

from operators.execution.loop import Loop
from operators.operator import Desk
from schemas.market import RawFrame
from tests.operators.execution.reference_venue import (
    DAY,
    IOC,
    LIMIT,
    MARKET,
    QUANTA,
    TAKER,
    Account,
    Holding,
    Order,
    Replica,
    Rows,
    Taken,
    half_away,
)

ENTER, STOP_ACTION = 1, 3
ENTRY, EXIT, STOP, UNWIND = 1, 2, 3, 4
SENT, DENIED, ACCEPTED, PARTIALLY_FILLED, FILLED, CANCELLED, REJECTED, SKIPPED = range(1, 9)
PASSED, UNTRADABLE, POSITION, NOTIONAL, GROSS, NET, COLLAR, RATE, DAILY_LOSS, OTHER_LEG = range(10)
UNSYNCED, HALTED, CROSSED, STALE = 1, 2, 4, 16
DAY_NS = 86_400 * 10**9
Verdict = tuple[int, Fraction, Fraction]


@dataclass(eq=False)
class PairTrade:
    """Where a pair stands: the lots of its trade's legs and the orders not yet done."""

    legs: tuple[int, int]
    phase: str = "flat"
    trade: int = 0
    held: list[int] = field(default_factory=lambda: [0, 0])
    live: list[Order] = field(default_factory=list)
    exit: int = 0
    is_retrying: bool = False


class ReferenceLoop:
    """Give it a desk, parameters and frames; `rows` is what the six streams must hold."""

    def __init__(self, desk: Desk, parameters: Mapping[str, Any]) -> None:
        p = Loop.Parameters.model_validate(parameters)
        self.trader, self.limits, self.venue, self.every = p.trader, p.limits, p.venue, p.portfolio.every
        self.has_levels, self.desk = p.levels, desk
        self.account = Account.of(desk.capital, desk.instruments)
        self.books = [Replica() for _ in desk.instruments]
        self.pairs = [PairTrade(legs) for legs in desk.legs]
        self.queue: list[tuple[int, int, Callable[[int], None]]] = []
        self.sent: list[int] = []
        self.out = Rows()
        self.numbers: dict[str, int] = defaultdict(int)
        self.cause, self.day, self.day_equity, self.equity_due = 0, -1, 0, 0
        self.is_over = False

    def run(self, frames: Mapping[str, Any]) -> dict[str, list[tuple[float, ...]]]:
        """Rows by stream, for the whole input."""
        raw = frames["raw"]
        clock = raw.rows if isinstance(raw, RawFrame) else raw
        by_cause = {name: _by_cause(frames.get(name, ())) for name in ("quotes", "levels", "signals")}
        for entry in clock:
            self.cause, ts = int(entry["cause"]), int(entry["ts"])
            self._release(lambda due, ts=ts: due <= ts)
            self._on_clock(ts)
            levels, quotes = by_cause["levels"][self.cause], by_cause["quotes"][self.cause]
            self._follow_market(levels, quotes, ts)
            for signal in by_cause["signals"][self.cause]:
                self._on_signal(signal, ts)
            if entry["kind"] == 2:
                self.is_over = True
                closed = max(ts, self._release(lambda due: True))
                self.out.add("equity", *self.account.equity_row(self.cause, closed))
        return dict(self.out.by_stream)

    def _next(self, what: str) -> int:
        self.numbers[what] += 1
        return self.numbers[what]

    def _later(self, ts: int, action: Callable[[int], None]) -> None:
        heapq.heappush(self.queue, (ts, self._next("tie"), action))

    def _release(self, is_due: Callable[[int], bool]) -> int:
        ts = 0
        while self.queue and is_due(self.queue[0][0]):
            ts, _, action = heapq.heappop(self.queue)
            action(ts)
        return ts

    def _on_clock(self, ts: int) -> None:
        if ts // DAY_NS != self.day:
            self.day, self.day_equity = ts // DAY_NS, self.account.equity
        if ts >= self.equity_due:
            if self.equity_due:
                self.out.add("equity", *self.account.equity_row(self.cause, ts))
            self.equity_due = (ts // self.every + 1) * self.every

    def _follow_market(self, levels: list[dict[str, Any]], quotes: list[dict[str, Any]], ts: int) -> None:
        for row in levels:
            book = self.books[row["instrument"]]
            if row["qty"] < 0:
                book.clear()
            else:
                book.set_level(row["side"], row["price"], row["qty"])
        for row in quotes:
            held, book = self.account.holdings[row["instrument"]], self.books[row["instrument"]]
            held.bid, held.ask, held.state = row["bid"], row["ask"], row["state"]
            if held.state == 0:
                held.mid = Fraction(held.bid + held.ask, 2)
            if not self.has_levels:
                book.clear()
                book.set_level(0, row["bid"], row["bid_qty"])
                book.set_level(1, row["ask"], row["ask_qty"])
        for instrument in dict.fromkeys(row["instrument"] for row in [*levels, *quotes]):
            if not self._is_closed(instrument):
                for order, taken in self.books[instrument].match():
                    self._report_fill(order, taken, ts)

    def _is_closed(self, instrument: int) -> bool:
        return bool(self.account.holdings[instrument].state & (UNSYNCED | HALTED | CROSSED | STALE))

    # --- trader

    def _on_signal(self, signal: dict[str, Any], ts: int) -> None:
        pair = self.pairs[signal["pair"]]
        if signal["action"] == ENTER:
            self._enter(signal, ts)
        elif pair.phase != "flat":
            pair.exit = STOP if signal["action"] == STOP_ACTION else EXIT
            if pair.phase == "open":
                self._leave(pair, ts)

    def _enter(self, signal: dict[str, Any], ts: int) -> None:
        pair = self.pairs[signal["pair"]]
        lots_y, lots_x = self._size(pair, signal["hedge"], signal["notional"])
        if pair.phase != "flat" or lots_y < 1 or lots_x == 0:
            self.out.add("order_events", self.cause, ts, 0, 0, 0, pair.legs[0], SKIPPED)
            return
        pair.trade = self._next("trade")
        side_x = -signal["side"] if lots_x > 0 else signal["side"]
        orders = [
            self._new_order(pair, 0, signal["side"], lots_y, ENTRY),
            self._new_order(pair, 1, side_x, abs(lots_x), ENTRY),
        ]
        for order in orders:
            self._write_order(order, ts)
        passed: list[Order] = []
        verdicts = []
        for order in orders:
            verdicts.append(self._check(order, ts, passed))
            passed += [order] if verdicts[-1][0] == PASSED else []
        if len(passed) < 2:
            verdicts = [(OTHER_LEG, Fraction(0), Fraction(0)) if v[0] == PASSED else v for v in verdicts]
        for order, verdict in zip(orders, verdicts, strict=True):
            self._write_verdict(order, verdict, ts)
        if len(passed) == 2:
            pair.phase, pair.exit = "entering", 0
        for order in orders:
            (self._send if len(passed) == 2 else self._deny)(order, ts)

    def _size(self, pair: PairTrade, hedge: float, notional: int) -> tuple[int, int]:
        """Sizes are the one thing computed in floating point: lots of y and signed lots of x worth `notional`."""
        y, x = (self.desk.instruments[i] for i in pair.legs)
        value_y, value_x = (float(self.account.holdings[i].lot_value) for i in pair.legs)
        if not value_y or not value_x:
            return 0, 0
        if self.trader.hedge == "notional":
            ratio = hedge * value_y / value_x
        else:
            ratio = hedge * float(Decimal(y.lot * y.multiplier) / (x.lot * x.multiplier))
        lots_y = int(notional / (value_y + abs(ratio) * value_x))
        return lots_y, round(ratio * lots_y)

    def _new_order(self, pair: PairTrade, leg: int, side: int, qty: int, reason: int) -> Order:
        order = Order(
            self._next("order"), pair.trade, self.pairs.index(pair), leg, pair.legs[leg], side, qty, reason,
            open=qty, at_venue=qty, lot_value=self.account.holdings[pair.legs[leg]].lot_value,
        )  # fmt: skip
        if reason == ENTRY and self.trader.order == "limit":
            held = self.account.holdings[order.instrument]
            own, other = (held.bid, held.ask) if side > 0 else (held.ask, held.bid)
            order.type, order.tif = LIMIT, DAY if self.trader.tif == "day" else IOC
            order.price = max((own if self.trader.price == "join" else other) + side * self.trader.cross_ticks, 1)
        return order

    def _leave(self, pair: PairTrade, ts: int) -> None:
        pair.phase = "exiting"
        for leg, held in enumerate(pair.held):
            if held:
                order = self._new_order(pair, leg, -1 if held > 0 else 1, abs(held), pair.exit)
                verdict = self._check(order, ts, [])
                self._write_order(order, ts)
                self._write_verdict(order, verdict, ts)
                (self._send if verdict[0] == PASSED else self._deny)(order, ts)
        if not pair.live:
            self._retry_later(pair, ts)

    def _retry_later(self, pair: PairTrade, ts: int) -> None:
        def retry(ts: int) -> None:
            pair.is_retrying = False
            if pair.phase == "exiting" and not pair.live and not self.is_over:
                self._leave(pair, ts)

        if not pair.is_retrying:
            pair.is_retrying = True
            self._later(ts + self.trader.retry, retry)

    def _on_done(self, order: Order, ts: int) -> None:
        pair = self.pairs[order.pair]
        pair.live.remove(order)
        if pair.live:
            return
        if pair.held == [0, 0]:
            pair.phase, pair.exit = "flat", 0
        elif pair.phase == "exiting":
            self._retry_later(pair, ts)
        elif pair.exit or 0 in pair.held:
            pair.exit = pair.exit or UNWIND
            self._leave(pair, ts)
        else:
            pair.phase = "open"

    # --- limits

    def _check(self, order: Order, ts: int, ahead: list[Order]) -> Verdict:
        """The first rule that denies; `ahead` are legs of the same trade that passed just before."""
        limits, held = self.limits, self.account.holdings[order.instrument]
        if held.state != 0 or held.mid <= 0:
            return UNTRADABLE, Fraction(held.state), Fraction(0)
        price = order.price or (held.ask if order.side > 0 else held.bid)
        distance = abs(price - held.mid) / held.mid * 10_000
        if distance > Fraction(limits.collar_bps):
            return COLLAR, distance, Fraction(limits.collar_bps)
        recent = sum(ts - sent < limits.rate_window for sent in self.sent)
        if recent + len(ahead) + 1 > limits.rate:
            return RATE, Fraction(limits.rate + 1), Fraction(limits.rate)
        if not order.is_entry:
            return PASSED, Fraction(0), Fraction(0)
        return self._check_exposure(order, ahead, held)

    def _check_exposure(self, order: Order, ahead: list[Order], held: Holding) -> Verdict:
        limits, value = self.limits, order.qty * held.lot_value
        entering = [o for pair in self.pairs for o in pair.live if o.is_entry] + ahead
        lots = [0] * len(self.books)
        for pair in self.pairs:
            for instrument, qty in zip(pair.legs, pair.held, strict=True):
                lots[instrument] += abs(qty)
        for o in entering:
            lots[o.instrument] += o.open
        committed = [qty * h.lot_value for qty, h in zip(lots, self.account.holdings, strict=True)]
        net = self.account.net + sum(o.side * o.open * o.lot_value for o in [*entering, order])
        looked_at = [
            (NOTIONAL, value, limits.order),
            (POSITION, committed[order.instrument] + value, limits.position),
            (GROSS, sum(committed) + value, limits.gross),
            (NET, abs(net) if ahead else 0, limits.net),
            (DAILY_LOSS, self.day_equity - self.account.equity, limits.daily_loss - 1),
        ]
        for rule, observed, most in looked_at:
            if observed > most:
                allowed = limits.daily_loss if rule == DAILY_LOSS else most
                return rule, Fraction(observed, QUANTA), Fraction(allowed, QUANTA)
        return PASSED, Fraction(value, QUANTA), Fraction(limits.order, QUANTA)

    # --- to the venue and back

    def _send(self, order: Order, ts: int) -> None:
        self.pairs[order.pair].live.append(order)
        self.sent.append(ts)
        self._write_event(order, SENT, order.qty, order.qty, ts)
        delay = self.venue.latency + _drawn(self.desk.seed, order.id, self.venue.jitter)
        self._later(ts + delay, lambda ts: self._arrive(order, ts))
        if order.tif == DAY:
            latest = ts + self.trader.patience + self.venue.latency + self.venue.jitter
            self._later(latest, lambda ts: self._cancel(order, ts))

    def _deny(self, order: Order, ts: int) -> None:
        self._write_event(order, DENIED, order.qty, 0, ts)

    def _arrive(self, order: Order, ts: int) -> None:
        book, qty = self.books[order.instrument], order.at_venue
        if self._is_closed(order.instrument):
            self._report(order, ts, lambda ts: self._closed(order, REJECTED, qty, ts))
            return
        self._report(order, ts, lambda ts: self._write_event(order, ACCEPTED, qty, order.open, ts))
        for taken in book.take(order, TAKER):
            self._report_fill(order, taken, ts)
        if order.at_venue > 0:
            book.resting.append(order)
            if order.tif == IOC:
                self._cancel(order, ts)

    def _cancel(self, order: Order, ts: int) -> None:
        book, qty = self.books[order.instrument], order.at_venue
        if order in book.resting:
            book.resting.remove(order)
            self._report(order, ts, lambda ts: self._closed(order, CANCELLED, qty, ts))

    def _report(self, order: Order, ts: int, action: Callable[[int], None]) -> None:
        self._later(ts + self.venue.report, action)

    def _report_fill(self, order: Order, taken: Taken, ts_venue: int) -> None:
        self._report(order, ts_venue, lambda ts: self._filled(order, taken, ts_venue, ts))

    def _closed(self, order: Order, kind: int, qty: int, ts: int) -> None:
        order.open -= qty
        self._write_event(order, kind, qty, order.open, ts)
        self._on_done(order, ts)

    def _filled(self, order: Order, taken: Taken, ts_venue: int, ts: int) -> None:
        order.open -= taken.qty
        self.pairs[order.pair].held[order.leg] += order.side * taken.qty
        self._write_event(order, PARTIALLY_FILLED if order.open else FILLED, taken.qty, order.open, ts)
        held = self.account.holdings[order.instrument]
        bps = self.venue.taker_bps if taken.liquidity == TAKER else self.venue.maker_bps
        value = taken.price * held.tick_value * taken.qty
        fee = half_away(value * Fraction(bps) / 10_000) + self.venue.per_lot * taken.qty
        self.out.add(
            "fills", self.cause, ts, ts_venue, self._next("fill"), order.id, order.trade, taken.price, taken.qty,
            fee, order.pair, order.instrument, order.side, taken.liquidity,
        )  # fmt: skip
        held.book(order.side, taken.price, taken.qty, fee)
        self.out.add("positions", *self.account.position_row(order.instrument, self.cause, ts))
        self.out.add("equity", *self.account.equity_row(self.cause, ts))
        if not order.open:
            self._on_done(order, ts)

    # --- rows

    def _write_order(self, o: Order, ts: int) -> None:
        self.out.add(
            "orders", self.cause, ts, o.id, o.trade, o.price, o.qty, o.pair, o.instrument, o.side, o.type, o.tif,
            o.reason,
        )  # fmt: skip

    def _write_verdict(self, order: Order, verdict: Verdict, ts: int) -> None:
        rule, observed, limit = verdict
        passed = int(rule == PASSED)
        self.out.add(
            "verdicts", self.cause, ts, order.id, float(observed), float(limit), order.instrument, passed, rule
        )

    def _write_event(self, order: Order, kind: int, qty: int, remaining: int, ts: int) -> None:
        self.out.add("order_events", self.cause, ts, order.id, qty, remaining, order.instrument, kind)


def _by_cause(rows: Iterable[Any]) -> dict[int, list[dict[str, Any]]]:
    found: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        found[int(row["cause"])].append({name: row[name].item() for name in row.dtype.names})
    return found


def _drawn(seed: int, number: int, most: int) -> int:
    """SplitMix64 number `number` of the stream `seed`, as an integer in 0..most."""
    mask = 2**64 - 1
    z = (seed + number * 0x9E3779B97F4A7C15) & mask
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
    return (z ^ (z >> 31)) % (most + 1)


__all__ = ["MARKET", "ReferenceLoop"]
