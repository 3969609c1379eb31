"""A recorded Kraken session: every checksum agrees, and the books agree with the venue's tickers."""

import json

import pytest

from operators.feeds.definitions import kraken_instruments
from operators.feeds.kraken import Kraken
from schemas.market import EventKind, FeedEventKind
from tests.operators.feeds.recorded_session import Replayed, bodies, records

CONNECTIONS = [f"KRAKEN.ws.{n}" for n in (48, 49, 50)]
"""Trades, tickers, books."""


@pytest.fixture(scope="module")
def replayed(data_path):
    pairs = {
        json.loads(r["data"])["pair"]
        for r in records(data_path, "kraken")
        if r["t"] == "recv" and "subscriptionStatus" in r["data"]
    }
    defined = kraken_instruments(bodies(data_path, "kraken", "AssetPairs")[0], version=1).instruments
    listed = [i for i in defined if i.symbol in pairs]
    assert len(listed) == len(pairs) == 10
    return Replayed(data_path, "kraken", Kraken, dict.fromkeys(CONNECTIONS, listed), depth=1000)


def test_nothing_is_rejected_and_every_checksum_agrees(replayed):
    """A checksum that did not would leave a feed event, and the update without levels."""
    stated = {cause for cause, message in replayed.messages.items() if b'"c":"' in message and b'"book-' in message}
    assert len(stated) == 4_269
    assert len(replayed.rows["dead_letters"]) == len(replayed.rows["feed_events"]) == 0
    levels = replayed.rows["events"][replayed.rows["events"]["kind"] == EventKind.LEVEL]
    assert stated <= set(levels["cause"].tolist())
    assert replayed.kinds("events").count(EventKind.SYNC) == replayed.kinds("events").count(EventKind.CLEAR) == 10
    assert set(replayed.kinds("book")) == {FeedEventKind.RESET}


def test_books_agree_with_the_tickers(replayed):
    """A ticker states no time and comes on another connection: its prices and volumes are the book's top within 30
    messages. The ten tickers at subscription tell of a moment before the books."""
    tops, compared = replayed.tops(), 0
    for number, told in replayed.best().items():
        for cause, _, best in told:
            if cause > tops[number][0][0]:
                compared += 1
                assert any(abs(at - cause) <= 30 and top == best for at, _, top in tops[number]), (cause, best)
    assert compared == 8


def test_trades_are_those_of_the_messages(replayed):
    stated = [
        (cause, trade[3])
        for cause, message in replayed.messages.items()
        if b'"trade","' in message and message[:1] == b"["
        for trade in json.loads(message)[1]
    ]
    rows = replayed.rows["events"][replayed.rows["events"]["kind"] == EventKind.TRADE]
    assert [(c, "b" if side else "s") for c, side in rows[["cause", "side"]].tolist()] == stated
    assert len(stated) == 10
