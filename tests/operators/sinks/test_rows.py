"""Waiting rows: replayed rows are skipped, missing ones noticed, others' buffers left alone."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from operators.sinks.rows import WaitingRows
from schemas.errors import InvariantError
from schemas.market import DEAD_LETTERS
from schemas.trade import FILLS
from tests.operators.sinks.samples import fills

TEXTS = DEAD_LETTERS.rows([(n, n, 0, str(n), b"x" * n) for n in range(60)])


@given(st.integers(0, 30), st.lists(st.tuples(st.integers(0, 30), st.integers(0, 12), st.booleans()), max_size=20))
def test_every_row_after_the_last_comes_out_once_and_in_order(last, steps):
    waiting, taken, newest = WaitingRows(FILLS, last), [], last
    for back, size, clear in steps:
        first = max(1, newest + 1 - back)
        new = waiting.append(first, fills(first, size))
        assert new == max(0, first + size - 1 - newest)
        newest += new
        if clear:
            batch = waiting.take()
            assert (batch.table, batch.first) == ("fills", newest - len(batch.rows) + 1)
            taken.append(batch.rows)
    taken = [number for rows in [*taken, waiting.take().rows] for number in rows["fill_id"].tolist()]
    assert taken == list(range(last + 1, newest + 1))
    assert waiting.last == newest


def test_missing_rows_are_an_error():
    waiting = WaitingRows(FILLS, 4)
    with pytest.raises(InvariantError, match="fills goes from row 4 to row 6"):
        waiting.append(6, fills(6, 1))


def test_rows_of_another_schema_are_an_error():
    with pytest.raises(InvariantError, match="fills row 1 is not of its schema"):
        WaitingRows(FILLS, 0).append(1, DEAD_LETTERS.rows([(1, 1, 0, "", b"")]))


def test_frames_may_be_reused_by_their_owner():
    waiting, scratch = WaitingRows(FILLS, 0), fills(1, 3)
    waiting.append(1, scratch)
    scratch["fill_id"] = -1
    assert waiting.take().rows["fill_id"].tolist() == [1, 2, 3]


@pytest.mark.parametrize("frame", [fills(1, 9)[::3], np.frombuffer(fills(1, 3).tobytes(), FILLS.dtype)])
def test_frames_may_be_strided_or_read_only(frame):
    waiting = WaitingRows(FILLS, 0)
    waiting.append(1, frame)
    np.testing.assert_array_equal(waiting.take().rows, frame)


def test_what_was_taken_is_not_overwritten_by_what_comes_next():
    for schema, rows in ((FILLS, fills(1, 60)), (DEAD_LETTERS, TEXTS)):
        waiting = WaitingRows(schema, 0)
        waiting.append(1, rows[:20])
        taken = waiting.take().rows
        waiting.append(21, rows[20:])
        np.testing.assert_array_equal(taken, rows[:20])
        np.testing.assert_array_equal(waiting.take().rows, rows[20:])


def test_text_is_counted_and_let_go():
    waiting = WaitingRows(DEAD_LETTERS, 0)
    waiting.append(1, DEAD_LETTERS.rows([(1, 1, 0, "four", b"12345"), (2, 2, 0, "", b"1")]))
    waiting.append(2, DEAD_LETTERS.rows([(2, 2, 0, "", b"1"), (3, 3, 0, "xx", b"")]))
    assert (waiting.count, waiting.bytes) == (3, 12)
    assert waiting.take().bytes == 12
    assert (waiting.count, waiting.bytes, waiting.last) == (0, 0, 3)


def test_capacity_grows_with_what_waits():
    waiting = WaitingRows(FILLS, 0)
    for first in range(1, 501):
        waiting.append(first, fills(first, 1))
    assert len(waiting._array) <= 1000
    np.testing.assert_array_equal(waiting.take().rows, fills(1, 500))
