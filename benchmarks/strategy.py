"""The strategy that every benchmark of the quote stream runs, ours and the peers'."""

from typing import Any

from benchmarks.quotes import Quotes
from flows.graph import Declaration, Graph, compose
from operators.execution.trader import Trader
from operators.execution.venue import SimulatedVenue
from operators.operator import Desk
from operators.pairs.spread import Spread
from operators.portfolio.portfolio import Portfolio
from operators.risk.limits import Limits
from operators.signals.bands import Bands

HALF_LIFE, ENTRY, EXIT, STOP, NOTIONAL = 200.0, 3.0, 0.3, 8.0, 20_000
COOLDOWN_NS, LATENCY_NS, TAKER_BPS = 10**9, 10**6, 1
LIMITS: dict[str, Any] = dict(
    position=1_000_000, order=100_000, gross=9_000_000, net=1_000_000, daily_loss=1_000_000, collar_bps=100, rate=1_000
)


def graph(desk: Desk) -> Graph:
    """quotes → spread → bands → trader → limits → venue → portfolio."""  # noqa: D403
    zscore = dict(type="ewm", half_life=HALF_LIFE)
    bands = dict(entry=ENTRY, exit=EXIT, stop=STOP, cooldown=COOLDOWN_NS, notional=NOTIONAL)
    venue = dict(latency=LATENCY_NS, report=LATENCY_NS, taker_bps=TAKER_BPS)
    return compose(
        [
            Declaration("quotes", Quotes),
            Declaration("spread", Spread, dict(hedge=dict(type="static"), zscore=zscore, every="event"), "quotes"),
            Declaration("bands", Bands, bands, "spread"),
            Declaration("trader", Trader, {}, ["bands", "quotes"]),
            Declaration("limits", Limits, LIMITS, ["trader", "quotes"]),
            Declaration("venue", SimulatedVenue, venue, ["limits", "quotes"]),
            Declaration("portfolio", Portfolio, dict(every="1m"), ["venue", "quotes"]),
        ],
        [desk],
    )
