"""A recorded OKX session of 2022, before sequence numbers: every checksum agrees, and so do the tickers' prices."""

import json
from itertools import groupby

import pytest

from operators.feeds.definitions import okx_instruments
from operators.feeds.okx import Okx
from schemas.instrument import Instrument
from schemas.market import EventKind, FeedEventKind
from tests.operators.feeds.recorded_session import Replayed, bodies

INVERSE = [("BTC-USD-220527", "0.1"), ("UNI-USD-SWAP", "0.001")]
"""Inverse contracts, which the definitions leave out: here they are watched, not traded."""


@pytest.fixture(scope="module")
def replayed(data_path):
    defined = okx_instruments(bodies(data_path, "okx", "instType=SPOT")[0]).instruments
    spot = next(i for i in defined if i.symbol == "BTC-USDT")
    inverse = [Instrument(id=s, venue="okx", symbol=s, tick=tick, lot=1, currency="USD") for s, tick in INVERSE]
    return Replayed(data_path, "okx", Okx, {"OKX.ws.1": [spot, *inverse]})


def test_nothing_is_rejected_and_every_checksum_agrees(replayed):
    """A checksum that did not would leave a feed event, and the message without levels."""
    stated = {cause for cause, message in replayed.messages.items() if b'"checksum":' in message}
    assert len(stated) == 290
    assert len(replayed.rows["dead_letters"]) == len(replayed.rows["feed_events"]) == 0
    levels = replayed.rows["events"][replayed.rows["events"]["kind"] == EventKind.LEVEL]
    assert stated == set(levels["cause"].tolist())
    assert replayed.kinds("events").count(EventKind.SYNC) == 3
    assert set(replayed.kinds("book")) == {FeedEventKind.RESET}


def test_books_agree_with_the_tickers(replayed):
    """Tickers of then repeat their best prices for seconds: a new one was the book's within 100 messages.

    Two of three are, while the third was there for less than the tenth of a second between two book messages.
    """
    number = next(i for i, instrument in enumerate(replayed.instruments) if instrument.symbol == "BTC-USDT")
    tops = replayed.tops()[number]
    told = [best for cause, _, best in replayed.best()[number] if cause > tops[0][0]]
    distinct = [best for best, _ in groupby(told)]
    assert len(distinct) == 4
    prices = {top[::2] for _, _, top in tops}
    assert [best[::2] in prices for best in distinct] == [False, True, True, True]


def test_trades_are_those_of_the_messages(replayed):
    stated = [
        (cause, int(trade["tradeId"]), trade["side"])
        for cause, message in replayed.messages.items()
        if b'"tradeId"' in message
        for trade in json.loads(message)["data"]
    ]
    rows = replayed.rows["events"][replayed.rows["events"]["kind"] == EventKind.TRADE]
    found = [(c, n, "buy" if side else "sell") for c, n, side in rows[["cause", "order", "side"]].tolist()]
    assert found == stated
    assert len(found) == 74
