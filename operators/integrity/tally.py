"""The kernels of the audit operator: what each feed received in an hour, and what it admitted."""

from typing import Any

import numpy as np

from operators.feeds.itch_bytes import be8, be32
from operators.framing.notice import KINDS
from operators.kernel import kernel, table
from schemas.market import FeedEventKind, RawKind
from schemas.record import Frame

TALLY = np.dtype(
    [
        ("received", "i8"),
        ("recovered", "i8"),
        ("lost", "i8"),
        ("duplicated", "i8"),
        ("out_of_order", "i8"),
        ("rejected", "i8"),
    ],
    align=True,
)
"""Counts of one feed; named as in AUDITS."""

HOUR_NS = 3600 * 10**9

# Tables behind `ctx`: the counts of the hour, and which hour that is (-1: none yet).
HOUR, NOW = range(2)

DONE, NEW_HOUR, ENDED = range(3)
"""Why `receive` came back."""

_I8, _MOST = np.dtype(np.int64), np.iinfo(np.int64).max
_MESSAGE, _END = int(RawKind.MESSAGE), int(RawKind.END)
_GAP, _RECOVERED, _DUPLICATE = int(FeedEventKind.GAP), int(FeedEventKind.RECOVERED), int(FeedEventKind.DUPLICATE)
_OUT_OF_ORDER, _REPEATED = int(FeedEventKind.OUT_OF_ORDER), int(FeedEventKind.REPEATED)
_NOTICES = tuple(int.from_bytes(kind, "big") for kind in KINDS)
_WORD = 4


@kernel
def receive(ctx: Any, rows: Frame, data: Frame, first: int) -> tuple[int, int]:
    """Count the messages of `rows[first:]` of schema RAW; returns why it stopped, and at which row.

    NEW_HOUR: the row begins another hour and is not counted yet. ENDED: it ends the input, and is counted.
    """
    tallies, now = table(ctx, HOUR, TALLY), table(ctx, NOW, _I8)
    base = data.ctypes.data
    for i in range(first, len(rows)):
        row = rows[i]
        if row.ts // HOUR_NS != now[0]:
            if now[0] >= 0:
                return NEW_HOUR, i
            now[0] = row.ts // HOUR_NS
        if row.kind == _MESSAGE:
            is_notice = row.size >= _WORD and be8(base + row.start) == 0 and be32(base + row.start) in _NOTICES
            tallies[row.feed].received += not is_notice
        elif row.kind == _END:
            return ENDED, i
    return DONE, len(rows)


@kernel
def admit(ctx: Any, rows: Frame) -> None:
    """Count what `rows` of schema FEED_EVENTS say of messages."""
    tallies = table(ctx, HOUR, TALLY)
    for i in range(len(rows)):
        row = rows[i]
        if not 0 <= row.feed < len(tallies):
            continue
        tally = tallies[row.feed]
        if row.kind == _GAP:
            tally.lost = _sum(tally.lost, row)
        elif row.kind == _RECOVERED:
            tally.recovered = _sum(tally.recovered, row)
        elif row.kind == _DUPLICATE:
            tally.duplicated = _sum(tally.duplicated, row)
        elif row.kind == _REPEATED:
            tally.duplicated += row.first
        elif row.kind == _OUT_OF_ORDER:
            tally.out_of_order += 1


@kernel
def _sum(count: int, row: Any) -> int:
    """`count` and the numbers from `first` to `last`; as much as fits, for a damaged number may be any."""
    return count + min(max(row.last - row.first, -1) + 1, _MOST - count)
