"""The common path of a desk in one kernel.

Operators called one after the other from Python spend, when a frame holds one event, more time being called
than working; and when it holds thousands, what one writes has left the processor's nearest memory before
the next one reads it. Here one kernel calls theirs, block by block. The state is the operators' own, and
what is rare (a table has to grow, a message was rejected) is left to them: the rows are the same.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from operators.book.book import Book
from operators.book.rows import new_scratch
from operators.execution.loop import COUNTED, Loop, joined
from operators.express import blocks
from operators.express.blocks import CURSOR_SIZE, INPUT, Stop, advance
from operators.express.kept import NONE, PORTS
from operators.feeds.itch import Itch50
from operators.kernel import State
from operators.pairs.spread import Spread
from operators.signals.bands import Bands
from schemas.errors import InvariantError
from schemas.market import RawFrame
from schemas.record import Frame

KEPT_PORTS = tuple(port for port, _ in PORTS)
PORT_NAMES = (*COUNTED[1:], *KEPT_PORTS)
_ROWS, _STOP, _ALL = int(Stop.ROWS), 0xFF, -1


@dataclass(frozen=True)
class Stages:
    """The operators of one desk that the express stands for, each reading the one before it."""

    feed: Itch50 | None
    """None: events come from elsewhere."""
    book: Book | None
    """None: there is no feed either, and quotes come from elsewhere."""
    spread: Spread
    bands: Bands
    loop: Loop
    has_levels: bool
    """Whether the loop reads the book's levels."""


