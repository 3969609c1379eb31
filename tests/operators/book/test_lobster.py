"""A whole NASDAQ day, order by order, against the books LOBSTER made of it."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from operators.book.book import Book, BookParameters
from operators.book.ladder import LADDER, LEVEL, row_of
from operators.book.state import LADDER_LEVELS, LADDERS
from operators.book.stream import event_stream
from operators.kernel import kernel, table
from tests.operators.book.lobster import encode, read


@kernel
def look(ctx: Any, row: Any) -> None:
    """Write the best levels of instrument 0 to `row`, of shape (depth, side, [price, qty])."""
    ladders, levels = table(ctx, LADDERS, LADDER), table(ctx, LADDER_LEVELS, LEVEL)
    for side in range(2):
        for depth in range(min(len(row), ladders[side].count)):
            level = levels[row_of(ladders, side, depth)]
            row[depth, side, 0] = level.price
            row[depth, side, 1] = level.qty


@pytest.mark.parametrize(
    ("file", "rows", "rows_nothing_came"),
    [
        ("LOBSTER_SampleFile_AMZN_2012-06-21_5.zip", 155_935, 122_094),
        ("LOBSTER_SampleFile_AAPL_2012-06-21_1.zip", 118_497, 88_425),
    ],
)
def test_every_row_of_the_day(data_path: Path, file: str, rows: int, rows_nothing_came: int) -> None:
    messages, books = read(data_path / "lobster" / file)
    assert len(messages) == len(books) == rows
    events, came = encode(messages, books)
    deepest = books.shape[1] - 1
    assert {depth for depths in came[1:] for depth in depths} == {deepest}
    assert sum(not depths for depths in came[1:]) == rows_nothing_came

    book = Book(BookParameters(orders=10, levels=10), event_stream(0, 1, instruments=1)[0])
    built = np.zeros_like(books)
    quotes = np.zeros((rows, 4), np.int64)
    bounds = np.searchsorted(events["cause"], np.arange(rows + 1)).tolist()
    for row in range(rows):
        produced = book.process({"events": events[bounds[row] : bounds[row + 1]]})
        assert "feed_events" not in produced
        look(book._state.ctx, built[row])
        quotes[row] = produced["quotes"][0].tolist()[3:7] if "quotes" in produced else quotes[row - 1]
    assert np.array_equal(built, books)
    assert np.array_equal(quotes, np.hstack((books[:, 0, :, 0], books[:, 0, :, 1])))
