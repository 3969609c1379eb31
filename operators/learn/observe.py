"""The kernel of the features operator: spreads and their legs' quotes in, a row per pair now and then."""

import math
from typing import Any

import numpy as np

from operators.kernel import kernel, table
from schemas.learn import FEATURES
from schemas.market import QUOTES
from schemas.record import Frame
from schemas.signal import SPREADS

_QUOTE, _SPREAD, _ROW = QUOTES.dtype, SPREADS.dtype, FEATURES.dtype
_DAY_NS = 86_400 * 10**9

BEST = np.dtype([("imbalance", "f8"), ("microprice", "f8"), ("width", "f8"), ("known", "i8")], align=True)
"""The last tradable quote of an instrument, as features see it. `known` is 0 before the first one."""

OBSERVED = np.dtype(
    [
        ("z", "f8"),  # at the last sample, or the first of those at one time
        ("ts", "i8"),  # of it, ns
        ("velocity", "f8"),
        ("deviation", "f8"),  # exponentially weighted mean of the samples before this one
        ("bar", "i8"),  # of the last sample
        ("taken", "i8"),  # samples so far
    ],
    align=True,
)

OBSERVE_TERMS = np.dtype([("every", "i8"), ("alpha", "f8")], align=True)
"""The operator's parameters: ns (0: every usable row is a sample), weight of a sample in the long average."""


@kernel
def observe_pairs(desk: Frame, state: Frame, quotes: Frame, spreads: Frame) -> int:
    """Write the rows of `spreads` to the scratch table and return how many.

    Returns `-1 - i` where spread `i` is of no pair of the desk. Of one cause quotes come before spreads. `desk`
    is the ctx of the tables that stay (terms, legs, rows), `state` of those that change (instruments, pairs).
    """
    terms = table(desk, 0, OBSERVE_TERMS)[0]
    legs = table(desk, 1, np.int64)
    rows = table(desk, 2, _ROW)
    bests = table(state, 0, BEST)
    pairs = table(state, 1, OBSERVED)
    n = q = 0
    for i in range(len(spreads)):
        spread = spreads[i]
        p = spread.pair
        if not 0 <= p < len(pairs):
            return -1 - i
        while q < len(quotes) and quotes[q].cause <= spread.cause:
            _note(bests, quotes[q])
            q += 1
        pair = pairs[p]
        bar = spread.ts // terms.every if terms.every > 0 else 0
        y, x = bests[legs[2 * p]], bests[legs[2 * p + 1]]
        is_new = terms.every == 0 or pair.taken == 0 or bar > pair.bar
        if spread.state == 0 and is_new and y.known and x.known:
            regime = _sample(pair, spread, terms.alpha)
            pair.bar = bar
            if pair.taken > 1:
                row = rows[n]
                row.cause = spread.cause
                row.ts = spread.ts
                row.z = spread.z
                row.velocity = pair.velocity
                row.regime = regime
                row.pair = p
                _describe(row, y, x)
                n += 1
    while q < len(quotes):
        _note(bests, quotes[q])
        q += 1
    return n


@kernel
def _note(bests: Frame, quote: Any) -> None:
    """Keep what a tradable quote shows. One without a price above 0, or without quantities, shows nothing."""
    if quote.state != 0 or not 0 <= quote.instrument < len(bests):
        return
    best = bests[quote.instrument]
    bid, ask = float(quote.bid), float(quote.ask)
    bid_qty, ask_qty = float(quote.bid_qty), float(quote.ask_qty)
    mid, quantity = (bid + ask) * 0.5, bid_qty + ask_qty
    best.known = mid > 0.0 and quantity > 0.0
    if best.known:
        best.imbalance = (bid_qty - ask_qty) / quantity
        best.microprice = (bid * ask_qty + ask * bid_qty) / quantity / mid - 1.0
        best.width = (ask - bid) / mid


@kernel
def _sample(pair: Any, spread: Any, alpha: float) -> float:
    """Take a sample of the pair and return its deviation over the average of those before it.

    Samples of one time have one velocity: that against the last time before it.
    """
    if pair.taken == 0:
        pair.z, pair.ts, pair.velocity, pair.deviation = spread.z, spread.ts, 0.0, spread.deviation
    elif spread.ts > pair.ts:
        pair.velocity = (spread.z - pair.z) / (float(spread.ts - pair.ts) * 1e-9)
        pair.z, pair.ts = spread.z, spread.ts
    regime = spread.deviation / pair.deviation if pair.deviation > 0.0 else 1.0
    pair.deviation += alpha * (spread.deviation - pair.deviation)
    pair.taken += 1
    return regime


@kernel
def _describe(row: Any, y: Any, x: Any) -> None:
    """Fill in what the legs' books and the clock show."""
    row.y_imbalance, row.x_imbalance = y.imbalance, x.imbalance
    row.y_microprice, row.x_microprice = y.microprice, x.microprice
    row.y_width, row.x_width = y.width, x.width
    turn = 2.0 * math.pi * float(row.ts % _DAY_NS) / float(_DAY_NS)
    row.day_sine, row.day_cosine = math.sin(turn), math.cos(turn)
