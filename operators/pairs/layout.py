"""From a desk and the spread operator's parameters to the tables its kernel works on."""

import math
from collections.abc import Iterable

import numpy as np

from operators.operator import Desk
from operators.pairs.deviation import SPREAD_SLOT
from operators.pairs.ewls import DECAYED_LINE
from operators.pairs.executable import TOP
from operators.pairs.hedge import EWLS, KALMAN, ROLLING, STATIC, TIMED, TOTAL
from operators.pairs.kalman import FILTER
from operators.pairs.moments import MOMENTS, QUEUE
from operators.pairs.parameters import (
    EwlsHedge,
    EwmDeviation,
    Innovation,
    KalmanHedge,
    RollingDeviation,
    RollingHedge,
    SpreadParameters,
    StaticHedge,
    TotalHedge,
)
from operators.pairs.regression import LINE_SLOT
from operators.pairs.sample import (
    DECAY,
    INNOVATION,
    NO_HEDGE,
    PAIR,
    STATISTICS,
    TERMS,
    TIME,
    WINDOW,
    X_UNSEEN,
    Y_UNSEEN,
)
from operators.pairs.window import bar_ns
from schemas.errors import ConfigError
from schemas.record import Frame
from schemas.signal import SpreadState

_WINDOWS_BYTES_MAX = 4 * 2**30
_FILLED = 0.5
"""Share of a time's bars that must hold a sample."""


def adjacency(instruments: int, legs: Iterable[tuple[int, tuple[int, int]]]) -> tuple[Frame, Frame]:
    """The pairs each instrument touches: (starts, touches), as `operators.pairs.touch` reads them.

    `legs` are the pairs' numbers, each with its y and x, in the order in which their rows shall come.
    """
    of_instrument: list[list[int]] = [[] for _ in range(instruments)]
    for p, (y, x) in legs:
        of_instrument[y].append(2 * p)
        of_instrument[x].append(2 * p + 1)
    starts = np.cumsum([0, *map(len, of_instrument)], dtype=np.int64)
    return starts, np.array([touch for touches in of_instrument for touch in touches], np.int64)


def terms_of(parameters: SpreadParameters) -> Frame:
    """The parameters as the kernel sees them."""
    terms = np.zeros(1, TERMS)
    terms["every"] = bar_ns(parameters.every)
    terms["log"] = parameters.price == "log_mid"
    terms["max_age"] = parameters.max_age or 0
    terms["executable"] = parameters.executable
    _add_hedge(terms, parameters)
    _add_zscore(terms, parameters)
    terms["is_usual"] = (terms["hedge_kind"] <= ROLLING) & (terms["zscore_kind"] <= DECAY)
    return terms


def _add_hedge(terms: Frame, parameters: SpreadParameters) -> None:
    hedge = parameters.hedge
    if isinstance(hedge, RollingHedge | TotalHedge):
        in_bars = isinstance(hedge.window, str)
        span = parameters.bars(hedge.window)
        kind = TOTAL if isinstance(hedge, TotalHedge) else TIMED if in_bars else ROLLING
        terms["hedge_kind"], terms["hedge_window"], terms["hedge_in_bars"] = kind, span, in_bars
        terms["hedge_least"] = max(2 + hedge.intercept, math.ceil(_FILLED * span)) if in_bars else span
        terms["fit_intercept"] = hedge.intercept
    elif isinstance(hedge, EwlsHedge):
        terms["hedge_kind"], terms["fit_intercept"] = EWLS, hedge.intercept
        terms["keep"] = 2.0 ** (-1.0 / hedge.half_life)
        terms["hedge_least"] = max(2 + hedge.intercept, math.ceil(3 * hedge.half_life))
    elif isinstance(hedge, KalmanHedge):
        terms["hedge_kind"], terms["hedge_least"] = KALMAN, hedge.warm_up
        terms["walk"] = hedge.delta / (1.0 - hedge.delta)
        terms["adapt"] = 1.0 - 2.0 ** (-1.0 / hedge.adapt) if hedge.adapt else 0.0
    else:
        terms["hedge_kind"] = STATIC


