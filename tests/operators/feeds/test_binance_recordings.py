"""Four recorded sessions: nothing rejected, nothing missing, and books that agree with the venue's own best prices."""

import heapq
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import orjson
import pytest

from operators.feeds.binance import Binance
from operators.sources.desk_input import DeskInput
from schemas.instrument import Instrument
from schemas.market import EventKind, RawFrame
from tests.operators.feeds.binance_session import desk
from tests.operators.sources.log import recording_feed


class Session(NamedTuple):
    market: str
    symbol: str
    tick: str
    lot: str
    messages: int
    updates: int
    """Depth updates with ids behind the snapshot's."""


SESSIONS = [
    Session("usdm", "BTCUSDT", "0.1", "0.001", 93_954, 6_547),
    Session("usdm", "ETHUSDT", "0.01", "0.001", 74_655, 6_580),
    Session("spot", "BTCUSDT", "0.01", "0.00001", 41_249, 3_449),
    Session("spot", "ETHUSDT", "0.01", "0.0001", 33_618, 3_432),
]


class DictBook:
    """Totals by price. The best of each side is found by a heap of all prices ever seen, cleaned when looked at."""

    def __init__(self):
        self.totals = {}, {}
        self.heaps = [], []

    def set(self, side, price, qty):
        if not qty:
            self.totals[side].pop(price, None)
            return
        if price not in self.totals[side]:
            heapq.heappush(self.heaps[side], price if side else -price)
        self.totals[side][price] = qty

    def best(self, side):
        heap, totals = self.heaps[side], self.totals[side]
        while abs(heap[0]) not in totals:
            heapq.heappop(heap)
        return abs(heap[0]), totals[abs(heap[0])]


@pytest.fixture(scope="module", params=SESSIONS, ids=lambda s: f"{s.market}-{s.symbol}")
def recorded(request, data_path):
    """The session, its instrument, its frames, and all rows the decoder makes of them."""
    session = request.param
    instrument = Instrument(
        id="I", venue="binance", symbol=session.symbol, tick=session.tick, lot=session.lot, currency="USDT"
    )
    operator = Binance(Binance.Parameters(market=session.market, feeds=("I",)), desk(instrument))
    path: Path = data_path / "binance" / f"{session.market}_{session.symbol.lower()}_20240808.gz"
    source, frames, rows = DeskInput([recording_feed(path)], 10_000, None), [], {}
    while (frame := source.next()) is not None:
        frames.append(frame)
        for port, produced in operator.process({"raw": frame}).items():
            rows.setdefault(port, []).append(produced.copy())
    source.close()
    return session, instrument, frames, rows


def test_every_message_is_understood_and_none_is_missing(recorded):
    session, _, frames, rows = recorded
    assert sum(len(frame.rows) for frame in frames) == session.messages + 1
    assert rows.keys() == {"events"}
    causes = {int(cause) for frame in rows["events"] for cause in frame["cause"]}
    silent = {
        int(row["cause"]): frame.message(i)
        for frame in frames
        for i, row in enumerate(frame.rows)
        if int(row["cause"]) not in causes
    }
    end = silent.pop(session.messages + 1)
    assert end == b""
    for message in silent.values():  # updates held for the snapshot, or in it, or of nothing
        data = orjson.loads(message)["data"]
        assert data["e"] == "depthUpdate"


def test_a_book_of_the_events_agrees_with_every_ticker(recorded):
    """After the depth update with final id u, the best prices are those of the last ticker with an id ≤ u."""
    session, _, _, rows = recorded
    tops: dict[int, dict[int, tuple[int, int]]] = {}
    for frame in rows["events"]:
        quotes = frame[frame["kind"] == EventKind.QUOTE]
        for order, side, price, qty in quotes[["order", "side", "price", "qty"]].tolist():
            tops.setdefault(order, {})[side] = (price, qty)
    cleared = [int(order) for frame in rows["events"] for order in frame["order"][frame["kind"] == EventKind.CLEAR]]
    assert len(cleared) == 1
    assert comparisons(rows["events"], tops, cleared[0]) == session.updates


def comparisons(events, tops, snapshot_id):
    """Replay the levels, and look at the book whenever the update id moves on behind the snapshot's."""
    ids, at, compared = sorted(tops), -1, 0
    book, current = DictBook(), None

    def check():
        nonlocal at, compared
        if current is None or current <= snapshot_id:
            return
        while at + 1 < len(ids) and ids[at + 1] <= current:
            at += 1
        if at >= 0:
            assert {0: book.best(0), 1: book.best(1)} == tops[ids[at]], current
            compared += 1

    for frame in events:
        levels = frame[frame["kind"] == EventKind.LEVEL]
        for order, side, price, qty in levels[["order", "side", "price", "qty"]].tolist():
            if order != current:
                check()
                current = order
            book.set(side, price, qty)
    check()
    return compared


def test_prices_and_quantities_are_those_of_the_messages(recorded):
    """The decimals of the messages, by `decimal`, against the events they caused, in their order."""
    session, instrument, frames, rows = recorded
    frame: RawFrame = frames[1]
    produced = rows["events"][1]
    events = list(zip(produced["cause"].tolist(), produced[["side", "price", "qty"]].tolist(), strict=True))
    expected = []
    for i, cause in enumerate(frame.rows["cause"].tolist()):
        data = orjson.loads(frame.message(i))["data"]
        if "p" in data:
            found = [(0 if data["m"] else 1, data["p"], data["q"])]
        elif "U" in data:
            found = [(side, p, q) for side, key in enumerate("ba") for p, q in data[key]]
        else:
            found = [(0, data["b"], data["B"]), (1, data["a"], data["A"])]
        for side, price, qty in found:
            ticks, lots = Decimal(price) / instrument.tick, Decimal(qty) / instrument.lot
            assert ticks == int(ticks)
            expected.append((cause, (side, int(ticks), int(lots))))
    assert events == expected
    assert session.messages > len(frame.rows)
