"""The chain of updates against Binance's rules, word for word."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operators.feeds import binance_chain
from operators.feeds.binance_chain import UNSYNCED, Chain, Update, Verdict
from schemas.market import FeedEventKind

APPLY, IGNORE, HOLD, LOSE, OVERFLOW = Verdict
GAP, DUPLICATE, INCONSISTENT = FeedEventKind.GAP, FeedEventKind.DUPLICATE, FeedEventKind.INCONSISTENT
OUT_OF_ORDER = FeedEventKind.OUT_OF_ORDER


def update(previous, final):
    return Update(previous, final, 0, [final], [1], 1)


def offered(chain, *updates):
    return [chain.offer(update(*u)) for u in updates]


def finals(updates):
    return None if updates is None else [u.final for u in updates]


@pytest.mark.parametrize(
    ("is_futures", "last", "applied", "joining"),
    [
        (False, 9, None, False),  # before all that is held
        (False, 10, [12, 15, 20], False),  # U = lastUpdateId + 1
        (False, 11, [12, 15, 20], False),
        (False, 12, [15, 20], False),  # u <= lastUpdateId is dropped
        (False, 19, [20], False),
        (False, 20, [], True),
        (False, 25, [], True),
        (True, 9, None, False),
        (True, 11, [12, 15, 20], False),
        (True, 12, [12, 15, 20], False),  # only u < lastUpdateId is dropped
        (True, 13, [15, 20], False),
        (True, 20, [20], False),
        (True, 21, [], True),
    ],
)
def test_a_snapshot_takes_up_the_held_updates_that_follow_it(is_futures, last, applied, joining):
    chain = Chain(is_futures)
    assert offered(chain, (10, 12), (12, 15), (15, 20)) == [(HOLD, None)] * 3
    updates, admission = chain.snapshot(last)
    assert finals(updates) == applied
    if applied is None:
        assert admission == (OUT_OF_ORDER, last, 10)
        assert chain.last == UNSYNCED
        assert finals(chain.held) == [12, 15, 20]
    else:
        assert admission is None
        assert (chain.last, chain.is_joining, chain.held) == (max([last, *applied]), joining, [])


@pytest.mark.parametrize(
    ("is_futures", "first", "expected"),
    [
        (False, (5, 9), (IGNORE, None)),
        (False, (5, 10), (IGNORE, None)),
        (False, (5, 11), (APPLY, None)),
        (False, (10, 11), (APPLY, None)),
        (False, (11, 12), (LOSE, (GAP, 11, 11))),
        (True, (5, 9), (IGNORE, None)),
        (True, (5, 10), (APPLY, None)),
        (True, (10, 14), (APPLY, None)),
        (True, (12, 14), (LOSE, (GAP, 11, 12))),
    ],
)
def test_the_first_update_behind_a_bare_snapshot_may_begin_before_it(is_futures, first, expected):
    chain = Chain(is_futures)
    chain.snapshot(10)
    assert chain.offer(update(*first)) == expected


@pytest.mark.parametrize("is_futures", [False, True])
@pytest.mark.parametrize(
    ("second", "expected"),
    [
        ((14, 17), (APPLY, None)),
        ((15, 17), (LOSE, (GAP, 15, 15))),
        ((20, 21), (LOSE, (GAP, 15, 20))),
        ((13, 17), (LOSE, (INCONSISTENT, 14, 17))),  # begins inside what is known
        ((10, 14), (IGNORE, (DUPLICATE, 14, 14))),
        ((8, 9), (IGNORE, (DUPLICATE, 9, 9))),
    ],
)
def test_each_further_update_follows_the_one_before(is_futures, second, expected):
    chain = Chain(is_futures)
    chain.snapshot(10)
    assert offered(chain, (10, 14), second) == [(APPLY, None), expected]
    assert (chain.last == UNSYNCED) == (expected[0] is LOSE)
    assert finals(chain.held) == ([second[1]] if expected[0] is LOSE else [])


def test_after_a_gap_everything_is_held_until_a_snapshot():
    chain = Chain(False)
    chain.snapshot(10)
    assert [v for v, _ in offered(chain, (10, 11), (12, 13), (13, 14), (11, 12))] == [APPLY, LOSE, HOLD, IGNORE]
    assert finals(chain.snapshot(13)[0]) == [14]
    assert chain.offer(update(14, 15)) == (APPLY, None)


def test_a_break_among_held_updates_forgets_those_before_it():
    chain = Chain(True)
    assert offered(chain, (1, 2), (2, 4), (6, 8)) == [(HOLD, None), (HOLD, None), (HOLD, (GAP, 5, 6))]
    assert finals(chain.held) == [8]


def test_a_snapshot_older_than_the_book_is_ignored_and_a_newer_one_taken():
    chain = Chain(False)
    chain.snapshot(10)
    offered(chain, (10, 15))
    assert chain.snapshot(15) == (None, (DUPLICATE, 15, 15))
    assert chain.snapshot(20) == ([], None)
    assert offered(chain, (15, 18), (18, 22)) == [(IGNORE, None), (APPLY, None)]


def test_a_snapshot_older_than_updates_that_are_gone_is_late():
    chain = Chain(False)
    chain.snapshot(10)
    offered(chain, (10, 15))
    chain.lose()
    assert chain.snapshot(14) == (None, (OUT_OF_ORDER, 14, 15))
    assert chain.last == UNSYNCED
    assert chain.snapshot(15) == ([], None)


def test_what_was_missed_and_comes_after_all_is_told_from_what_came_twice():
    chain = Chain(False)
    chain.snapshot(10)
    seen = offered(chain, (10, 11), (13, 15), (11, 13), (13, 15))
    assert [admission for _, admission in seen] == [
        None,
        (GAP, 12, 13),
        (OUT_OF_ORDER, 13, 15),
        (DUPLICATE, 15, 15),
    ]


def test_what_is_held_is_bounded(monkeypatch):
    monkeypatch.setattr(binance_chain, "HELD_MAX", 3)
    chain = Chain(False)
    verdicts = [v for v, _ in offered(chain, *((i, i + 1) for i in range(9)))]
    assert verdicts == [HOLD, HOLD, HOLD, OVERFLOW, HOLD, HOLD, HOLD, OVERFLOW, HOLD]
    assert finals(chain.snapshot(8)[0]) == [9]


def test_a_book_that_all_updates_are_older_than_is_wrong():
    """One update with an id out of this world must not freeze a book that is called whole."""
    chain = Chain(False)
    chain.snapshot(10)
    offered(chain, (10, 10**15))
    seen = offered(chain, *((10 + i, 11 + i) for i in range(binance_chain.STALE_MAX)))
    assert [v for v, _ in seen] == [IGNORE] * (binance_chain.STALE_MAX - 1) + [LOSE]
    assert seen[-1][1] == (INCONSISTENT, 110, 10**15)
    assert finals(chain.snapshot(109)[0]) == [110]


@given(st.booleans(), st.lists(st.tuples(st.sampled_from("uuuuus"), st.integers(0, 6), st.integers(1, 4)), max_size=40))
def test_a_whole_book_knows_every_id(is_futures, steps):
    """However updates are lost, repeated and reordered: while the chain is whole, the ids it covers have no hole."""
    chain, known, at = Chain(is_futures), set(), 0
    for kind, jump, length in steps:
        at = max(at + jump - 2, 0)
        if kind == "s":
            updates, _ = chain.snapshot(at)
            if updates is not None:
                known = set(range(at + 1))
        else:
            updates = [update(at, at + length)] if chain.offer(update(at, at + length))[0] is APPLY else []
            at += length
        for u in updates or []:
            known |= set(range(u.previous + 1, u.final + 1))
        if chain.last != UNSYNCED:
            assert known == set(range(chain.last + 1))