def _add_zscore(terms: Frame, parameters: SpreadParameters) -> None:
    zscore = parameters.zscore
    if isinstance(zscore, EwmDeviation):
        terms["zscore_kind"] = DECAY
        terms["alpha"] = 1.0 - 2.0 ** (-1.0 / zscore.half_life)
        terms["warm"] = max(2, math.ceil(3 * zscore.half_life))
    elif isinstance(zscore, RollingDeviation):
        in_bars = isinstance(zscore.window, str)
        span = parameters.bars(zscore.window)
        terms["zscore_kind"], terms["spread_window"] = TIME if in_bars else WINDOW, span
        terms["warm"] = max(2, math.ceil(_FILLED * span)) if in_bars else span
    else:
        terms["zscore_kind"] = INNOVATION


def first_tables(terms: Frame, parameters: SpreadParameters, desk: Desk) -> dict[str, Frame]:
    """The state before the first quote, in the order the kernels number it.

    Raises ConfigError where a static hedge is missing or not finite, and where no machine would want to hold
    the windows.
    """
    count = len(desk.pairs)
    kind, compared = int(terms["hedge_kind"][0]), int(terms["zscore_kind"][0])
    hedge_queues = count * (kind in (TIMED, TOTAL))
    spread_queues = count * (compared == TIME)
    hedge_window, spread_window = int(terms["hedge_window"][0]), int(terms["spread_window"][0])
    sizes = {
        "lines": (count * hedge_window * (kind == ROLLING), LINE_SLOT),
        "spreads": (count * spread_window * (compared == WINDOW), SPREAD_SLOT),
        "filters": (count * (kind == KALMAN), FILTER),
        "decayed": (count * (kind == EWLS), DECAYED_LINE),
        "line_queues": (hedge_queues, QUEUE),
        "line_moments": (hedge_queues * hedge_window, MOMENTS),
        "spread_queues": (spread_queues, QUEUE),
        "spread_moments": (spread_queues * spread_window, MOMENTS),
    }
    needed = sum(rows * dtype.itemsize for rows, dtype in sizes.values())
    if needed > _WINDOWS_BYTES_MAX:
        raise ConfigError(
            f"desk {desk.id!r}: the windows of {count} pairs would take {needed / 2**30:.1f} GiB, copied at every "
            f"checkpoint, and at most {_WINDOWS_BYTES_MAX / 2**30:g} GiB are allowed; use shorter windows with a "
            "longer `every`, or `ewm`"
        )
    tables = {name: np.zeros(rows, dtype) for name, (rows, dtype) in sizes.items()}
    if isinstance(parameters.hedge, KalmanHedge):
        tables["filters"]["r11"] = tables["filters"]["r22"] = parameters.hedge.prior
        tables["filters"]["det"] = parameters.hedge.prior**2
        tables["filters"]["noise"] = parameters.hedge.noise
    first = {"pairs": _first_pairs(parameters, desk), "statistics": np.zeros(count, STATISTICS)}
    return first | tables | {"tops": np.zeros(len(desk.instruments), TOP)}


def _first_pairs(parameters: SpreadParameters, desk: Desk) -> Frame:
    pairs = np.zeros(len(desk.pairs), PAIR)
    pairs["legs"] = Y_UNSEEN | X_UNSEEN
    pairs["bar"] = np.iinfo(np.int64).min
    pairs["state"] = SpreadState.COLD
    if isinstance(parameters.hedge, StaticHedge):
        _check_static(desk)
    elif isinstance(parameters.hedge, KalmanHedge):
        if isinstance(parameters.zscore, Innovation):
            pairs["deviation"] = 1.0  # each row puts its own in its place
            pairs["state"] = SpreadState.COLD if parameters.hedge.warm_up else SpreadState.OK
    else:
        pairs["state"] |= NO_HEDGE
        return pairs
    pairs["hedge"] = [p.hedge or 0.0 for p in desk.pairs]
    pairs["intercept"] = [p.intercept for p in desk.pairs]
    return pairs


def _check_static(desk: Desk) -> None:
    bad = [p.id for p in desk.pairs if p.hedge is None or not math.isfinite(p.hedge) or not math.isfinite(p.intercept)]
    if bad:
        raise ConfigError(
            f"desk {desk.id!r}: hedge type `static` needs a finite `hedge` and `intercept` on every pair, and these "
            f"lack one: {', '.join(bad)}; add them, or use hedge type `rolling`"
        )
