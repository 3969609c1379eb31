"""Messages of known shapes (operators.feeds.shape) to event rows, compiled. What matches no shape is left alone."""

from typing import Any

import numpy as np

from operators.feeds.scan_match import EVENT_ROWS, FEED, FEEDS, FULL, SHAPES, SLOT_VALUES, SPAN, SPANS, STEPS, match
from operators.feeds.scan_values import NO
from operators.feeds.shape import SHAPE, Slot
from operators.kernel import inlined, kernel, rows_at, table
from schemas.market import EVENTS, EventKind, RawKind
from schemas.record import Frame

STEP = np.dtype(
    [
        (name, "i8")
        for name in (
            "shape", "row", "feed", "cause", "ts", "symbol", "first", "bids", "end",
            "time", "order", "previous", "checksum", "kind", "bid", "bid_qty", "ask", "ask_qty", "stamp", "sequence",
        )
    ]
)  # fmt: skip
"""What is to be done next: a message's shape (UNREAD: none), its entry, and what it states; its symbol among those of
the feed; its rows from `first` to `end`, whose first `bids` are of the bid side."""

UNREAD, COMPLETE = -1, -2
"""No shape matched; rows of any number of messages of one feed, to be written as they are."""

_EVENT, _BYTE, _I8 = EVENTS.dtype, np.dtype(np.uint8), np.dtype(np.int64)
_MESSAGE, _LEVEL = int(RawKind.MESSAGE), int(EventKind.LEVEL)
(
    _TIME, _ORDER, _PREVIOUS, _CHECKSUM, _KIND, _SIDE, _BID, _BID_QTY, _ASK, _ASK_QTY, _STAMP, _SEQUENCE,
) = map(int, list(Slot)[1:])  # fmt: skip


@kernel
def scan(ctx: Any, raws: Frame, data: Frame, first: int) -> tuple[int, int]:
    """Read the messages among `raws[first:]` of schema RAW, whose bytes are in `data`.

    Returns (row, steps): how many steps it wrote, and the row before which it stopped for want of room for
    events, or the end.
    """
    feeds, steps, shapes = table(ctx, FEEDS, FEED), table(ctx, STEPS, STEP), table(ctx, SHAPES, SHAPE)
    rows, done, size = 0, 0, len(data)
    text = rows_at(data.ctypes.data, size, _BYTE)
    for i in range(first, len(raws)):
        raw = raws[i]
        is_known = raw.feed < len(feeds)
        if raw.feed < 0 or (is_known and feeds[raw.feed].count == 0):
            continue
        found, end = UNREAD, NO
        if is_known and raw.kind == _MESSAGE and raw.start >= 0 and raw.size >= 0 and raw.start + raw.size <= size:
            for shape in range(len(shapes)):
                end = match(ctx, shapes[shape].first, text, raw, rows)
                if end != NO:
                    found = shape
                    break
        bids = _sides(ctx, rows, end) if found >= 0 else 0
        if FULL in (end, bids):
            return i, done
        if found >= 0 and shapes[found].is_complete:
            if done > 0 and steps[done - 1].shape == COMPLETE and steps[done - 1].feed == raw.feed:
                steps[done - 1].end = rows = end
                continue
            found = COMPLETE
        step = steps[done]
        step.shape, step.row, step.feed, step.cause, step.ts = found, i, raw.feed, raw.cause, raw.ts
        done += 1
        if found != UNREAD:
            _state(table(ctx, SLOT_VALUES, _I8), step)
            step.first, step.bids, step.end = rows, bids, end
            rows = end
    return len(raws), done


@inlined
def _state(slots: Any, step: Any) -> None:
    """Write what a message states into its step."""
    step.symbol, step.time, step.order, step.previous = slots[0], slots[_TIME], slots[_ORDER], slots[_PREVIOUS]
    step.checksum, step.kind, step.stamp, step.sequence = (
        slots[_CHECKSUM],
        slots[_KIND],
        slots[_STAMP],
        slots[_SEQUENCE],
    )
    step.bid, step.bid_qty, step.ask, step.ask_qty = slots[_BID], slots[_BID_QTY], slots[_ASK], slots[_ASK_QTY]


@inlined
def _sides(ctx: Any, first: int, end: int) -> int:
    """How many bids there are among the rows from `first` to `end`, if they are levels; FULL where there is no room.

    Levels get the time and order of their message, and bids come to stand before asks.
    """
    slots, events = table(ctx, SLOT_VALUES, _I8), table(ctx, EVENT_ROWS, _EVENT)
    if first == end or events[first].kind != _LEVEL:
        return 0
    bids, is_sorted = 0, True
    for k in range(first, end):
        events[k].ts_event, events[k].order = slots[_TIME], slots[_ORDER]
        if events[k].side == 0:
            is_sorted &= bids == k - first
            bids += 1
    if is_sorted:
        return bids
    if 2 * end - first > len(events):
        return FULL
    spans = table(ctx, SPANS, SPAN)
    bid, ask = end, end + bids
    for k in range(first, end):
        if events[k].side == 0:
            events[bid], spans[bid] = events[k], spans[k]
            bid += 1
        else:
            events[ask], spans[ask] = events[k], spans[k]
            ask += 1
    for k in range(first, end):
        events[k], spans[k] = events[k + end - first], spans[k + end - first]
    return bids
