from decimal import Decimal

import structlog

from flows.clock_warning import warn_of_clocks
from operators.operator import Desk, Feed
from schemas.instrument import Instrument
from schemas.market import FEED_EVENTS, FeedEventKind
from schemas.output import Output, Written

TERMS = {"venue": "t", "tick": Decimal("0.01"), "lot": Decimal(1), "currency": "USD"}
DESK = Desk("fx", (Instrument(id="FXCM", symbol="EURUSD", **TERMS),), feeds=(Feed("fxcm", ("FXCM",)),))
HOUR = 3_600 * 10**9


def warned(*events):
    rows = FEED_EVENTS.rows([(7, 1, feed, 0, kind, first, last) for feed, kind, first, last in events])
    with structlog.testing.capture_logs() as logs:
        warn_of_clocks(DESK, Output("fx", Written({"feed_events": (1, FEED_EVENTS, rows.tobytes())} if events else {})))
    return [{name: value for name, value in line.items() if name != "event"} for line in logs]


def test_a_feed_in_another_timezone_is_warned_of():
    skew = FeedEventKind.CLOCK_SKEW
    common = {"desk": "fx", "instrument": "FXCM", "cause": 7, "log_level": "warning"}
    assert warned((0, skew, 5 * HOUR, 300), (-1, skew, -HOUR // 2, -30)) == [
        {"feed": "fxcm", "hours_early": 5.0} | common,
        {"feed": "", "hours_early": -0.5} | common,
    ]


def test_nothing_else_is():
    assert warned() == []
    assert warned((0, FeedEventKind.GAP, 1, 2), (0, FeedEventKind.CLOCK_SKEW, 10**9, 0)) == []
