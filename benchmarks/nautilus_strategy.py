"""The strategy of `python_strategy.py` on NautilusTrader, through its low-level `BacktestEngine`.

    .venv-peers/bin/python -P benchmarks/nautilus_strategy.py FOLDER

It runs in an environment of its own and imports nothing of ours: FOLDER holds `peer.json` (instruments, pairs,
terms) and `quotes.npy` (schema QUOTES), and gets `peer-result.json` and `peer-signals.npy`. Timed is
`engine.run()` alone; the quotes are QuoteTick objects in the engine before the clock starts, logging is off and
no performance analysis is made at the end.

The same: the quotes and their times; 200 equities of tick 0.01 in 500 pairs; the statistics, bands and sizes, so
that the signals are the same one by one; two market orders per signal; a limit on the value of an order and on
orders a second (NautilusTrader's RiskEngine) and on gross value (in the strategy, as NautilusTrader has none); 1 ms
from order to market; fees; positions and cash kept on every fill (NautilusTrader's Portfolio, margin account).

Not the same:

- Ours reports a fill 1 ms after the trade, NautilusTrader at once: an exit that ours holds back until it knows of
  the entry goes out up to 1 ms sooner.
- An order that comes due is filled after the next quote has moved the book, not before it: another price where
  that quote is of the same instrument, one time in 200.
- Beyond the quoted size ours cancels what is left of an order, and counts what its own orders have already taken;
  NautilusTrader fills the rest a tick further on. Hence a few fills fewer with ours and a few more with it.
- Ours also limits position, net value, daily loss and distance from the market on every order.
- Ours runs its operators in the bytewax dataflow, NautilusTrader its own loop over its own objects.
- NautilusTrader keeps a matching engine for each instrument, the last 10,000 quotes of each, and the whole life of
  every order and position for its reports; with an order in every 80 quotes that is most of its time. `trade: false`
  measures it without any order.
- NautilusTrader 1.231 looks at all instruments of a venue on every quote where none of them expires. One idle
  future, added to the venue, would spare it that, about a fifth of its time without orders; it is not added here.
"""

import json
import math
import sys
import time
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import nautilus_trader
import numpy as np
from nautilus_trader.backtest.config import BacktestEngineConfig
from nautilus_trader.backtest.engine import BacktestEngine
from nautilus_trader.backtest.models import LatencyModel
from nautilus_trader.config import LoggingConfig, RiskEngineConfig, StrategyConfig
from nautilus_trader.model.currencies import USD
from nautilus_trader.model.data import QuoteTick
from nautilus_trader.model.enums import AccountType, OmsType, OrderSide
from nautilus_trader.model.identifiers import InstrumentId, Symbol, Venue
from nautilus_trader.model.instruments import Equity
from nautilus_trader.model.objects import Money, Price, Quantity
from nautilus_trader.trading.strategy import Strategy

ENTER, EXIT, STOP = 1, 2, 3
"""The actions of a signal, numbered as in ours."""


@dataclass(slots=True, eq=False)
class Share:
    """What the strategy knows of an instrument."""

    instrument: Equity
    pairs: list["PairState"]
    mid: float | None = None
    lots: int = 0


@dataclass(slots=True, eq=False)
class PairState:
    """What the strategy knows of a pair."""

    number: int
    y: Share
    x: Share
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


class PairsConfig(StrategyConfig, frozen=True):  # type: ignore[misc,call-arg]
    """The part of `peer.json` called `strategy`; without `trade` signals are made and no orders."""

    pairs: list[tuple[int, int, float]]
    half_life: float
    entry: float
    exit: float
    stop: float
    cooldown_ns: int
    notional: float
    gross: float
    trade: bool


