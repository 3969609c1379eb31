"""Made-up sessions of venues that tell of several instruments on one connection, for the contract suite."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Protocol

import numpy as np

from operators.feeds.raw_log import arrived, raw_frame
from operators.operator import Desk, Example, Feed
from schemas.instrument import Instrument
from schemas.market import RawKind

Level = tuple[str, str]
"""Price and quantity; quantity "0.000" where the level is gone."""

_STEPS = 400
_DEPTH = 10
SYMBOLS = ("BTC/USD", "ETH/USD")


class Writer(Protocol):
    """Writes a venue's messages. `symbol` is a number, `number` counts the messages of the connection from 0."""

    def snapshot(self, symbol: int, number: int, bids: Sequence[Level], asks: Sequence[Level]) -> bytes:
        """A whole book, best levels first."""

    def change(self, symbol: int, number: int, changed: Sequence[Sequence[Level]], book: "Book") -> bytes:
        """New totals of bids and asks, which led to `book`."""

    def trade(self, symbol: int, number: int, price: str, quantity: str, is_buy: bool) -> bytes:
        """A trade; `is_buy` where the buyer took."""

    def best(self, symbol: int, number: int, bid: Level, ask: Level) -> bytes:
        """The venue's own best prices."""

    def idle(self, number: int) -> bytes:
        """What says nothing."""


class Book:
    """The true book of an instrument, `_DEPTH` levels a side."""

    def __init__(self) -> None:
        self._sides: tuple[dict[int, int], dict[int, int]] = ({}, {})

    def side(self, side: int) -> list[Level]:
        """Levels of a side, best first."""
        levels = self._sides[side]
        return [_level(ticks, levels[ticks]) for ticks in sorted(levels, reverse=side == 0)]

    def change(self, rng: np.random.Generator, count: int) -> list[list[Level]]:
        """Give `count` levels of each side new totals, one in four of them none; what was changed."""
        changed = []
        for side, levels in enumerate(self._sides):
            ticks = (10_000 + rng.integers(1, 40, count) * (1 if side else -1)).tolist()
            lots = (rng.integers(1, 5000, count) * (rng.random(count) < 0.75)).tolist()
            levels.update(zip(ticks, lots, strict=True))
            for gone in [t for t in levels if not levels[t]]:
                del levels[gone]
            for gone in sorted(levels, reverse=side == 0)[_DEPTH:]:
                del levels[gone]
            changed.append([_level(t, n) for t, n in zip(ticks, lots, strict=True)])
        return changed


def venue_example(
    seed: int, writer: Writer, parameters: Mapping[str, Any], symbols: Sequence[str] = SYMBOLS
) -> Example:
    """Two instruments on one connection: losses, repetitions, damage, snapshots and reconnections."""
    rng = np.random.default_rng(seed)
    terms: dict[str, Any] = {"venue": "V", "tick": Decimal("0.01"), "lot": Decimal("0.001"), "currency": "USD"}
    instruments = tuple(Instrument(id=f"I{i}", symbol=symbol, **terms) for i, symbol in enumerate(symbols))
    feeds = (Feed("other"), Feed("venue", tuple(i.id for i in instruments)))
    log = [(1, message) for moment in _session(rng, writer) for message in moment]
    raw = raw_frame(log)
    elsewhere = rng.random(len(raw.rows))
    raw.rows["feed"][elsewhere < 0.02] = 0
    raw.rows["kind"][elsewhere > 0.98] = RawKind.TICK
    raw.rows["kind"][elsewhere > 0.99] = RawKind.DISCONNECT
    raw.rows["kind"][elsewhere > 0.995] = RawKind.CONNECT
    return Example(Desk("example", instruments, feeds=feeds), {"feeds": ("venue",), **parameters}, {"raw": raw})


def _session(rng: np.random.Generator, writer: Writer) -> Iterator[list[bytes]]:
    """Per step the messages of one moment: mostly one, none where it was lost, two where it came twice."""
    books = [Book(), Book()]
    for number in range(_STEPS):
        symbol = int(rng.integers(2))
        book, fate, kind = books[symbol], rng.random(), rng.random()
        changed = book.change(rng, 8 if number < 2 else int(rng.integers(0, 3)))
        bids, asks = book.side(0), book.side(1)
        if number % 30 in (5, 6):
            message = writer.snapshot(symbol, number, bids, asks)
        elif kind < 0.8:
            message = writer.change(symbol, number, changed, book)
        elif kind < 0.9 and bids and asks:
            message = writer.best(symbol, number, bids[0], asks[0])
        elif kind < 0.97 and bids:
            message = writer.trade(symbol, number, *bids[0], bool(number % 2))
        else:
            message = writer.idle(number)
        yield arrived(rng, fate, message)


def _level(ticks: int, lots: int) -> Level:
    return f"{ticks // 100}.{ticks % 100:02d}", f"{lots // 1000}.{lots % 1000:03d}"
