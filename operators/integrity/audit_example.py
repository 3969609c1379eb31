"""A seeded input for the audit: an input log of two feeds, and what decoders might have made of it."""

from decimal import Decimal

import numpy as np

from operators.feeds.raw_log import START_NS
from operators.framing.mold_output import Lost
from operators.framing.notice import encode_notice
from operators.integrity.tally import HOUR_NS
from operators.operator import Desk, Example, Feed, Frames
from schemas.instrument import Instrument
from schemas.market import DEAD_LETTERS, FEED_EVENTS, RAW, FeedEventKind, RawFrame, RawKind

_ENTRIES = 500
_KINDS = (FeedEventKind.GAP, FeedEventKind.RECOVERED, FeedEventKind.DUPLICATE, FeedEventKind.OUT_OF_ORDER)
_OTHERS = (FeedEventKind.REPEATED, FeedEventKind.HALT, FeedEventKind.GAP)


def audit_example(seed: int) -> Example:
    """About a dozen hours, one or two of them empty."""
    rng = np.random.default_rng(seed)
    share = Instrument(id="A", venue="V", symbol="A", tick=Decimal("0.01"), lot=Decimal(1), currency="USD")
    desk = Desk("example", (share,), feeds=(Feed("x", ("A",)), Feed("y", ("A",))))
    rows = np.zeros(_ENTRIES, RAW.dtype)
    rows["cause"] = np.arange(1, _ENTRIES + 1)
    rows["ts"] = START_NS + np.cumsum(rng.choice((10**9, HOUR_NS // 40, 2 * HOUR_NS), _ENTRIES, p=(0.1, 0.895, 0.005)))
    rows["kind"] = rng.choice((RawKind.MESSAGE, RawKind.TICK, RawKind.CONNECT), _ENTRIES, p=(0.9, 0.08, 0.02))
    rows["kind"][-1] = RawKind.END
    rows["feed"] = np.where(np.isin(rows["kind"], (RawKind.TICK, RawKind.END)), -1, rng.integers(0, 2, _ENTRIES))
    messages = [encode_notice(Lost(1, 2)) if rng.random() < 0.1 else b"message" for _ in range(_ENTRIES)]
    rows["size"] = [len(m) for m in messages]
    rows["start"] = np.cumsum(rows["size"]) - rows["size"]
    admitted, letters = [], []
    for cause, ts in rows[["cause", "ts"]][rng.random(_ENTRIES) < 0.3].tolist():
        kind, first = (*_KINDS, *_OTHERS)[int(rng.integers(7))], int(rng.integers(1, 99))
        admitted.append((cause, ts, int(rng.integers(-1, 2)), -1, kind, first, first + int(rng.integers(0, 5))))
        if rng.random() < 0.3:
            letters.append((cause, ts, int(rng.integers(0, 2)), "reason", b"bytes"))
    raw = RawFrame(rows, np.frombuffer(b"".join(messages), np.uint8))
    frames: Frames = {"raw": raw, "feed_events": FEED_EVENTS.rows(admitted), "dead_letters": DEAD_LETTERS.rows(letters)}
    return Example(desk, {}, frames)
