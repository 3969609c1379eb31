"""The kernel of the features operator: spreads and their legs' quotes in, a row per pair now and then."""

import math
from typing import Any

import numpy as np

from operators.kernel import kernel, table
from schemas.learn import FEATURES
from schemas.market import QUOTES, EventKind, Side
from schemas.record import Frame
from schemas.signal import SPREADS

_QUOTE, _SPREAD, _ROW = QUOTES.dtype, SPREADS.dtype, FEATURES.dtype
_DAY_NS = 86_400 * 10**9

_EXECUTE, _TRADE, _ASK = int(EventKind.EXECUTE), int(EventKind.TRADE), int(Side.ASK)

BEST = np.dtype([("imbalance", "f8"), ("microprice", "f8"), ("width", "f8"), ("known", "i8")], align=True)
"""The last tradable quote of an instrument, as features see it. `known` is 0 before the first one."""

FLOW = np.dtype([("net", "f8"), ("volume", "f8"), ("ts", "i8")], align=True)
"""Lots of an instrument traded, those that bought less those that sold, and all; weighed as they were at `ts`, ns."""

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

OBSERVE_TERMS = np.dtype([("every", "i8"), ("alpha", "f8"), ("flow_decay", "f8")], align=True)
"""The operator's parameters: ns (0: every usable row is a sample), weight of a sample in the long average, 1/ns."""


@kernel
def observe_pairs(desk: Frame, state: Frame, events: Frame, quotes: Frame, spreads: Frame) -> int:
    """Write the rows of `spreads` to the scratch table and return how many.

    Returns `-1 - i` where spread `i` is of no pair of the desk. Of one cause events and quotes come before
    spreads. `desk` is the ctx of the tables that stay (terms, legs, rows), `state` of those that change (quotes
    and flows of instruments, pairs).
    """
    terms = table(desk, 0, OBSERVE_TERMS)[0]
    legs = table(desk, 1, np.int64)
    rows = table(desk, 2, _ROW)
    bests = table(state, 0, BEST)
    flows = table(state, 1, FLOW)
    pairs = table(state, 2, OBSERVED)
    n = q = e = 0
    for i in range(len(spreads)):
        spread = spreads[i]
        p = spread.pair
        if not 0 <= p < len(pairs):
            return -1 - i
        while q < len(quotes) and quotes[q].cause <= spread.cause:
            _note(bests, quotes[q])
            q += 1
        while e < len(events) and events[e].cause <= spread.cause:
            _count_trade(flows, events[e], terms.flow_decay)
            e += 1
        pair = pairs[p]
        bar = spread.ts // terms.every if terms.every > 0 else 0
        y_leg, x_leg = legs[2 * p], legs[2 * p + 1]
        y, x = bests[y_leg], bests[x_leg]
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
                row.hedge = spread.hedge
                row.pair = p
                row.y_flow = _flow(flows[y_leg], spread.ts, terms.flow_decay)
                row.x_flow = _flow(flows[x_leg], spread.ts, terms.flow_decay)
                _describe(row, y, x)
                n += 1
    while q < len(quotes):
        _note(bests, quotes[q])
        q += 1
    while e < len(events):
        _count_trade(flows, events[e], terms.flow_decay)
        e += 1
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
def _count_trade(flows: Frame, event: Any, decay: float) -> None:
    """Take a trade: one against a resting offer bought, one against a resting bid sold."""
    if event.kind not in (_EXECUTE, _TRADE) or not 0 <= event.instrument < len(flows):
        return
    flow = flows[event.instrument]
    weight = _left(flow.ts, event.ts, decay)
    qty = float(max(event.qty, 0))
    flow.net = weight * flow.net + (qty if event.side == _ASK else -qty)
    flow.volume = weight * flow.volume + qty
    flow.ts = event.ts


@kernel
def _flow(flow: Any, ts: int, decay: float) -> float:
    """The share of lately traded volume that bought on balance, faded by the time since the last trade."""
    return _left(flow.ts, ts, decay) * flow.net / flow.volume if flow.volume > 0.0 else 0.0


@kernel
def _left(since: int, ts: int, decay: float) -> float:
    return math.exp(-decay * float(max(ts - since, 0)))


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
