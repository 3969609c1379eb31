"""Whatever a network does, a book is right or says that it is not whole: over a thousand seeds."""

import random
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from operators.feeds.bybit import Bybit
from operators.feeds.bybit_example import bybit_example, bybit_writer
from operators.feeds.coinbase import Coinbase
from operators.feeds.coinbase_example import coinbase_example, coinbase_writer
from operators.feeds.kraken import Kraken
from operators.feeds.kraken_example import kraken_example, kraken_writer
from operators.feeds.okx import Okx
from operators.feeds.okx_example import okx_example, okx_writer
from operators.feeds.raw_log import raw_frame
from operators.framing.mold_output import Lost, Message, Output, Recovered
from operators.framing.notice import encode_notice
from operators.operator import Desk, Feed, Operator
from schemas.market import RawFrame
from tests.operators.feeds import binance_session
from tests.operators.feeds.itch_session import instrument
from tests.operators.feeds.itch_session import operator as itch_operator
from tests.operators.integrity.faults import (
    Followed,
    Levels,
    Outcome,
    Sent,
    assert_right_or_unsynced,
    binance,
    damaged,
    faulty,
    venue_session,
)
from tests.operators.integrity.itch_market import STOCKS, itch_session, over_two_lines

MESSAGES = 60
SEEDS = 150
"""Of each feed: 1,050 in all."""
VENUES: dict[str, tuple[Any, Any, Any]] = {
    "bybit": (Bybit, bybit_example, bybit_writer),
    "coinbase": (Coinbase, coinbase_example, coinbase_writer),
    "kraken": (Kraken, kraken_example, kraken_writer),
    "okx": (Okx, okx_example, okx_writer),
}


def follow(seed: int, followed: Followed, feed: int, arriving: list[Sent], outcome: Outcome) -> None:
    """Take in what arrives, message by message, and compare every book after each."""
    followed.restart()
    raw = raw_frame([(feed, sent.data) for sent in arriving])
    truth: dict[int, Levels] = {}
    newest: dict[int, int] = {}
    for i, sent in enumerate(arriving):
        followed.take(RawFrame(raw.rows[i : i + 1], raw.data))
        if sent.number >= newest.get(sent.instrument, 0) and sent.instrument >= 0:
            newest[sent.instrument], truth[sent.instrument] = sent.number, sent.book
        assert_right_or_unsynced(seed, followed, truth, outcome)


def venue(name: str) -> tuple[Followed, int]:
    cls, example, _ = VENUES[name]
    known = example(0)
    operator: Operator = cls(cls.Parameters.model_validate(known.parameters), known.desk)
    return Followed(operator, known.desk), 1


def connection(name: str, seeds: range) -> Outcome:
    """A connection of a venue that tells of two books."""
    (followed, feed), outcome = venue(name), Outcome()
    for seed in seeds:
        rng = random.Random(seed)
        arriving = damaged(rng, faulty(rng, venue_session(rng, VENUES[name][2](), MESSAGES)))
        follow(seed, followed, feed, arriving, outcome)
    return outcome


def binance_feed(market: str, seeds: range) -> Outcome:
    """A feed of Binance, of one book."""
    followed, outcome = Followed(binance_session.decoder(market), binance_session.desk()), Outcome()
    for seed in seeds:
        rng = random.Random(seed)
        arriving = damaged(rng, faulty(rng, binance(rng, market == "usdm", MESSAGES)))
        follow(seed, followed, 0, arriving, outcome)
    return outcome


def two_lines(seeds: range) -> Outcome:
    """ITCH over two lines of MoldUDP64, both of them lossy."""
    desk = Desk("d", tuple(instrument(name, "0.01") for name in STOCKS), feeds=(Feed("nasdaq"),))
    followed, outcome = Followed(itch_operator(desk), desk), Outcome()
    for seed in seeds:
        rng = random.Random(seed)
        sent = itch_session(rng, MESSAGES)
        arriving = [_arrived(item, sent) for item in over_two_lines(rng, sent)]
        follow(seed, followed, 0, arriving, outcome)
    return outcome


def _arrived(item: Output, sent: list[Sent]) -> Sent:
    if isinstance(item, Message):
        return sent[item.sequence - 1]
    assert isinstance(item, Lost | Recovered)
    return Sent(-1, -1, encode_notice(item), ({}, {}))


FEEDS: dict[str, Callable[[range], Outcome]] = {
    **{name: partial(connection, name) for name in VENUES},
    **{f"binance {market}": partial(binance_feed, market) for market in ("spot", "usdm")},
    "itch": two_lines,
}


@pytest.mark.parametrize("feed", FEEDS)
def test_a_book_is_right_or_unsynced(feed: str) -> None:
    FEEDS[feed](range(SEEDS)).assert_both(SEEDS)


@pytest.mark.soak
@pytest.mark.parametrize("feed", FEEDS)
def test_a_book_is_right_or_unsynced_for_long(feed: str) -> None:
    FEEDS[feed](range(SEEDS, 10 * SEEDS)).assert_both(9 * SEEDS)
