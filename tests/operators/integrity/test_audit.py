"""Counts by feed and hour, and at the end."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from operators.feeds.itch import Itch50
from operators.feeds.raw_log import raw_frame
from operators.framing.mold_output import Lost
from operators.framing.notice import encode_notice
from operators.framing.refused import Refused
from operators.integrity.audit import Audit
from operators.integrity.audit_example import audit_example
from operators.integrity.tally import HOUR_NS
from operators.operator import Desk, Feed
from operators.sources.desk_input import DeskInput
from schemas.integrity import AUDITS, AuditScope
from schemas.market import DEAD_LETTERS, FEED_EVENTS, RAW, FeedEventKind, RawFrame, RawKind
from tests.operators.sources.test_mold_capture import write_lines

DESK = audit_example(0).desk
X, Y = 0, 1
HOUR, RUN = AuditScope.HOUR, AuditScope.RUN
Entry = tuple[int, int, bytes]


def raw(*entries: Entry, first: int = 1, end: int | None = None) -> RawFrame:
    """Entries (minute, feed, message), and an END at a minute."""
    frame = raw_frame([(feed, message) for _, feed, message in entries], first)
    frame.rows["ts"] = [minute * 60 * 10**9 for minute, _, _ in entries]
    if end is None:
        return frame
    last = RAW.rows([(first + len(entries), end * 60 * 10**9, RawKind.END, -1, 0, 0)])
    return RawFrame(np.concatenate([frame.rows, last]), frame.data)


def admitted(*rows: tuple[int, int, FeedEventKind, int, int]) -> Any:
    """Feed events (cause, feed, kind, first, last)."""
    return FEED_EVENTS.rows([(cause, 0, feed, -1, kind, first, last) for cause, feed, kind, first, last in rows])


def audited(frames: Any) -> list[tuple[Any, ...]]:
    """(cause, scope, hour, feed, counts) of what comes."""
    rows = Audit(Audit.Parameters(), DESK).process(frames).get("audits", AUDITS.empty)
    return [(r[0], AuditScope(r[10]), r[2] // HOUR_NS, r[9], r[3:9]) for r in rows.tolist()]


def test_an_hour_is_told_when_a_later_one_begins_and_the_run_at_its_end():
    log = raw((0, X, b"a"), (59, X, b"b"), (60, Y, b"c"), (200, X, b"d"), end=201)
    assert audited({"raw": log}) == [
        (3, HOUR, 0, X, (2, 0, 0, 0, 0, 0)),
        (3, HOUR, 0, Y, (0, 0, 0, 0, 0, 0)),
        (4, HOUR, 1, X, (0, 0, 0, 0, 0, 0)),
        (4, HOUR, 1, Y, (1, 0, 0, 0, 0, 0)),
        (5, HOUR, 3, X, (1, 0, 0, 0, 0, 0)),
        (5, HOUR, 3, Y, (0, 0, 0, 0, 0, 0)),
        (5, RUN, 0, X, (3, 0, 0, 0, 0, 0)),
        (5, RUN, 0, Y, (1, 0, 0, 0, 0, 0)),
    ]


def test_what_was_admitted_counts_in_the_hour_of_its_cause():
    kinds = FeedEventKind
    events = admitted(
        (1, X, kinds.GAP, 5, 9),
        (1, X, kinds.RECOVERED, 3, 4),
        (1, X, kinds.HALT, 1, 50),
        (1, -1, kinds.GAP, 1, 50),
        (2, X, kinds.DUPLICATE, 9, 9),
        (2, X, kinds.REPEATED, 40, 0),
        (2, X, kinds.OUT_OF_ORDER, 5, 20),
    )
    letters = DEAD_LETTERS.rows([(1, 0, X, "reason", b""), (2, 0, X, "reason", b""), (2, 0, Y, "reason", b"")])
    found = audited({"raw": raw((0, X, b"a"), (60, X, b"b"), end=61), "feed_events": events, "dead_letters": letters})
    assert found == [
        (2, HOUR, 0, X, (1, 2, 5, 0, 0, 1)),
        (2, HOUR, 0, Y, (0, 0, 0, 0, 0, 0)),
        (3, HOUR, 1, X, (1, 0, 0, 41, 1, 1)),
        (3, HOUR, 1, Y, (0, 0, 0, 0, 0, 1)),
        (3, RUN, 0, X, (2, 2, 5, 41, 1, 2)),
        (3, RUN, 0, Y, (0, 0, 0, 0, 0, 1)),
    ]


@pytest.mark.parametrize(
    ("message", "received"),
    [(encode_notice(Lost(1, 2)), 0), (encode_notice(Refused("x", b"")), 0), (b"\0", 1), (b"\0gob....", 1), (b"", 1)],
)
def test_what_a_source_says_of_messages_is_not_one(message: bytes, received: int):
    assert audited({"raw": raw((0, X, message), end=0)})[0][-1][0] == received


def test_numbers_out_of_this_world_fit():
    most = 2**63 - 1
    events = admitted(
        (1, X, FeedEventKind.GAP, 1, most), (1, X, FeedEventKind.GAP, 1, 9), (1, X, FeedEventKind.GAP, 9, 2)
    )
    assert audited({"raw": raw((0, X, b"a"), end=0), "feed_events": events})[0][-1] == (1, 0, most, 0, 0, 0)


@pytest.mark.parametrize("seed", range(3))
def test_the_run_is_the_sum_of_its_hours(seed: int):
    found = audited(audit_example(seed).frames)

    def total(scope: AuditScope, feed: int) -> Sequence[int]:
        return [sum(counts) for counts in zip(*(f[-1] for f in found if (f[1], f[3]) == (scope, feed)), strict=True)]

    for feed in (X, Y):
        assert total(HOUR, feed) == total(RUN, feed)
        assert min(total(RUN, feed)) > 0


@pytest.mark.parametrize("seed", range(5))
def test_of_two_lossy_lines_every_message_is_received_or_lost(tmp_path: Path, seed: int):
    (feed, path), sent = write_lines(tmp_path, seed, 0.2)
    desk = Desk("d", DESK.instruments, feeds=(Feed(feed.id),))
    decoder = Itch50(Itch50.Parameters.model_validate({"feed": feed.id, "date": "2026-01-05"}), desk)
    source, audit, rows = DeskInput([(feed, path)], 20, None), Audit(Audit.Parameters(), desk), []
    while (raw_ := source.next()) is not None:
        rows += audit.process({"raw": raw_, **decoder.process({"raw": raw_})}).get("audits", AUDITS.empty).tolist()
    source.close()
    _, _, _, received, recovered, lost, duplicated, out_of_order, rejected, _, scope = rows[-1]
    assert (scope, received + lost, rejected, out_of_order) == (RUN, len(sent), received, 0)
    assert 0 < recovered <= received
    assert duplicated > len(sent) // 3
