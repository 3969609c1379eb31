"""The common path of a quiet market in one kernel: book → spread → bands → closed loop.

When a frame holds one event, four operators called one after the other from Python spend more time being
called than working. Here a kernel calls their kernels. What is rare (a table has to grow) it leaves to
the operators themselves, which go on from where it stopped: the rows are the same, and so is the state.
"""

from collections.abc import Container
from typing import Any

import numpy as np

from operators.book.apply import apply
from operators.book.book import Book
from operators.book.rows import LEVEL_ROWS, QUOTE_ROWS
from operators.book.state import DONE
from operators.execution.loop import Loop, run_loop
from operators.execution.state import I8
from operators.kernel import bare, first_rows, kernel, table
from operators.pairs.spread import Spread
from operators.pairs.touch import spread_rows
from operators.signals.bands import Bands
from operators.signals.decision import band_signals
from schemas.errors import InvariantError
from schemas.market import EVENTS, LEVELS, QUOTES, RAW
from schemas.record import Frame
from schemas.signal import SIGNALS, SPREADS

_RAW, _EVENT, _QUOTE, _LEVEL = RAW.dtype, EVENTS.dtype, QUOTES.dtype, LEVELS.dtype
_SPREAD, _SIGNAL = SPREADS.dtype, SIGNALS.dtype
NO_EVENTS = np.empty(0, _EVENT)
"""For a cut without events: writable, since numba takes a read-only array for another type."""
_SPREAD_SCRATCH, _BANDS_SCRATCH = 4, 1
"""Numbers of the scratch tables among the desk tables of Spread and Bands."""


@kernel
def _express(
    book: int,
    book_out: int,
    spread_desk: int,
    spread: int,
    bands_desk: int,
    bands: int,
    loop: int,
    loop_out: int,
    loop_work: int,
    clock: Any,
    events: Any,
) -> tuple[int, int, int, int, int, int, int, int, int]:
    """Run the four: (loop's stop, rows it wrote, book's stop, event it stopped at, rows by port).

    The ports are quotes, levels, feed events, spreads and signals.
    """
    clock, events = bare(clock, _RAW), bare(events, _EVENT)
    why, i, quoted, changed, admitted = apply(book, book_out, events, 0)
    if why != DONE:
        return 0, 0, why, i, quoted, changed, admitted, 0, 0
    quotes = first_rows(book_out, QUOTE_ROWS, quoted, _QUOTE)
    levels = first_rows(book_out, LEVEL_ROWS, changed, _LEVEL)
    measured = spread_rows(spread_desk, spread, quotes)
    if measured < 0:
        return 0, 0, why, i, quoted, changed, admitted, measured, 0
    spreads = first_rows(spread_desk, _SPREAD_SCRATCH, measured, _SPREAD)
    decided = band_signals(bands_desk, bands, spreads)
    if decided < 0:
        return 0, 0, why, i, quoted, changed, admitted, measured, decided
    signals = first_rows(bands_desk, _BANDS_SCRATCH, decided, _SIGNAL)
    table(loop_work, 0, I8)[:] = 0
    stopped = run_loop(loop, loop_out, loop_work, clock, quotes, levels, signals)
    return stopped, table(loop_out, 0, I8).sum(), why, i, quoted, changed, admitted, measured, decided


class Express:
    """Runs the four operators of one desk over small frames. Of the open loop's ports it gives those in `wanted`."""

    def __init__(self, book: Book, spread: Spread, bands: Bands, loop: Loop, wanted: Container[str]) -> None:
        self._book, self._spread, self._bands, self._loop = book, spread, bands, loop
        self._behind_book = (*spread.contexts, *bands.contexts, *loop.contexts)
        self._wants_quotes, self._wants_spreads = "quotes" in wanted, "spreads" in wanted
        self._wants_levels = "levels" in wanted
        self.events_max = min(32, spread.quotes_max)
        """Larger frames gain nothing, and might not find room in the scratch."""

    def run(self, clock: Frame, events: Frame) -> dict[str, Frame]:
        """The rows by port, valid until the next run. Takes at most `events_max` events."""
        applied = _express(*self._book.contexts, *self._behind_book, clock, events)
        stopped, written, why, _, quoted, changed, admitted, measured, decided = applied
        if why != DONE:
            return self._step_by_step(clock, events, applied[2:7])
        if measured < 0 or decided < 0:
            raise InvariantError(f"spread {measured}, bands {decided}: a quote of an instrument the book does not know")
        found: dict[str, Frame] = {}
        if decided:
            found["signals"] = self._bands.rows(decided)
        if admitted or (quoted and self._wants_quotes) or (changed and self._wants_levels):
            found["quotes"], found["levels"], found["feed_events"] = self._book.rows(quoted, changed, admitted)
        if measured and self._wants_spreads:
            found["spreads"] = self._spread.rows(measured)
        if stopped:
            found |= self._loop.finish(stopped, clock, *self._loop_inputs(quoted, changed, decided))
        elif written:
            found |= self._loop.written()
        return found

    def _loop_inputs(self, quoted: int, changed: int, decided: int) -> tuple[Frame, Frame, Frame]:
        quotes, levels, _ = self._book.rows(quoted, changed, 0)
        return quotes, levels, self._bands.rows(decided)

    def _step_by_step(self, clock: Frame, events: Frame, applied: tuple[int, ...]) -> dict[str, Any]:
        """The book had to make room: go on with it, then operator by operator."""
        found: dict[str, Any] = {"raw": clock, **self._book.finish(events, applied)}
        for operator in (self._spread, self._bands, self._loop):
            found |= operator.process(found)
        del found["raw"]
        return found
