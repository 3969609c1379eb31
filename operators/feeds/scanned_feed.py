"""Operators that read the usual messages of a venue at once, compiled, and only the others one by one.

The shapes of a venue say how its usual messages are written (operators.feeds.shape). What matches none goes to the
venue's `decode`, which also decides what is a dead letter: both ways lead to the same rows and the same state.
"""

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Protocol

import numpy as np

from operators.feeds.message_feed import Decoder, MessageFeed, bytes_of, listed
from operators.feeds.price_window import Texted
from operators.feeds.scan_kernel import COMPLETE, STEP, UNREAD, scan
from operators.feeds.scan_match import FEED, SPAN, SYMBOL
from operators.feeds.shape import SLOTS, Compiler, Shape
from operators.feeds.told_book import NOTHING, Side
from operators.kernel import State
from operators.operator import Desk
from schemas.market import EVENTS, RawFrame

_ROOM = 4096
"""Event rows there is room for, but for a message that has more levels: few enough to stay near the processor."""
_NAMES = STEP.names or ()
_ROW, _FEED, _FIRST, _END = map(_NAMES.index, ("row", "feed", "first", "end"))


class Scanned(Decoder, Protocol):
    """A decoder that also takes what the scanner has read."""

    is_used: bool

    def take(self, step: Sequence[int], scanner: "Scanner") -> bool:
        """Write the events of one message; False, and nothing done, where `decode` is to read it."""


class Scanner:
    """Reads messages of known shapes. What it holds is of the present frame alone."""

    def __init__(self, desk: Desk, feeds: Mapping[int, Sequence[int]], shapes: Sequence[Shape]) -> None:
        """`feeds` gives for the index of a feed the indices of its instruments."""
        names = bytearray()
        symbols: list[tuple[int, ...]] = []
        ranges = np.zeros(len(desk.feeds), FEED)
        for feed, numbers in feeds.items():
            ranges[feed] = len(symbols), len(numbers)
            for number in numbers:
                instrument, start = desk.instruments[number], len(names)
                names += instrument.symbol.encode()
                symbols.append((start, len(names) - start, number, instrument.tick_nanos, instrument.lot_nanos))
        self._tables = State(
            **Compiler(shapes).tables(),
            feeds=ranges,
            symbols=np.array(symbols, SYMBOL),
            names=np.frombuffer(bytes(names), np.uint8),
            slots=np.zeros(SLOTS, np.int64),
            events=np.zeros(0, EVENTS.dtype),
            spans=np.zeros(0, SPAN),
            steps=np.zeros(0, STEP),
        )
        self._data = memoryview(b"")
        self._reserve(_ROOM)
        self._reserve_steps(_ROOM)

    def steps(self, raw: RawFrame) -> Iterator[list[int]]:
        """What is to be done for the messages of a frame, as lists of the fields of STEP; rows hold until the next."""
        count, row = len(raw.rows), 0
        self._data = bytes_of(raw)
        if count > len(self._steps):
            self._reserve_steps(1 << count.bit_length())
        while row < count:
            row, done = scan(self._tables.ctx, raw.rows, raw.data, row)
            yield from self._steps[:done].tolist()
            if row < count and not done:
                self._reserve(2 * len(self._tables["events"]))

    def sides(self, first: int, bids: int, end: int) -> tuple[Side, Side]:
        """Levels of which rows tell, with prices and quantities as the venue wrote them."""
        if first == end:
            return NOTHING, NOTHING
        prices, quantities, *places = self._spans[first:end].T.tolist()
        begin = min(places[0])
        text = str(self._data[begin : max(places[3])], "ascii")
        starts, betweens, behinds, ends = places
        texts = [text[a - begin : b - begin] for a, b in zip(starts, betweens, strict=True)]
        totals = [text[a - begin : b - begin] for a, b in zip(behinds, ends, strict=True)]
        return (
            Side(prices[:bids], quantities[:bids], (texts[:bids], totals[:bids])),
            Side(prices[bids:], quantities[bids:], (texts[bids:], totals[bids:])),
        )

    def texted(self, first: int, bids: int, end: int, between: str) -> tuple[Texted, Texted]:
        """The same, with price and quantity as one text; in the message, `","` stands between them."""
        if first == end:
            return Texted([], [], []), Texted([], [], [])
        prices, quantities, starts, _, _, ends = self._spans[first:end].T.tolist()
        begin = min(starts)
        text = str(self._data[begin : max(ends)], "ascii")
        texts = "\n".join([text[a - begin : b - begin] for a, b in zip(starts, ends, strict=True)])
        told = texts.replace('","', between).split("\n")
        return (
            Texted(prices[:bids], quantities[:bids], told[:bids]),
            Texted(prices[bids:], quantities[bids:], told[bids:]),
        )

    def _reserve_steps(self, count: int) -> None:
        self._tables.replace("steps", np.zeros(count, STEP))
        self._steps = self._tables["steps"].view(np.int64).reshape(count, len(_NAMES))

    def _reserve(self, rows: int) -> None:
        self._tables.replace("events", np.zeros(rows, EVENTS.dtype))
        self._tables.replace("spans", np.zeros(rows, SPAN))
        self._spans = self._tables["spans"].view(np.int64).reshape(rows, -1)
        self.rows = self._tables["events"].view(np.uint8).data
        """The bytes of the event rows."""


class ScannedFeed(MessageFeed):
    """A MessageFeed whose decoders take what a scanner has read."""

    is_scanned: ClassVar[bool] = True
    """Whether shapes are used at all; the rows are the same without."""

    def __init__(self, parameters: Any, desk: Desk) -> None:
        super().__init__(parameters, desk)
        shapes = self._shapes() if self.is_scanned else ()
        feeds = listed(desk, parameters.feeds, type(self).__name__.lower())
        self._scanner = Scanner(desk, feeds, shapes) if shapes else None
        self._takers: Sequence[Any] = self._decoders

    @abstractmethod
    def _shapes(self) -> Sequence[Shape]:
        """How the venue's usual messages are written; a step's `shape` is the place among these."""

    def _decode(self, raw: RawFrame) -> None:
        """Decode all entries of a frame."""
        scanner = self._scanner
        if scanner is None:
            super()._decode(raw)
            return
        data, decoders, copy = bytes_of(raw), self._takers, self._rows.copy
        for step in scanner.steps(raw):
            shape, decoder = step[0], decoders[step[_FEED]]
            if shape == COMPLETE:
                decoder.is_used = True
                copy(scanner.rows, step[_FIRST], step[_END])
            elif shape == UNREAD or not decoder.take(step, scanner):
                cause, ts, kind, feed, start, size = raw.rows[step[_ROW]].item()
                self._entry(decoder, cause, ts, kind, feed, data[start : start + size])
