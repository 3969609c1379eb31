"""Messages about the past are told by the venue's time."""

import pytest

from operators.feeds.bybit import Bybit
from operators.feeds.event_rows import EventRows
from operators.feeds.kraken import Kraken
from operators.feeds.okx import Okx
from operators.feeds.told_book import LATE_MAX, LEAP_MAX_NS, Moment, ToldBook
from schemas.market import FeedEventKind
from tests.operators.feeds import test_bybit, test_kraken, test_okx
from tests.operators.feeds.venue_session import decoded, instruments

SNAPSHOT = [("clear",), ("level", "bid", 10, 1000), ("level", "ask", 12, 2000), ("sync 1", "last")]
LATE, LOST = [], [("sync 0", "last")]
S = 10**9


def heard(*moments: tuple[int, int]) -> tuple[list[bool], list[FeedEventKind]]:
    """Whether messages at (venue time, desk clock) are late, and what is admitted."""
    admitted = []
    book = ToldBook(0, instruments("X")[0], EventRows(), admitted)
    late = [book.is_late(0, Moment(i, ts, ts_event, i)) for i, (ts_event, ts) in enumerate(moments)]
    return late, [row[4] for row in admitted]


def test_a_message_older_than_the_newest_is_late_and_one_without_a_time_never():
    late, admitted = heard((5, 0), (7, 0), (6, 0), (7, 0), (0, 0), (8, 0))
    assert late == [False, False, True, False, False, False]
    assert admitted == [FeedEventKind.OUT_OF_ORDER]


def test_a_time_out_of_this_world_is_not_the_newest():
    late, _ = heard((5 * S, 0), (5 * S + LEAP_MAX_NS + 1, 0), (6 * S, 1), (6 * S + LEAP_MAX_NS, 2), (7 * S, 3))
    assert late == [False, False, False, False, True]


def test_the_desk_clock_says_how_far_a_venues_time_may_have_come():
    hour = 3600 * S
    late, _ = heard((5 * S, 0), (hour, hour), (hour - 1, hour))
    assert late == [False, False, True]


def test_after_many_late_messages_in_a_row_time_has_begun_anew():
    late, admitted = heard((1000, 0), *((i, 0) for i in range(1, LATE_MAX + 1)), (50, 0))
    assert late == [False, *[True] * LATE_MAX, False]
    assert admitted == [FeedEventKind.OUT_OF_ORDER] * (LATE_MAX - 1) + [FeedEventKind.INCONSISTENT]


def test_a_late_snapshot_of_okx_does_not_turn_back_a_book_nor_make_a_lost_one_whole():
    early = test_okx.snapshot(5, ts="1000")
    told = decoded(Okx, early, test_okx.update(5, 6, ts="2000"), early, test_okx.update(8, 9, ts="3000"), early)
    assert told.events == [SNAPSHOT, [], LATE, LOST, LATE]
    assert [event[:2] for event in told.feed_events] == [(3, "OUT_OF_ORDER"), (4, "GAP"), (5, "OUT_OF_ORDER")]


def test_a_late_change_of_okx_costs_nothing_and_numbers_that_fall_in_time_cost_the_book():
    told = decoded(
        Okx,
        test_okx.snapshot(5, ts="1000"),
        test_okx.update(5, 6, ts="2000"),
        test_okx.update(4, 5, ts="1000"),
        test_okx.update(2, 3, ts="3000"),
    )
    assert told.events == [SNAPSHOT, [], LATE, LOST]
    assert told.feed_events == [(3, "OUT_OF_ORDER", 5, 6), (4, "INCONSISTENT", 7, 2)]


def bybit(kind: str, update: int, millis: int) -> bytes:
    whole = test_bybit.snapshot(update) if kind == "snapshot" else test_bybit.delta(update)
    return whole.replace(b'"cts":1500', b'"cts":%d' % millis)


@pytest.mark.parametrize(("last", "at", "events"), [(4, 900, LATE), (1, 3000, SNAPSHOT)])
def test_an_old_snapshot_of_bybit_is_late_and_one_after_a_restart_is_not(last, at, events):
    told = decoded(Bybit, bybit("snapshot", 5, 1000), bybit("delta", 6, 2000), bybit("snapshot", last, at))
    assert told.events == [SNAPSHOT, [], events]


def test_a_late_change_of_bybit_costs_nothing():
    told = decoded(Bybit, bybit("snapshot", 5, 1000), bybit("delta", 6, 2000), bybit("delta", 5, 1000))
    assert told.feed_events == [(3, "OUT_OF_ORDER", 5, 6)]


def test_a_change_of_kraken_that_would_turn_back_the_book_is_late_though_its_checksum_agrees():
    def change(quantity: str, second: int) -> bytes:
        time = f',"timestamp":"1970-01-01T00:00:0{second}Z"'
        return test_kraken.book("update", f"1.0 {quantity}", "", test_kraken.crc("1.2 2", f"1.0 {quantity}"), time=time)

    told = decoded(Kraken, test_kraken.snapshot(), change("3", 1), change("4", 2), change("3", 1))
    bids = [[("level", "bid", 10, lots, "last")] for lots in (3000, 4000)]
    assert told.events == [SNAPSHOT, *bids, LATE]
    assert [event[:2] for event in told.feed_events] == [(4, "OUT_OF_ORDER")]
