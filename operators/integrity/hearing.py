"""The kernel of the silence operator: when each feed was last heard, and which have fallen silent."""

from typing import Any

import numpy as np

from operators.kernel import kernel, table
from schemas.market import RAW, FeedEventKind, RawKind
from schemas.record import Frame

HEARD = np.dtype([("ts", "i8"), ("after", "i8"), ("silent", "i8")], align=True)
"""A feed: when it last spoke, how long it may be silent (ns, 0: for ever), and 1 while it is called silent."""

CHANGE = np.dtype([("row", "i8"), ("feed", "i8"), ("kind", "i8"), ("since", "i8"), ("is_told", "i8")], align=True)
"""A feed fell silent or spoke again, at a row of the frame. `is_told` is 0 where both happened at one row."""

CLOCK = np.dtype([("started", "i8"), ("due", "i8")], align=True)
"""Whether there was an entry, and a time up to which no feed falls silent."""

# Tables behind `ctx`.
FEEDS, CLOCKS, CHANGES = range(3)

_I8, _RAW = np.dtype(np.int64), RAW.dtype
_MESSAGE = int(RawKind.MESSAGE)
_STALE, _FRESH = int(FeedEventKind.STALE), int(FeedEventKind.FRESH)
_NEVER = np.iinfo(np.int64).max


def most_changes(rows: int, feeds: int) -> int:
    """How many changes so many rows can lead to: a feed must have spoken to fall silent again."""
    return 3 * rows + feeds


@kernel
def listen(ctx: Any, rows: Frame) -> int:
    """Follow the entries of the input log, and write what changed; there is room. Returns how many changes."""
    feeds, clock = table(ctx, FEEDS, HEARD), table(ctx, CLOCKS, CLOCK)[0]
    changes = table(ctx, CHANGES, CHANGE)
    n = 0
    if clock.started == 0 and len(rows) > 0:
        clock.started = 1
        for f in range(len(feeds)):
            feeds[f].ts = rows[0].ts
        clock.due = _next_due(feeds)
    for i in range(len(rows)):
        ts, f = rows[i].ts, rows[i].feed
        if rows[i].kind == _MESSAGE and feeds[f].after > 0:
            heard = feeds[f]
            if heard.silent or ts - heard.ts > heard.after:
                if heard.silent == 0:
                    _note(changes[n], i, f, _STALE, heard.ts, 0)
                    n += 1
                _note(changes[n], i, f, _FRESH, heard.ts, heard.silent)
                n += 1
                heard.silent = 0
                clock.due = min(clock.due, ts + heard.after)
            heard.ts = ts
        if ts > clock.due:
            for f in range(len(feeds)):
                heard = feeds[f]
                if heard.after > 0 and heard.silent == 0 and ts - heard.ts > heard.after:
                    heard.silent = 1
                    _note(changes[n], i, f, _STALE, heard.ts, 1)
                    n += 1
            clock.due = _next_due(feeds)
    return n


@kernel
def _next_due(feeds: Any) -> int:
    due = _NEVER
    for f in range(len(feeds)):
        if feeds[f].after > 0 and feeds[f].silent == 0:
            due = min(due, feeds[f].ts + feeds[f].after)
    return due


@kernel
def _note(change: Any, row: int, feed: int, kind: int, since: int, is_told: int) -> None:
    change.row, change.feed, change.kind, change.since, change.is_told = row, feed, kind, since, is_told
