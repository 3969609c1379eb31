"""A small desk on an ITCH feed, and ways to run messages through it."""

import datetime
from collections.abc import Iterable, Sequence
from decimal import Decimal
from itertools import pairwise
from zoneinfo import ZoneInfo

from operators.feeds import itch_encode as itch
from operators.feeds.itch import Itch50
from operators.feeds.itch_example import raw_frame
from operators.operator import Desk, Feed
from schemas.instrument import Instrument
from schemas.market import RawFrame

MIDNIGHT = int(datetime.datetime(2019, 12, 30, tzinfo=ZoneInfo("America/New_York")).timestamp()) * 10**9
PARAMETERS = {"feed": "nasdaq", "date": "2019-12-30"}


def instrument(symbol: str, tick: str = "0.0001", lot: str = "1", name: str | None = None) -> Instrument:
    return Instrument(
        id=name or symbol, venue="XNAS", symbol=symbol, tick=Decimal(tick), lot=Decimal(lot), currency="USD"
    )


DESK = Desk(
    id="desk",
    instruments=(
        instrument("ELSEWHERE"),
        instrument("AAPL", "0.01"),
        instrument("MSFT", "0.0005", "10"),
        instrument("ZVZZT", "0.00003", "0.5"),
    ),
    feeds=(Feed("other"), Feed("nasdaq", ("MSFT", "AAPL", "ZVZZT"))),
)
AAPL, MSFT, ZVZZT = 1, 2, 3
"""Indices, and the locates that `DIRECTORY` gives them; 4 is a stock the feed does not follow."""

OTHER = 4
DIRECTORY = [itch.stock_directory(i, i, name) for i, name in enumerate(("AAPL", "MSFT", "ZVZZT", "OTHER"), start=1)]


def operator(desk: Desk = DESK, **parameters: str) -> Itch50:
    return Itch50(Itch50.Parameters.model_validate(PARAMETERS | parameters), desk)


def following(symbols: Iterable[str], tick: str = "0.0001") -> Itch50:
    """An operator on a desk whose one feed speaks of all its instruments."""
    names = sorted(set(symbols))
    return operator(Desk(id="desk", instruments=tuple(instrument(s, tick) for s in names), feeds=(Feed("nasdaq"),)))


def run(op: Itch50, raw: RawFrame, cuts: Sequence[int] = ()) -> dict[str, list[tuple]]:
    """All rows of every port as lists of tuples, from frames cut at the given rows."""
    edges = [0, *sorted(cuts), len(raw.rows)]
    produced: dict[str, list[tuple]] = {name: [] for name in op.outputs}
    for start, end in pairwise(edges):
        for name, rows in op.process({"raw": RawFrame(raw.rows[start:end], raw.data)}).items():
            produced[name] += rows.tolist()
    return produced


def decode(*messages: bytes) -> dict[str, list[tuple]]:
    """What the desk's operator, its directory known, makes of messages 5, 6, …; only ports with rows."""
    op = operator()
    op.process({"raw": raw_frame(DIRECTORY, feed=1)})
    produced = run(op, raw_frame(messages, feed=1, first=1 + len(DIRECTORY)))
    return {name: rows for name, rows in produced.items() if rows}


def bodies(events: Iterable[tuple]) -> list[tuple]:
    """(order, order_new, price, qty, instrument, kind, side) of event tuples."""
    return [event[3:10] for event in events]