class Pairs(Strategy):  # type: ignore[misc]
    """Exponentially weighted z-scores on every quote, bands, two legs."""

    def __init__(self, config: PairsConfig, instruments: list[Equity]) -> None:
        super().__init__(config)
        self.alpha = 1 - 0.5 ** (1 / config.half_life)
        self.warm = math.ceil(3 * config.half_life)
        self.entry, self.exit, self.stop_at = config.entry, config.exit, config.stop
        shares = [Share(instrument, []) for instrument in instruments]
        for number, (y, x, hedge) in enumerate(config.pairs):
            pair = PairState(number, shares[y], shares[x], hedge)
            pair.y.pairs.append(pair)
            pair.x.pairs.append(pair)
        self.shares = {share.instrument.id: share for share in shares}
        self.legs: dict[Any, tuple[PairState, bool]] = {}
        self.signals: list[tuple[int, int, int, int]] = []
        self.orders = self.fills = self.refused = 0

    def on_start(self) -> None:
        """Ask for every quote."""
        for instrument_id in self.shares:
            self.subscribe_quote_ticks(instrument_id)

    def on_quote_tick(self, tick: QuoteTick) -> None:
        """Look at every pair of the instrument."""
        share = self.shares[tick.instrument_id]
        share.mid = (tick.bid_price.as_double() + tick.ask_price.as_double()) / 2
        alpha, warm, ts = self.alpha, self.warm, tick.ts_event
        for pair in share.pairs:
            mid_y, mid_x = pair.y.mid, pair.x.mid
            if mid_y is None or mid_x is None:
                continue
            if pair.pending is not None:
                change = pair.pending - pair.mean
                if pair.samples == 0:
                    pair.mean = pair.pending
                else:
                    pair.mean += alpha * change
                    pair.variance = (1 - alpha) * (pair.variance + alpha * change * change)
                pair.samples += 1
            pair.pending = spread = mid_y - pair.hedge * mid_x
            if pair.samples >= warm and pair.variance > 0:
                self.decide(ts, pair, (spread - pair.mean) / math.sqrt(pair.variance))

    def decide(self, ts: int, pair: PairState, z: float) -> None:
        """Bands with a stop and a cool-down."""
        if pair.side == 0:
            if abs(z) < self.entry:
                pair.is_armed = True
            elif abs(z) < self.stop_at and pair.is_armed and ts >= pair.cooling_until:
                pair.side = -1 if z > 0 else 1
                self.signals.append((ts, pair.number, ENTER, pair.side))
                self.enter_pair(pair)
            return
        is_stop = -pair.side * z >= self.stop_at
        if is_stop or pair.side * z >= -self.exit:
            self.signals.append((ts, pair.number, STOP if is_stop else EXIT, pair.side))
            pair.side = 0
            if is_stop:
                pair.is_armed, pair.cooling_until = False, ts + self.config.cooldown_ns
            self.leave_pair(pair)

    def enter_pair(self, pair: PairState) -> None:
        """Size both legs and send them where gross value allows."""
        if pair.phase != "flat" or not self.config.trade:
            return
        assert pair.y.mid is not None
        assert pair.x.mid is not None
        lots_y = int(self.config.notional / (pair.y.mid + abs(pair.hedge) * pair.x.mid))
        lots_x = round(pair.hedge * lots_y)
        gross = sum(abs(share.lots) * share.mid for share in self.shares.values() if share.mid)
        if lots_y and lots_x and gross + max(lots_y * pair.y.mid, abs(lots_x) * pair.x.mid) <= self.config.gross:
            pair.phase, pair.live, pair.leave = "entering", 2, False
            self.send(pair, pair.y, pair.side * lots_y)
            self.send(pair, pair.x, -pair.side * lots_x)

    def leave_pair(self, pair: PairState) -> None:
        """Close both legs, now or once the entry is done."""
        if pair.phase == "entering":
            pair.leave = True
        elif pair.phase == "open":
            pair.phase, pair.leave = "exiting", False
            legs = [(share, lots) for share, lots in ((pair.y, pair.lots_y), (pair.x, pair.lots_x)) if lots]
            pair.live = len(legs)
            for share, lots in legs:
                self.send(pair, share, -lots)

    def send(self, pair: PairState, share: Share, lots: int) -> None:
        """A market order, through the risk engine to the venue."""
        instrument = share.instrument
        side = OrderSide.BUY if lots > 0 else OrderSide.SELL
        order = self.order_factory.market(instrument.id, side, Quantity.from_int(abs(lots)))
        self.legs[order.client_order_id] = (pair, share is pair.y)
        self.orders += 1
        self.submit_order(order)

    def on_order_filled(self, event: Any) -> None:
        """Book the fill; an order that is done moves the pair's trade on."""
        pair, is_y = self.legs[event.client_order_id]
        lots = int(event.last_qty) if event.order_side == OrderSide.BUY else -int(event.last_qty)
        self.fills += 1
        if is_y:
            pair.lots_y += lots
            pair.y.lots += lots
        else:
            pair.lots_x += lots
            pair.x.lots += lots
        if self.cache.order(event.client_order_id).is_closed:
            self.settle(pair)

    def on_order_denied(self, event: Any) -> None:
        """The risk engine said no."""
        self.refused += 1
        self.settle(self.legs[event.client_order_id][0])

    on_order_rejected = on_order_denied

    def settle(self, pair: PairState) -> None:
        """One leg fewer to wait for."""
        pair.live -= 1
        if pair.live == 0:
            pair.phase = "open" if pair.lots_y or pair.lots_x else "flat"
            if pair.phase == "open" and pair.leave:
                self.leave_pair(pair)


