"""A market whose deviations tell what becomes of them, or do not; and a desk that trades it, whole."""

from typing import Any, NamedTuple

import numpy as np

from operators.execution.loop import Loop
from operators.learn.features import Features
from operators.learn.model import Model
from operators.operator import Desk, Operator
from operators.pairs.spread import Spread
from operators.signals.bands import Bands
from schemas.instrument import Pair
from schemas.market import QUOTES, RAW, RawKind
from schemas.record import MONEY_QUANTUM, Frame
from tests.operators.execution.tape import GENEROUS
from tests.operators.learn.tape import SCALED
from tests.operators.pairs.tape import SECOND, START, instrument

PAIRS = 4
DESK = Desk(
    id="planted",
    instruments=tuple(instrument(f"{leg}{p}") for p in range(PAIRS) for leg in "YX"),
    pairs=tuple(Pair(id=f"P{p}", y=f"Y{p}", x=f"X{p}", hedge=1.0) for p in range(PAIRS)),
    capital=10**6 * MONEY_QUANTUM,
    seed=3,
)
DEVIATION, RUNAWAY, LASTS_S, RUNS_S, CALM_S = 10, 30, 20, 3, 60
"""Ticks that a spread jumps to, ticks that it runs on to where it does not revert, and how long states last."""

BANDS = {"entry": 1.3, "exit": 0.3, "stop": 3.5, "cooldown": "30s", "max_hold": "2m", "notional": 20_000}
TARGET = {"type": "reverts", "exit": 0.3, "stop": 3.5, "horizon": "2m"}


class Market(NamedTuple):
    """What happens: odds that a deviation reverts, how often the imbalance is right, when the odds become others."""

    reverts: float
    tells: float = 0.5
    breaks_s: int = 10**9
    reverts_then: float = 0.0


def quotes_of(market: Market, seed: int, seconds: int) -> Frame:
    """A quote of each instrument each second, a tick wide; the imbalance of y points to where the spread goes next."""
    rng = np.random.default_rng(seed)
    mids = np.zeros((seconds, 2 * PAIRS), np.int64)
    imbalances = rng.uniform(-0.3, 0.3, (seconds, 2 * PAIRS))
    for p in range(PAIRS):
        spread, hints = _deviations(market, rng, seconds)
        x = 10_000 + 1_000 * p + np.cumsum(rng.integers(-1, 2, seconds))
        mids[:, 2 * p], mids[:, 2 * p + 1] = x + spread, x
        imbalances[:, 2 * p] += hints
    quotes = np.zeros(mids.size, QUOTES.dtype)
    quotes["cause"] = 1 + np.arange(mids.size)
    quotes["ts"] = START + np.repeat(np.arange(seconds), 2 * PAIRS) * SECOND + np.arange(mids.size) % (2 * PAIRS)
    quotes["instrument"] = np.tile(np.arange(2 * PAIRS), seconds)
    quotes["bid"] = mids.ravel()
    quotes["ask"] = quotes["bid"] + 1
    quotes["bid_qty"] = np.rint(1_000 * (1 + imbalances.ravel()))
    quotes["ask_qty"] = np.rint(1_000 * (1 - imbalances.ravel()))
    return quotes


def _deviations(market: Market, rng: np.random.Generator, seconds: int) -> tuple[Frame, Frame]:
    """Of one pair, each second: the spread in ticks, and the hint that its imbalance gives."""
    spread = np.rint(rng.normal(0.0, 1.0, seconds)).astype(np.int64)
    hints = np.zeros(seconds)
    at = int(rng.integers(CALM_S, 2 * CALM_S))
    while at < seconds:
        side = 1 if rng.random() < 0.5 else -1
        reverts = rng.random() < (market.reverts if at < market.breaks_s else market.reverts_then)
        tells = rng.random() < market.tells
        end = at + LASTS_S
        spread[at:end] += side * DEVIATION
        hints[at:end] = 0.5 * (-side if reverts == tells else side)
        if not reverts:
            spread[end : end + RUNS_S] += side * RUNAWAY
            end += RUNS_S
        at = end + int(rng.integers(CALM_S // 2, 3 * CALM_S // 2))
    return spread, hints


class Traded(NamedTuple):
    """What a desk made, in currency after fees, and what its operators said."""

    gain: float
    rows: dict[str, Frame]


def seen(quotes: Frame) -> dict[str, Frame]:
    """Quotes, spreads and features: what does not depend on any model."""
    spread = Spread(
        Spread.Parameters(hedge={"type": "static"}, zscore={"type": "ewm", "half_life": 300.0}, every="1s"), DESK
    )
    frames = {"quotes": quotes} | _run(spread, quotes=quotes)
    return frames | _run(Features(Features.Parameters(every="1s"), DESK), **frames)


def trade(frames: dict[str, Frame], model: dict[str, Any] | None = None, **bands: Any) -> Traded:
    """Run model (where there is one), bands, trader, limits, venue and portfolio."""
    if model is not None:
        usual = {"model": SCALED, "target": TARGET, "warm_up": 100, "taker_bps": 0.1}
        frames = frames | _run(Model(Model.Parameters.model_validate(usual | model), DESK), **frames)
    decided = _run(Bands(Bands.Parameters.model_validate(BANDS | bands), DESK), **frames)
    loop = Loop(
        Loop.Parameters.model_validate({"limits": GENEROUS, "venue": {"taker_bps": 0.1}, "levels": False}), DESK
    )
    quotes = frames["quotes"]
    raw = np.zeros(len(quotes) + 1, RAW.dtype)
    raw["cause"], raw["ts"][:-1], raw["ts"][-1] = 1 + np.arange(len(raw)), quotes["ts"], quotes["ts"][-1] + SECOND
    raw["kind"][-1] = int(RawKind.END)
    rows = frames | decided | _run(loop, raw=raw, quotes=quotes, **decided)
    return Traded((int(rows["equity"]["equity"][-1]) - DESK.capital) / MONEY_QUANTUM, rows)


def _run(operator: Operator, **frames: Frame) -> dict[str, Frame]:
    taken = {port: frame for port, frame in frames.items() if port in operator.inputs}
    return {port: np.array(frame) for port, frame in operator.process(taken).items()}
