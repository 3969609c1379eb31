"""The records that become ClickHouse tables, and the schema of every port by name."""

from schemas.clock import CLOCK_CHECKS
from schemas.integrity import AUDITS, CONFIDENCE
from schemas.learn import FEATURES, MODEL_FAILURES, PREDICTIONS, VALIDATION
from schemas.market import DEAD_LETTERS, DEPTH, DEPTH_LEVELS, EVENTS, FEED_EVENTS, LEVELS, QUOTES, RAW
from schemas.record import Schema
from schemas.signal import GATES, PAIR_STATISTICS, SIGNALS, SPREAD_QUOTES, SPREADS
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
        GATES,
        FEATURES,
        PREDICTIONS,
        VALIDATION,
        MODEL_FAILURES,
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
