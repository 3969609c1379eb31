"""The kernel of the clock_skew operator: the median of what the desk clock is ahead of a feed's stamps."""

from typing import Any

import numpy as np

from operators.kernel import kernel, table
from schemas.market import EVENTS, FEED_EVENTS, FeedEventKind
from schemas.record import Frame

TERMS = np.dtype([("window", "i8"), ("tolerance", "i8")], align=True)
"""Samples that make an estimate, and how far it must move to be told, ns."""

SKEW = np.dtype([("cause", "i8"), ("taken", "i8"), ("told", "i8")], align=True)
"""A source of stamps: the message sampled last, samples since the last estimate, and the estimate last told, ns."""

_I8, _EVENT, _ROW = np.dtype(np.int64), EVENTS.dtype, FEED_EVENTS.dtype
_CLOCK_SKEW = int(FeedEventKind.CLOCK_SKEW)
_MINUTE_NS = 60 * 10**9
_ZONE_MINUTES = 30
"""Time zones lie whole half hours apart, but for a few of quarters that no exchange is in."""

# Tables behind `desk`, then those behind `state`.
_TERMS, _SOURCE_OF, _FEED_OF, _INSTRUMENT_OF, _ROWS = range(5)
_SKEWS, _SAMPLES = range(2)


@kernel
def follow_stamps(desk: Any, state: Any, events: Frame) -> int:
    """Sample `events` and write what is to be told to the scratch table, which has room; returns how many rows."""
    terms, source_of = table(desk, _TERMS, TERMS)[0], table(desk, _SOURCE_OF, _I8)
    rows = table(desk, _ROWS, _ROW)
    skews, samples = table(state, _SKEWS, SKEW), table(state, _SAMPLES, _I8)
    n = 0
    for i in range(len(events)):
        event = events[i]
        if event.ts_event <= 0 or not 0 <= event.instrument < len(source_of):
            continue
        source = source_of[event.instrument]
        skew = skews[source]
        if skew.cause == event.cause:
            continue
        skew.cause = event.cause
        first = source * terms.window
        samples[first + skew.taken] = event.ts - event.ts_event
        skew.taken += 1
        if skew.taken == terms.window:
            skew.taken = 0
            estimate = _median(samples[first : first + terms.window])
            if abs(estimate - skew.told) > terms.tolerance:
                skew.told = estimate
                row = rows[n]
                row.cause, row.ts, row.kind = event.cause, event.ts, _CLOCK_SKEW
                row.feed = table(desk, _FEED_OF, _I8)[source]
                row.instrument = table(desk, _INSTRUMENT_OF, _I8)[source]
                row.first, row.last = estimate, zone_minutes(estimate)
                n += 1
    return n


@kernel
def _median(samples: Any) -> int:
    """The lower median, which is one of the samples; they may be put in another order."""
    samples.sort()
    return samples[(len(samples) - 1) // 2]


@kernel
def zone_minutes(offset: int) -> int:
    """The whole half hours nearest to an offset in ns, in minutes; half-way is rounded away from 0."""
    half_hours = (abs(offset) + _ZONE_MINUTES * _MINUTE_NS // 2) // (_ZONE_MINUTES * _MINUTE_NS)
    return _ZONE_MINUTES * half_hours * (1 if offset >= 0 else -1)