def equity(name: str, venue: Venue, taker_bps: float) -> Equity:
    """A share with a tick of 0.01."""
    return Equity(
        instrument_id=InstrumentId(Symbol(name), venue),
        raw_symbol=Symbol(name),
        currency=USD,
        price_precision=2,
        price_increment=Price.from_str("0.01"),
        lot_size=Quantity.from_int(1),
        taker_fee=Decimal(str(taker_bps)) / 10_000,
        ts_event=0,
        ts_init=0,
    )


def ticks(quotes: Any, instruments: list[Equity]) -> list[QuoteTick]:
    """The quotes as the engine takes them."""
    names = ("ts", "bid", "ask", "bid_qty", "ask_qty", "instrument")
    return [
        QuoteTick(
            instruments[i].id,
            Price(bid / 100, 2),
            Price(ask / 100, 2),
            Quantity.from_int(bid_qty),
            Quantity.from_int(ask_qty),
            ts,
            ts,
        )
        for ts, bid, ask, bid_qty, ask_qty, i in zip(*(quotes[name].tolist() for name in names), strict=True)
    ]


def built(terms: dict[str, Any], quotes: Any) -> tuple[BacktestEngine, Pairs]:
    """The engine, loaded, and the strategy in it."""
    venue = Venue("SIM")
    instruments = [equity(name, venue, terms["taker_bps"]) for name in terms["instruments"]]
    risk = RiskEngineConfig(
        max_order_submit_rate=f"{terms['rate']}/00:00:01",
        max_notional_per_order={str(share.id): terms["order"] for share in instruments},
    )
    logging = LoggingConfig(bypass_logging=True)
    engine = BacktestEngine(BacktestEngineConfig(logging=logging, risk_engine=risk, run_analysis=False))
    engine.add_venue(
        venue,
        oms_type=OmsType.NETTING,
        account_type=AccountType.MARGIN,
        base_currency=USD,
        starting_balances=[Money(terms["capital"], USD)],
        latency_model=LatencyModel(base_latency_nanos=terms["latency_ns"]),
    )
    for share in instruments:
        engine.add_instrument(share)
    engine.add_data(ticks(quotes, instruments))
    strategy = Pairs(PairsConfig(**terms["strategy"]), instruments)
    engine.add_strategy(strategy)
    return engine, strategy


def main(folder: Path) -> None:
    """Run once and leave the result in `folder`."""
    quotes = np.load(folder / "quotes.npy")
    engine, strategy = built(json.loads((folder / "peer.json").read_text()), quotes)
    started_s = time.perf_counter()
    engine.run()
    elapsed_s = time.perf_counter() - started_s
    result = {
        "version": nautilus_trader.__version__,
        "python": ".".join(map(str, sys.version_info[:3])),
        "events": len(quotes),
        "events_per_s": len(quotes) / elapsed_s,
        "signals": len(strategy.signals),
        "orders": strategy.orders,
        "fills": strategy.fills,
        "refused": strategy.refused,
    }
    np.save(folder / "peer-signals.npy", np.array(strategy.signals, np.int64).reshape(-1, 4))
    (folder / "peer-result.json").write_text(json.dumps(result))
    engine.dispose()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
