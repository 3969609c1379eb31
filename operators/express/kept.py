"""Rows of the open loop that leave the express: all of a port's, or those that a sampled table may want.

A table that is sampled keeps one row per key and interval, so the others need not leave the block they
were made in. What is dropped here is only what the table's own sampler would drop: the first row of every
interval passes, and a sampler that has just started lets more through, never less.
"""

from typing import Any

import numpy as np

from operators.kernel import inlined, kernel, table
from schemas.market import FEED_EVENTS, LEVELS, QUOTES
from schemas.record import Schema
from schemas.signal import SIGNALS, SPREADS

I8 = np.dtype(np.int64)

PORTS: tuple[tuple[str, Schema], ...] = (
    ("quotes", QUOTES),
    ("levels", LEVELS),
    ("feed_events", FEED_EVENTS),
    ("spreads", SPREADS),
    ("signals", SIGNALS),
)
"""What the open loop writes, in the order of the tables below."""

# Tables behind the ctx of what is kept: rows kept of each port, how often one is, when the next is due by key,
# and the rows.
COUNTS, EVERY, QUOTES_DUE, SPREADS_DUE = range(4)
FIRST_ROWS = 4
QUOTES_KEPT, LEVELS_KEPT, FEED_EVENTS_KEPT, SPREADS_KEPT, SIGNALS_KEPT = range(len(PORTS))

NONE = -1
"""In EVERY: no row of the port leaves. 0: each does; else the interval in ns."""

_QUOTE, _LEVEL, _FEED_EVENT = QUOTES.dtype, LEVELS.dtype, FEED_EVENTS.dtype
_SPREAD, _SIGNAL = SPREADS.dtype, SIGNALS.dtype


@kernel
def keep_quotes(kept: int, rows: Any) -> None:
    """Keep what is wanted of a block's quotes; there is room."""
    every = table(kept, EVERY, I8)[QUOTES_KEPT]
    counts, due = table(kept, COUNTS, I8), table(kept, QUOTES_DUE, I8)
    to = table(kept, FIRST_ROWS + QUOTES_KEPT, _QUOTE)
    for i in range(len(rows) if every != NONE else 0):
        if _is_due(due, rows[i].instrument, rows[i].ts, every):
            to[counts[QUOTES_KEPT]] = rows[i]
            counts[QUOTES_KEPT] += 1


@kernel
def keep_spreads(kept: int, rows: Any) -> None:
    """Keep what is wanted of a block's spreads; there is room."""
    every = table(kept, EVERY, I8)[SPREADS_KEPT]
    counts, due = table(kept, COUNTS, I8), table(kept, SPREADS_DUE, I8)
    to = table(kept, FIRST_ROWS + SPREADS_KEPT, _SPREAD)
    for i in range(len(rows) if every != NONE else 0):
        if _is_due(due, rows[i].pair, rows[i].ts, every):
            to[counts[SPREADS_KEPT]] = rows[i]
            counts[SPREADS_KEPT] += 1


@inlined
def _is_due(due: Any, key: int, ts: int, every: int) -> bool:
    """Whether a row is the first of its key in an interval; every one is where `every` is 0."""
    if every > 0:
        if ts < due[key]:
            return False
        due[key] = (ts // every + 1) * every
    return True


@kernel
def keep_others(kept: int, levels: Any, feed_events: Any, signals: Any) -> None:
    """Keep a block's levels, feed events and signals, where they are wanted; there is room."""
    every = table(kept, EVERY, I8)
    if every[LEVELS_KEPT] != NONE:
        _append(kept, LEVELS_KEPT, table(kept, FIRST_ROWS + LEVELS_KEPT, _LEVEL), levels)
    if every[FEED_EVENTS_KEPT] != NONE:
        _append(kept, FEED_EVENTS_KEPT, table(kept, FIRST_ROWS + FEED_EVENTS_KEPT, _FEED_EVENT), feed_events)
    if every[SIGNALS_KEPT] != NONE:
        _append(kept, SIGNALS_KEPT, table(kept, FIRST_ROWS + SIGNALS_KEPT, _SIGNAL), signals)


@kernel
def _append(kept: int, port: int, to: Any, rows: Any) -> None:
    counts = table(kept, COUNTS, I8)
    for i in range(len(rows)):
        to[counts[port]] = rows[i]
        counts[port] += 1
