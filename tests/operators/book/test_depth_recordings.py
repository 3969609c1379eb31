"""The first ten levels of recorded Binance books, against the messages' levels replayed into dictionaries."""

import heapq
from typing import Any

import numpy as np
import pytest

from operators.book.book import Book, BookParameters
from operators.book.depth import Depth, DepthParameters
from operators.feeds.binance import Binance
from operators.sources.desk_input import DeskInput
from schemas.instrument import Instrument
from schemas.market import EventKind
from tests.operators.feeds.binance_session import desk
from tests.operators.sources.log import recording_feed

DEPTH = 10


@pytest.mark.parametrize(
    ("market", "symbol", "tick", "lot", "rows_least"),
    [("usdm", "ethusdt", "0.01", "0.001", 5_000), ("spot", "btcusdt", "0.01", "0.00001", 3_000)],
)
def test_ten_levels_are_those_of_the_messages(data_path, market, symbol, tick, lot, rows_least):
    instrument = Instrument(id="I", venue="binance", symbol=symbol.upper(), tick=tick, lot=lot, currency="USDT")
    one = desk(instrument)
    feed = Binance(Binance.Parameters(market=market, feeds=("I",)), one)
    book, depth = Book(BookParameters(), one), Depth(DepthParameters(levels=DEPTH), one)
    source = DeskInput([recording_feed(data_path / "binance" / f"{market}_{symbol}_20240808.gz")], 10_000, None)
    sides: tuple[dict[int, int], dict[int, int]] = ({}, {})
    compared = rows = 0
    while (frame := source.next()) is not None:
        events: Any = feed.process({"raw": frame}).get("events")
        if events is None:
            continue
        out: Any = depth.process(book.process({"events": events}))
        told = out["depth_levels"] if out else []
        for cause, (start, end) in spans(told).items():
            events = replay(sides, events, cause)
            rows += 1
            if rows % 7 == 0:
                assert shown(told[start:end]) == best(sides), cause
                compared += 1
        replay(sides, events, None)
    source.close()
    assert rows >= rows_least
    assert compared == rows // 7


def spans(told) -> dict[int, tuple[int, int]]:
    """Cause -> the rows it has."""
    if not len(told):
        return {}
    causes, starts = np.unique(told["cause"], return_index=True)
    return dict(zip(causes.tolist(), zip(starts, [*starts[1:], len(told)], strict=True), strict=True))


def replay(sides, events, cause):
    """Apply the levels up to and with `cause` (all without one); returns the events behind."""
    end = len(events) if cause is None else int(np.searchsorted(events["cause"], cause, side="right"))
    for kind, side, price, qty in events[:end][["kind", "side", "price", "qty"]].tolist():
        if kind == EventKind.CLEAR:
            sides[0].clear()
            sides[1].clear()
        elif kind == EventKind.LEVEL:
            if qty:
                sides[side][price] = qty
            else:
                sides[side].pop(price, None)
    return events[end:]


def best(sides):
    bids, asks = heapq.nlargest(DEPTH, sides[0].items()), heapq.nsmallest(DEPTH, sides[1].items())
    return [(*bid, *ask) for bid, ask in zip(bids, asks, strict=True)]


def shown(rows):
    return rows[["bid", "bid_qty", "ask", "ask_qty"]].tolist()