class Express:
    """Runs the stages over cuts of any size.

    `kept` says which ports of the open loop are wanted outside (those of `operators.express.kept.PORTS`):
    0 for every row, or the interval in ns of a sampled table, which may then get more rows than it asked for,
    but all of those it wants; other names mean nothing. The feed's dead letters and feed events, and what the
    loop writes, always are.
    """

    def __init__(self, stages: Stages, kept: Mapping[str, int]) -> None:
        self._stages = stages
        self._kept_rows = self._cut_rows = 0
        self._parts: list[dict[str, Frame]] = []
        self._kept = State(
            counts=np.zeros(len(PORTS), np.int64),
            every=np.array([kept.get(port, NONE) for port, _ in PORTS], np.int64),
            quotes_due=np.zeros(len(stages.loop.desk.instruments), np.int64),
            spreads_due=np.zeros(len(stages.loop.desk.pairs), np.int64),
            **{port: np.zeros(0, schema.dtype) for port, schema in PORTS},
        )
        self.generation = 0
        self._no_book = new_scratch(1)
        self._totals = np.zeros(len(PORT_NAMES), np.int64)
        self._state = State(
            contexts=np.zeros(13, np.int64), cursor=np.zeros(CURSOR_SIZE, np.int64), totals=self._totals
        )
        self._cursor = self._state["cursor"]
        self._make_room(blocks.BLOCK)

    def run(self, raw: RawFrame, inputs: Frame | None) -> int:
        """Take the stages over a cut; returns which of `ports` have rows: bit `i` for number `i`.

        -1 says that the kernel was called more than once, and only `written` has all that it wrote.

        `inputs` are the events, or without a book the quotes, of the cut; None where the feed is a stage.
        """
        address, count = (0, 0) if inputs is None else (inputs.ctypes.data, len(inputs))
        rows = self._cut_rows = max(len(raw.rows), count)
        if rows > self._kept_rows:
            self._keep(rows)
        ctx, clock, data = self._state.ctx, raw.rows, raw.data
        stop = advance(ctx, 1, clock, data, address, count)
        self._parts = []
        while stop & _STOP > _ROWS:
            self._parts.append(self._helped(stop, raw, inputs))
            stop = advance(ctx, 0, clock, data, address, count)
        return _ALL if self._parts else stop >> 8

    @property
    def totals(self) -> list[int]:
        """How many rows the last run wrote, by port."""
        return self._totals.tolist()

    def scratch(self, port: str) -> Frame:
        """The table whose first rows are those of the port, until one is outgrown: `generation` then rises."""
        return self._kept[port] if port in KEPT_PORTS else self._stages.loop.out[port]

    def written(self) -> dict[str, Frame]:
        """The rows of the last run by port, valid until the next; the feed's own ports are prefixed `feed.`."""
        kept = zip(KEPT_PORTS, self._kept["counts"].tolist(), strict=True)
        found = {port: self._kept[port][:count] for port, count in kept if count}
        return joined([*self._parts, self._stages.loop.written() | found])

    def _helped(self, stop: int, raw: RawFrame, inputs: Frame | None) -> dict[str, Frame]:
        """Do what the kernel stopped for; returns a copy of what it had written to a scratch that it needs again."""
        cursor, stages = self._cursor, self._stages
        first, why = int(cursor[blocks.FIRST]), int(cursor[blocks.WHY])
        if stop == Stop.LOOP:
            return stages.loop.make_room(why)
        # All others stop before the loop has begun on the block, but it may have written rows of earlier ones.
        written = {name: frame.copy() for name, frame in stages.loop.written().items()}
        if stop == Stop.ROOM:
            self._make_room(why)
        elif stop == Stop.BOOK and stages.book is not None:
            stages.book.make_room(int(cursor[blocks.BOOK_WHY]), self._event(inputs))
        elif stop == Stop.REJECTED and stages.feed is not None:
            block = raw._replace(rows=raw.rows[first : int(cursor[blocks.END])])
            found = stages.feed.finish(block, int(cursor[blocks.INPUT_COUNT]), why)
            if "events" in found:
                self._replace_events(found.pop("events"))
            written |= {f"feed.{port}": frame for port, frame in found.items()}
        elif stop == Stop.OUTSIDE and stages.feed is not None:
            raise stages.feed.outside(raw, int(cursor[blocks.END]) + why)
        else:
            raise self._stranger(inputs, why)
        return written

    def _replace_events(self, events: Frame) -> None:
        """The feed has more to say of the block than its messages: what was lost."""
        feed, more = self._stages.feed, len(events) - int(self._cursor[blocks.INPUT_COUNT])
        if feed is None or more == 0:
            return
        feed.replace_events(events)
        self._cursor[blocks.INPUT_COUNT] = len(events)
        if len(events) > self._state["contexts"][blocks.ROOM]:
            self._make_room(len(events))
        self._cut_rows += more
        if self._cut_rows > self._kept_rows:
            self._keep(self._cut_rows)

    def _event(self, inputs: Frame | None) -> Any:
        """The event of the block at which the book stopped."""
        cursor, feed = self._cursor, self._stages.feed
        if feed is not None:
            return feed.events[cursor[blocks.APPLIED]]
        assert inputs is not None
        return inputs[cursor[INPUT] + cursor[blocks.APPLIED]]

    def _stranger(self, inputs: Frame | None, i: int) -> InvariantError:
        if self._stages.book is None and inputs is not None:
            return self._stages.spread.stranger(inputs[self._cursor[INPUT] + i])
        return InvariantError(f"quote {i} of a block is of an instrument that the book did not know")

    def _make_room(self, inputs: int) -> None:
        """Room for a block of so many events, or quotes."""
        stages = self._stages
        if stages.book is not None:
            stages.book.reserve(inputs)
        stages.bands.reserve(stages.spread.reserve(inputs))
        book, book_out = (0, self._no_book.ctx) if stages.book is None else stages.book.contexts
        feed = 0 if stages.feed is None else stages.feed.context
        pairs = (*stages.spread.contexts, *stages.bands.contexts)
        loop = stages.loop.contexts
        self._state["contexts"][:] = (
            *(feed, book, book_out, *pairs, *loop, self._kept.ctx),
            *(inputs, stages.has_levels),
        )

    def _keep(self, inputs: int) -> None:
        """Room for the rows kept of a cut of so many entries, or rows of the input."""
        self.generation += 1
        rows = self._kept_rows = 1 << (inputs - 1).bit_length()
        touches = self._stages.spread.degree_max
        most = (rows, 2 * rows, 3 * rows, touches * rows, touches * rows)
        for (port, _), every, count in zip(PORTS, self._kept["every"].tolist(), most, strict=True):
            if every != NONE:
                self._kept.grow(port, count)
