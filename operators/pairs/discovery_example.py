"""A universe in which some pairs go together for a while, for the contract suite and for trying the operators out."""

from decimal import Decimal

import numpy as np

from operators.operator import Desk, Example
from schemas.instrument import Instrument, every_pair
from schemas.market import QUOTES, BookState
from schemas.record import Frame
from schemas.signal import TRADED_PAIRS, Membership

SECOND = 10**9
_SYMBOLS = 8


def universe_desk(symbols: int) -> Desk:
    """Every pair of so many instruments."""
    instruments = tuple(
        Instrument(id=f"U{i}", venue="SIM", symbol=f"U{i}", tick=Decimal("0.01"), lot=Decimal(1), currency="USD")
        for i in range(symbols)
    )
    return Desk(id="universe", instruments=instruments, pairs=every_pair(instruments))


def universe_quotes(seed: int, symbols: int, bars: int, turn: int) -> Frame:
    """A quote of every instrument in every bar of a second, in random order.

    Each second instrument follows the one before it until bar `turn` or, for each other of them, from there on; else
    it walks by itself. Some quotes are not to be traded on.
    """
    rng = np.random.default_rng(seed)
    walks = np.log(10_000) + np.cumsum(rng.normal(0, 2e-3, (bars, symbols)), axis=0)
    for i in range(1, symbols, 2):
        follows = (np.arange(bars) < turn) == (i % 4 == 1)
        noise = rng.normal(0, 1e-3, bars)
        walks[follows, i] = walks[follows, i - 1] + noise[follows]
    quotes = np.zeros(bars * symbols, QUOTES.dtype)
    instrument = rng.permuted(np.tile(np.arange(symbols), (bars, 1)), axis=1)
    quotes["instrument"] = instrument.ravel()
    mids = np.rint(np.exp(np.take_along_axis(walks, instrument, axis=1))).astype(np.int64).ravel()
    quotes["bid"], quotes["ask"] = mids - 1, mids + 1
    quotes["bid_qty"] = quotes["ask_qty"] = 100
    quotes["cause"] = np.arange(1, len(quotes) + 1)
    within = np.sort(rng.integers(0, SECOND, (bars, symbols)), axis=1)
    quotes["ts"] = 1_700_000_000 * SECOND + (np.arange(bars)[:, None] * SECOND + within).ravel()
    quotes["ts_event"] = quotes["ts"]
    quotes["state"] = np.where(rng.random(len(quotes)) < 0.01, int(BookState.HALTED), 0)
    return quotes


def discovery_example(seed: int) -> Example:
    """Eight instruments, of which two pairs go together before the turn and two others after it."""
    parameters = {"every": "1s", "window": 50, "step": 5, "traded": 5, "confirm": 1, "patience": 2}
    parameters |= {"false_discovery": 0.1, "retire": 0.2, "dependence": "positive"}
    return Example(universe_desk(_SYMBOLS), parameters, {"quotes": universe_quotes(seed, _SYMBOLS, 240, 120)})


def traded_example(seed: int) -> Example:
    """The same universe, and pairs that come and go at random."""
    desk, quotes = universe_desk(_SYMBOLS), universe_quotes(seed, _SYMBOLS, 240, 120)
    rng = np.random.default_rng(seed + 1)
    at = np.sort(rng.integers(0, len(quotes), 60))
    traded = np.zeros(len(at), TRADED_PAIRS.dtype)
    traded["cause"], traded["ts"] = quotes["cause"][at], quotes["ts"][at]
    is_traded = np.zeros(len(desk.pairs), bool)
    for row, pair in zip(traded, rng.integers(0, 12, len(at)), strict=True):
        is_traded[pair] = not is_traded[pair]
        row["pair"], row["state"] = pair, Membership.PROMOTED if is_traded[pair] else Membership.RETIRED
    parameters = {
        "hedge": {"type": "rolling", "window": 8},
        "zscore": {"type": "rolling", "window": 6},
        "every": "1s",
        "price": "log_mid",
        "executable": True,
    }
    return Example(desk, parameters, {"quotes": quotes, "traded": traded})
