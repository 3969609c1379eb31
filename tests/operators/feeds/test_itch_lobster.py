"""Two whole NASDAQ days from ITCH bytes to books, against the books that LOBSTER made of the same messages."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from operators.book.book import Book, BookParameters
from operators.feeds import itch_encode as itch
from operators.kernel import kernel
from schemas.market import RAW, RawFrame
from tests.operators.book.lobster import read
from tests.operators.feeds.itch_lobster import Encoded, encode
from tests.operators.feeds.itch_session import following

FRAME = 5000


@pytest.mark.parametrize(
    ("file", "rows", "rows_nothing_came"),
    [
        ("LOBSTER_SampleFile_AMZN_2012-06-21_5.zip", 155_935, 122_094),
        ("LOBSTER_SampleFile_AAPL_2012-06-21_1.zip", 118_497, 88_425),
    ],
)
def test_every_row_of_the_day(data_path: Path, file: str, rows: int, rows_nothing_came: int) -> None:
    messages, books = read(data_path / "lobster" / file)
    encoded = encode(np.array(messages), books)
    assert len(books) == rows
    assert set(encoded.depths_come.tolist()) == {books.shape[1] - 1}  # all above follows from the messages
    assert encoded.rows_nothing_came == rows_nothing_came

    levels, quotes = replayed(encoded)
    assert first_difference(levels, books) == -1

    last = np.searchsorted(quotes["row"], np.arange(rows), side="right") - 1
    top = np.stack([quotes[name][last] for name in ("bid", "bid_qty", "ask", "ask_qty")], axis=1)
    assert np.array_equal(top, books[:, 0].reshape(rows, 4))


def test_a_single_share_too_many_is_noticed(data_path: Path) -> None:
    messages, books = read(data_path / "lobster/LOBSTER_SampleFile_AAPL_2012-06-21_1.zip")
    encoded = encode(np.array(messages), books)
    submissions = np.flatnonzero(
        (encoded.sizes == len(itch.add_order(1, 0, 1, b"B", 1, "", 1))) & (encoded.rows > 50_000)
    )
    chosen = submissions[0]
    shares = slice(encoded.starts[chosen] + 20, encoded.starts[chosen] + 24)
    encoded.data[shares] = np.frombuffer((int.from_bytes(encoded.data[shares].tobytes()) + 1).to_bytes(4), np.uint8)
    assert first_difference(replayed(encoded)[0], books) == encoded.rows[chosen]


def first_difference(levels: Any, books: Any) -> int:
    """The first row of the file whose book is not what `levels` lead to, or -1."""
    lowest, highest = int(levels["price"].min()), int(levels["price"].max())
    holds = np.zeros((2, highest - lowest + 1), np.int64)
    ends = np.searchsorted(levels["row"], np.arange(len(books)), side="right")
    return int(first_row_that_differs(levels, ends, np.ascontiguousarray(books), lowest, holds))


def replayed(encoded: Encoded) -> tuple[Any, Any]:
    """`levels` and `quotes` as the operators produce them, with the row of the file in the place of the cause."""
    decoder = following(["LOBSTER"])
    book = Book(BookParameters(), decoder.desk)
    directory = itch.stock_directory(1, 0, "LOBSTER")
    raw = np.zeros(len(encoded.starts) + 1, RAW.dtype)
    raw["cause"] = np.arange(len(raw))
    raw["start"][1:], raw["size"][1:] = encoded.starts + len(directory), encoded.sizes
    raw["size"][0] = len(directory)
    data = np.concatenate((np.frombuffer(directory, np.uint8), encoded.data))
    found: dict[str, list[Any]] = {"levels": [], "quotes": []}
    for start in range(0, len(raw), FRAME):
        decoded = decoder.process({"raw": RawFrame(raw[start : start + FRAME], data)})
        assert list(decoded) == ["events"]
        produced = book.process(decoded)
        assert "feed_events" not in produced
        for port, frames in found.items():
            frames.append(produced[port].copy())
    return tuple(_by_row(np.concatenate(found[port]), encoded.rows) for port in ("levels", "quotes"))


def _by_row(frame: Any, rows: Any) -> Any:
    """Columns of the frame, `row` being that of the file; what the directory message led to belongs to the first."""
    columns = {name: frame[name] for name in frame.dtype.names}
    columns["row"] = rows[np.maximum(frame["cause"] - 1, 0)]
    dtype = [(name, "i8") for name in columns]
    found = np.empty(len(frame), dtype)
    for name, column in columns.items():
        found[name] = column
    return found


@kernel
def first_row_that_differs(levels: Any, ends: Any, books: Any, lowest: int, holds: Any) -> int:
    """The first row of `books` (rows, depth, side, [price, qty]) that is not exactly what `levels` lead to, or -1.

    `holds` are the totals by side and price, from `lowest` on, before the first change.
    """
    count = np.zeros(2, np.int64)
    i = 0
    for row in range(len(books)):
        while i < ends[row]:
            level = levels[i]
            at = level.price - lowest
            count[level.side] += (level.qty > 0) - (holds[level.side, at] > 0)
            holds[level.side, at] = level.qty
            i += 1
        for side in range(2):
            shown = 0
            for depth in range(books.shape[1]):
                price, qty = books[row, depth, side]
                if qty:
                    shown += 1
                    at = price - lowest
                    if at < 0 or at >= holds.shape[1] or holds[side, at] != qty:
                        return row
            if shown != count[side]:
                return row
    return -1
