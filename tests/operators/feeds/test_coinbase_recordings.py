"""A recorded Coinbase session: no frame missing, and books that agree with the venue's tickers."""

import json
from itertools import pairwise

import pytest

from operators.feeds.coinbase import Coinbase
from operators.feeds.definitions import coinbase_instruments
from schemas.market import EventKind, FeedEventKind
from tests.operators.feeds.recorded_session import Replayed, bodies


@pytest.fixture(scope="module")
def replayed(data_path):
    defined = coinbase_instruments(bodies(data_path, "coinbase", "products")[0]).instruments
    listed = [i for i in defined if i.symbol in ("BTC-USD", "ETH-USD")]
    return Replayed(data_path, "coinbase", Coinbase, {"COINBASE.ws.2": listed})


def test_nothing_is_rejected_and_no_frame_is_missing(replayed):
    """A missing one would leave a feed event and SYNC 0."""
    numbers = [json.loads(message)["sequence_num"] for message in replayed.messages.values()]
    assert len(numbers) == 1_030
    assert all(b - a == 1 for a, b in pairwise(numbers))
    assert len(replayed.rows["dead_letters"]) == len(replayed.rows["feed_events"]) == 0
    syncs = replayed.rows["events"][replayed.rows["events"]["kind"] == EventKind.SYNC]
    assert syncs["qty"].tolist() == [1, 1]
    assert set(replayed.kinds("book")) == {FeedEventKind.RESET}


def test_books_agree_with_the_tickers(replayed):
    """The connection's numbers do not order a ticker among the changes of books: it comes some frames behind or ahead
    of them. It agrees where a book within 30 messages has its prices and quantities."""
    compared = agree = 0
    tops = replayed.tops()
    for number, told in replayed.best().items():
        for cause, _, best in told:
            if cause > tops[number][0][0]:
                compared += 1
                agree += any(abs(at - cause) <= 30 and top == best for at, _, top in tops[number])
    assert (compared, agree) == (154, 146)


def test_trades_are_those_of_the_messages(replayed):
    stated = [
        (int(trade["trade_id"]), trade["side"])
        for message in map(json.loads, replayed.messages.values())
        if message["channel"] == "market_trades"
        for event in message["events"]
        if event["type"] == "update"
        for trade in event["trades"]
    ]
    rows = replayed.rows["events"][replayed.rows["events"]["kind"] == EventKind.TRADE]
    assert [(n, "SELL" if side else "BUY") for n, side in rows[["order", "side"]].tolist()] == stated
    assert len(stated) == 79


def test_trades_happened_at_the_best_price_of_the_side_that_rested(replayed):
    """What `side` of a trade means: the maker's. Nine in ten are at or beyond that side's best at the time."""
    trades = replayed.rows["events"][replayed.rows["events"]["kind"] == EventKind.TRADE]
    tops, right = replayed.tops(), 0
    for number, at, side, price in trades[["instrument", "ts_event", "side", "price"]].tolist():
        before = [top for _, time, top in tops[number] if time <= at] or [tops[number][0][2]]
        right += price >= before[-1][2] if side else price <= before[-1][0]
    assert right > 0.9 * len(trades)
