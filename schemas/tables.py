"""The records that become ClickHouse tables, and the schema of every port by name."""

from schemas.integrity import AUDITS, CLOCK_CHECKS, CONFIDENCE
from schemas.learn import FEATURES, LEARNING, MODEL_FAILURES, PREDICTIONS, VALIDATION
from schemas.market import DEAD_LETTERS, DEPTH, DEPTH_LEVELS, EVENTS, FEED_EVENTS, LEVELS, QUOTES, RAW
from schemas.record import Schema
from schemas.signal import (
    BASKETS,
    CORRELATIONS,
    GATES,
    PAIR_STATISTICS,
    SCREENINGS,
    SIGNALS,
    SPREAD_QUOTES,
    SPREADS,
    TRADED_PAIRS,
)
from schemas.trade import EQUITY, FILLS, ORDER_EVENTS, ORDERS, POSITIONS, VERDICTS

TABLES: dict[str, Schema] = {
    s.name: s
    for s in (
        QUOTES,
        DEPTH,
        DEPTH_LEVELS,
        SPREADS,
        SPREAD_QUOTES,
        PAIR_STATISTICS,
        CORRELATIONS,
        GATES,
        BASKETS,
        SCREENINGS,
        TRADED_PAIRS,
        FEATURES,
        PREDICTIONS,
        VALIDATION,
        MODEL_FAILURES,
        *LEARNING,
        SIGNALS,
        ORDERS,
        VERDICTS,
        ORDER_EVENTS,
        FILLS,
        POSITIONS,
        EQUITY,
        DEAD_LETTERS,
        FEED_EVENTS,
        CLOCK_CHECKS,
        AUDITS,
        CONFIDENCE,
    )
}
"""Streams that are written to ClickHouse; each table adds run, desk and seq. `runs` is written beside them."""

STREAMS: dict[str, Schema] = {s.name: s for s in (RAW, EVENTS, LEVELS, *TABLES.values())}
