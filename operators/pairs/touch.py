"""The kernel of the spread operator: quotes in, one row per pair touched."""

import math
from typing import Any

import numpy as np

from operators.kernel import inlined, kernel, table
from operators.pairs.any_sample import take_any_sample
from operators.pairs.executable import EXECUTABLE_ROWS, cross_legs, is_old, note_top
from operators.pairs.hedge import FILTERS
from operators.pairs.kalman import FILTER, prediction_variance
from operators.pairs.sample import (
    INNOVATION,
    NO_HEDGE,
    NOISE,
    OLD_LEG,
    PAIR,
    STATISTICS,
    TERMS,
    X_UNTRADABLE,
    Y_UNSEEN,
    Y_UNTRADABLE,
    take_sample,
)
from operators.pairs.window import BY_EVENT
from schemas.record import Frame
from schemas.signal import SPREAD_QUOTES, SPREADS, SpreadState

_ROW, _EXECUTABLE = SPREADS.dtype, SPREAD_QUOTES.dtype
_LEG = int(SpreadState.LEG)
_STALE = int(SpreadState.STALE)
_COLD, _DEGENERATE = int(SpreadState.COLD), int(SpreadState.DEGENERATE)


@kernel
def spread_rows(desk: Frame, state: Frame, quotes: Frame) -> int:
    """Write the rows of `quotes` to the scratch table and return how many.

    Returns `-1 - i` where quote `i` is of no instrument of the desk. `desk` is the ctx of the tables
    that stay (terms, ticks, starts, touches, rows, legs, executable rows), `state` of those that change (pairs,
    statistics, lines, spreads, and those of `operators.pairs.hedge`). Where wanted, row `i` of the executable
    rows belongs to row `i`. The pairs of instrument `k` are `touches[starts[k] : starts[k + 1]]`, each as
    `2 * pair + (1 where k is its x)`.
    """
    terms = table(desk, 0, TERMS)[0]
    ticks = table(desk, 1, np.float64)
    starts = table(desk, 2, np.int64)
    touches = table(desk, 3, np.int64)
    rows = table(desk, 4, _ROW)
    pairs = table(state, 0, PAIR)
    statistics = table(state, 1, STATISTICS)
    is_log, every = terms.log, terms.every
    is_usual = terms.is_usual != 0
    is_rare = terms.max_age > 0 or terms.executable != 0 or terms.zscore_kind == INNOVATION
    bar = 0
    n = 0
    for i in range(len(quotes)):
        quote = quotes[i]
        instrument = quote.instrument
        if not 0 <= instrument < len(ticks):
            return -1 - i
        price, tradable = _price(quote, ticks[instrument], is_log)
        if is_rare and tradable:
            note_top(state, quote, ticks[instrument], is_log)
        if every > 0 and not 0 <= quote.ts - bar * every < every:
            bar = quote.ts // every
        for k in range(starts[instrument], starts[instrument + 1]):
            p, leg = touches[k] >> 1, touches[k] & 1
            pair = pairs[p]
            if bar > pair.bar if every > 0 else every == BY_EVENT or _is_left(pair, leg, price, tradable):
                if pair.legs == 0:
                    if is_usual:
                        take_sample(p, pair, statistics[p], terms, state)
                    else:
                        take_any_sample(p, pair, statistics[p], terms, state)
                pair.bar = bar
            if tradable:
                if leg == 0:
                    pair.y = price
                else:
                    pair.x = price
                pair.legs &= ~((Y_UNTRADABLE | Y_UNSEEN) << leg)
            else:
                pair.legs |= Y_UNTRADABLE << leg
            if is_rare and terms.max_age > 0:
                pair.legs &= ~OLD_LEG
                pair.legs |= OLD_LEG * is_old(desk, state, p, quote.ts - terms.max_age)
            if pair.legs < Y_UNSEEN:
                row = rows[n]
                row.cause = quote.cause
                row.ts = quote.ts
                row.pair = p
                _measure(row, pair)
                if is_rare:
                    _measure_more(row, n, pair, terms, desk, state)
                n += 1
    return n


@inlined
def _is_left(pair: Any, leg: int, price: float, tradable: bool) -> bool:
    """Whether the pair's mids change here, so that those it had are a sample."""
    return tradable and price != (pair.y if leg == 0 else pair.x)


@inlined
def _price(quote: Any, tick: float, log: int) -> tuple[float, bool]:
    """The mid in currency, or its logarithm, and whether the quote gives one to trade on."""
    mid = (float(quote.bid) + float(quote.ask)) * 0.5 * tick
    if quote.state != 0 or (log and mid <= 0.0):
        return 0.0, False
    return math.log(mid) if log else mid, True


@inlined
def _measure(row: Any, pair: Any) -> None:
    """Fill a row with the pair's spread and z. What cannot be computed is 0, and `state` says why."""
    state = pair.state
    spread, z = 0.0, 0.0
    if state & NO_HEDGE == 0:
        spread = pair.y - pair.hedge * pair.x - pair.intercept
        if state == 0:
            z = (spread - pair.mean) / pair.deviation
        if not (np.isfinite(spread) and np.isfinite(z)):
            spread, z = 0.0, 0.0
            state |= _DEGENERATE
    row.spread = spread
    row.hedge = pair.hedge
    row.intercept = pair.intercept
    row.mean = pair.mean
    row.deviation = pair.deviation
    row.z = z
    row.state = (state & ~NO_HEDGE) | (_LEG if pair.legs & (Y_UNTRADABLE | X_UNTRADABLE) else 0)


@kernel
def _measure_more(row: Any, n: int, pair: Any, terms: Any, desk: Frame, state: Frame) -> None:
    """What only some parameters ask for of row number `n`."""
    if pair.legs & OLD_LEG:
        row.state |= _STALE
    if terms.zscore_kind == INNOVATION:
        _judge_innovation(row, pair, table(state, FILTERS, FILTER)[row.pair])
    if terms.executable:
        cross_legs(table(desk, EXECUTABLE_ROWS, _EXECUTABLE)[n], row, desk, state)


@kernel
def _judge_innovation(row: Any, pair: Any, knows: Any) -> None:
    """The spread is the prediction error of the pair's filter: measure it by its own deviation."""
    deviation = np.sqrt(prediction_variance(knows, pair.x))
    z = row.spread / deviation
    if not (np.isfinite(deviation) and np.isfinite(z) and deviation > NOISE * (abs(pair.y) + abs(pair.hedge * pair.x))):
        deviation, z = 0.0, 0.0
        row.state |= _DEGENERATE
    row.deviation = deviation
    row.z = z if row.state & (_COLD | _DEGENERATE) == 0 else 0.0
