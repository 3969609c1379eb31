"""A recorded Bybit session of two categories: an unbroken chain of updates, and books that agree with the tickers."""

import json
from bisect import bisect_right

import pytest

from operators.feeds.bybit import Bybit
from operators.feeds.definitions import bybit_instruments
from schemas.market import EventKind, FeedEventKind
from tests.operators.feeds.recorded_session import Replayed, bodies

LINEAR, SPOT = "BYBIT.ws.2", "BYBIT.ws.3"


@pytest.fixture(scope="module")
def replayed(data_path):
    linear = bybit_instruments(bodies(data_path, "bybit", "category=linear")[0]).instruments
    spot = bybit_instruments(bodies(data_path, "bybit", "category=spot")[0]).instruments
    feeds = {
        LINEAR: [i for i in linear if i.symbol in ("BTCUSDT", "ETHUSDT", "SOLUSDT", "DOGEUSDT")],
        SPOT: [i.model_copy(update={"id": f"{i.id}-spot"}) for i in spot if i.symbol in ("BTCUSDT", "ETHUSDT")],
    }
    return Replayed(data_path, "bybit", Bybit, feeds)


def test_nothing_is_rejected_and_every_update_follows_the_one_before(replayed):
    """One that did not would leave a feed event and SYNC 0."""
    told = [json.loads(m)["type"] for m in replayed.messages.values() if b'"topic":"orderbook.' in m]
    assert (told.count("snapshot"), told.count("delta")) == (6, 2_142)
    assert len(replayed.rows["dead_letters"]) == len(replayed.rows["feed_events"]) == 0
    syncs = replayed.rows["events"][replayed.rows["events"]["kind"] == EventKind.SYNC]
    assert syncs["qty"].tolist() == [1] * 6
    assert set(replayed.kinds("book")) == {FeedEventKind.RESET}


def test_no_book_is_ever_deeper_than_subscribed(replayed):
    """Bybit itself says which levels have left the 200 best; nothing need be taken away."""
    books = {}
    rows = replayed.rows["events"][replayed.rows["events"]["kind"] == EventKind.LEVEL]
    for number, side, price, qty, flags in rows[["instrument", "side", "price", "qty", "flags"]].tolist():
        levels = books.setdefault((number, side), set())
        (levels.add if qty else levels.discard)(price)
        if flags:
            assert len(levels) <= 200


def test_books_agree_with_the_tickers(replayed):
    """A ticker's `cs` and a book's `seq` number the same events of the venue, but books are sent ten times a second:
    a ticker of the futures falls between two books. It has the best prices of the one before in 632 of 636 cases,
    and prices and quantities of the one before or behind in 530."""
    sequences: dict[int, list[int]] = {}
    books: dict[int, list[tuple[int, ...]]] = {}
    tops, best = replayed.tops(), replayed.best()
    for number in best:
        left, current = iter(tops[number]), None
        topic = f'"topic":"orderbook.200.{replayed.instruments[number].symbol}"'.encode()
        upcoming = next(left)
        for cause, message in replayed.messages.items():
            if topic in message and replayed.connections[cause] == LINEAR:
                data = json.loads(message)["data"]
                while upcoming is not None and upcoming[0] <= cause:
                    current, upcoming = upcoming[2], next(left, None)
                if current is not None:
                    sequences.setdefault(number, []).append(data["seq"])
                    books.setdefault(number, []).append(current)
    quotes = replayed.rows["events"][replayed.rows["events"]["kind"] == EventKind.QUOTE]
    orders = dict(quotes[["cause", "order"]].tolist())
    compared = prices = quantities = 0
    for number, told in best.items():
        for cause, _, found in told:
            at = bisect_right(sequences[number], orders[cause]) - 1
            if at >= 0:
                compared += 1
                prices += books[number][at][::2] == found[::2]
                quantities += found in books[number][at : at + 2]
    assert (compared, prices, quantities) == (636, 632, 530)


def test_trades_are_those_of_the_messages(replayed):
    stated = [
        (cause, trade["seq"], trade["S"])
        for cause, message in replayed.messages.items()
        if b'"topic":"publicTrade.' in message
        for trade in json.loads(message)["data"]
    ]
    rows = replayed.rows["events"][replayed.rows["events"]["kind"] == EventKind.TRADE]
    found = [(c, n, "Buy" if side else "Sell") for c, n, side in rows[["cause", "order", "side"]].tolist()]
    assert found == stated
    assert len(found) == 347
