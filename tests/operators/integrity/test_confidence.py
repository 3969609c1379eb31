"""The states of an instrument, one after the other."""

import pytest

from operators.integrity.confidence import UNKNOWN, Confidence
from schemas.errors import InvariantError
from schemas.integrity import CONFIDENCE
from schemas.market import BookState
from tests.operators.pairs.tape import TWO, quote, tape

OK, HALTED, STALE = BookState.OK, BookState.HALTED, BookState.STALE


def rows(*states: tuple[int, int, int]) -> list[tuple[int, ...]]:
    """What comes of quotes (time, instrument, state): (cause, instrument, state, was, since)."""
    quotes = tape(*(quote(i, ts, number, 9, 10, state) for i, (ts, number, state) in enumerate(states, 1)))
    found = Confidence(Confidence.Parameters(), TWO).process({"quotes": quotes}).get("confidence", CONFIDENCE.empty)
    return found[["cause", "instrument", "state", "was", "since"]].tolist()


def test_a_row_tells_of_every_change_and_how_long_it_was_otherwise():
    assert rows((10, 0, UNKNOWN), (20, 0, OK), (30, 0, OK), (40, 1, HALTED), (50, 0, STALE), (60, 0, OK)) == [
        (2, 0, OK, UNKNOWN, 0),
        (4, 1, HALTED, UNKNOWN, 0),
        (5, 0, STALE, OK, 20),
        (6, 0, OK, STALE, 50),
    ]


def test_an_instrument_the_desk_does_not_have_is_a_broken_invariant():
    with pytest.raises(InvariantError, match=r"desk 'two', confidence, input 1: .* 0 to 1, got one of number 2"):
        rows((10, 2, OK))
