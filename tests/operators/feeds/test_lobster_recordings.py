"""Two whole NASDAQ days from LOBSTER's files to books, against those that LOBSTER made of the same messages."""

from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from operators.book.book import Book, BookParameters
from operators.feeds.lobster import Lobster
from operators.feeds.lobster_book import POOLS
from operators.operator import Desk, Feed
from operators.sources.desk_input import DeskInput
from operators.sources.feed import feed_config
from schemas.instrument import Instrument
from schemas.market import BookState, EventKind
from tests.operators.book.lobster import read
from tests.operators.feeds.test_itch_lobster import first_difference

FEED = {"id": "nasdaq", "format": "lobster", "instruments": ["X"], "date": "2012-06-21", "timezone": "America/New_York"}


@pytest.mark.parametrize(
    ("file", "rows", "rows_nothing_came"),
    [
        ("LOBSTER_SampleFile_AMZN_2012-06-21_5.zip", 155_935, 122_094),
        ("LOBSTER_SampleFile_AAPL_2012-06-21_1.zip", 118_497, 88_425),
    ],
)
def test_every_row_of_the_day(data_path: Path, file: str, rows: int, rows_nothing_came: int) -> None:
    messages, books = read(data_path / "lobster" / file)
    produced = replayed(data_path / "lobster" / file)
    assert len(books) == rows
    assert {port: len(frame) for port, frame in produced.items() if port in ("dead_letters", "feed_events")} == {}

    # All that did not come into view follows from the messages: above the last level, always.
    events = produced["events"]
    came = events[(events["order"] > POOLS) & (events["kind"] == EventKind.ADD) & (events["cause"] > 1)]
    assert rows - 1 - len(np.unique(came["cause"])) == rows_nothing_came
    last = books[came["cause"] - 1, -1, came["side"]]
    assert np.array_equal(np.stack([came["price"], came["qty"]], axis=1), last)

    assert first_difference(by_row(produced["levels"]), books) == -1
    quotes = produced["quotes"]
    shown = quotes[np.searchsorted(quotes["cause"], 1 + np.arange(rows), side="right") - 1]
    assert np.array_equal(top(shown), books[:, 0].reshape(rows, 4))
    assert set(np.unique(shown["state"])) <= {0, int(BookState.HALTED)}

    hidden = events[events["kind"] == EventKind.TRADE]
    assert len(hidden) == sum(message[1] == 5 for message in messages)
    assert np.array_equal(hidden["price"], [int(message[4]) for message in messages if message[1] == 5])
    seconds = 1_340_251_200 + np.array([message[0] for message in messages])  # midnight in New York
    assert np.abs(events["ts_event"] - seconds[events["cause"] - 1] * 1e9).max() < 500  # the oracle is a float


def top(quotes: Any) -> Any:
    return np.stack([quotes[name] for name in ("bid", "bid_qty", "ask", "ask_qty")], axis=1)


def by_row(levels: Any) -> Any:
    """The level changes but for the first clearing, with the row of the file in the place of the cause."""
    levels = levels[levels["qty"] >= 0]
    found = {name: levels[name] for name in ("price", "qty", "side")} | {"row": levels["cause"] - 1}
    frame = np.empty(len(levels), [(name, "i8") for name in found])
    for name, column in found.items():
        frame[name] = column
    return frame


def replayed(path: Path) -> dict[str, Any]:
    """Everything that decoder and book make of the files; the book's first clearing is no feed event here."""
    instrument = Instrument.model_validate(
        {"id": "X", "venue": "XNAS", "symbol": "X", "tick": "0.0001", "lot": 1, "currency": "USD"}
    )
    desk = Desk(id="lobster", instruments=(instrument,), feeds=(Feed("nasdaq", ("X",)),))
    decoder, book = Lobster(Lobster.Parameters(feeds=("nasdaq",)), desk), Book(BookParameters(), desk)
    came: dict[str, list[Any]] = {}
    with closing(DeskInput([(feed_config(**FEED | {"path": path.name}), path)], 4096, None)) as source:
        while (raw := source.next()) is not None:
            decoded = decoder.process({"raw": raw})
            produced = book.process(decoded) if "events" in decoded else {}
            resets = produced.get("feed_events")
            if resets is not None and raw.rows["cause"][0] == 1:
                produced = {**produced, "feed_events": resets[resets["cause"] > 1]}
            for port, frame in [*decoded.items(), *produced.items()]:
                if len(frame):
                    came.setdefault(port, []).append(frame.copy())
    return {port: np.concatenate(frames) for port, frames in came.items()}
