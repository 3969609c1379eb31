"""What stands behind the top of the books: levels, imbalance, microprice."""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field, model_validator

from operators import operator
from operators.book.book import Book, BookParameters
from operators.book.depth_rows import (
    CURSOR_SIZE,
    DONE,
    LEVEL_ROW_COUNT,
    MARK,
    NEEDS_LEVELS,
    NEEDS_ROWS,
    NEXT_LEVEL,
    NEXT_QUOTE,
    ROW_COUNT,
    depth_rows,
)
from operators.book.ladder import new_ladders, new_levels, packed_levels, unpacked_levels
from operators.book.stream import event_stream
from operators.kernel import State
from operators.operator import Desk, Example, Frames, Operator
from operators.registry import register
from schemas.errors import InvariantError
from schemas.market import DEPTH, DEPTH_LEVELS, LEVELS, QUOTES
from schemas.parameter_types import Duration
from schemas.record import Frame, Schema

_NO_LEVELS, _NO_QUOTES = np.empty(0, LEVELS.dtype), np.empty(0, QUOTES.dtype)


class DepthParameters(operator.Parameters):
    """How deep to look, and how often."""

    levels: int = Field(default=10, ge=1, le=1000, description="levels of each side, the best ones")
    every: Duration | Literal["event"] = Field(
        default="event", description="`event` for every change, or an interval: the first change in each"
    )

    @model_validator(mode="after")
    def _time_passes(self) -> "DepthParameters":
        if self.every != "event" and self.every <= 0:
            raise ValueError("every must be longer than 0; `event` tells every change")
        return self


@register("depth")
class Depth(Operator):
    """Follows books by the changes of their levels and tells what stands in the first `levels` of each side.

    A row of `depth` follows a message that changed one of these levels (or changed it and changed it back), or the
    state of the instrument's quote; with it go the levels themselves, on `depth_levels`. With `every: 1s` it is the
    first such message in each second of the desk clock. Nothing is told of a book before its first quote.

    With B and A the lots bid and asked in these levels, `imbalance = (B - A) / (B + A)`. The microprice weighs the
    best bid by the lots of the best ask and the other way round (Gatheral and Oomen, "Zero-intelligence realized
    variance estimation", 2010); `depth_price` does the same with the mean price of all the levels' lots and with
    B and A.

    Raises InvariantError for a row of an instrument that the desk does not have.
    """

    inputs: ClassVar[Mapping[str, Schema]] = {"levels": LEVELS, "quotes": QUOTES}
    outputs: ClassVar[Mapping[str, Schema]] = {"depth": DEPTH, "depth_levels": DEPTH_LEVELS}
    Parameters = DepthParameters

    def __init__(self, parameters: DepthParameters, desk: Desk) -> None:
        super().__init__(parameters, desk)
        marks = np.zeros(len(desk.instruments), MARK)
        marks["bar"], marks["state"] = np.iinfo(np.int64).min, -1
        count = len(desk.instruments)
        self._state = State(marks=marks, ladders=new_ladders(count), levels=new_levels(16 * count))
        self._scratch = State(
            cursor=np.zeros(CURSOR_SIZE, np.int64),
            touched=np.zeros(count, np.int64),
            ticks=np.array([float(instrument.tick) for instrument in desk.instruments]),
            depth=np.zeros(256, DEPTH.dtype),
            depth_levels=np.zeros(256 * parameters.levels, DEPTH_LEVELS.dtype),
        )
        self._terms = parameters.levels, 0 if parameters.every == "event" else parameters.every

    @classmethod
    def example(cls, seed: int) -> Example:
        """What books make of feeds that halt, miss messages and contradict themselves; every other seed sampled."""
        desk, events = event_stream(seed, 3000)
        made: Any = Book(BookParameters(), desk).process({"events": events})
        frames = {"levels": made["levels"].copy(), "quotes": made["quotes"].copy()}
        return Example(desk, {"levels": 3, "every": "event" if seed % 2 else "200ms"}, frames)

    def process(self, frames: Frames) -> Frames:
        """Follow the cut's changes."""
        levels: Any = frames.get("levels", _NO_LEVELS)
        quotes: Any = frames.get("quotes", _NO_QUOTES)
        state, scratch, cursor = self._state, self._scratch, self._scratch["cursor"]
        cursor.fill(0)
        while (why := depth_rows(state.ctx, scratch.ctx, *self._terms, levels, quotes)) != DONE:
            if why == NEEDS_LEVELS:
                state.grow("levels", 2 * len(state["levels"]))
            elif why == NEEDS_ROWS:
                for port in self.outputs:
                    scratch.grow(port, 2 * len(scratch[port]))
            else:
                raise self._stranger(levels[cursor[NEXT_LEVEL] :], quotes[cursor[NEXT_QUOTE] :])
        counts = cursor[ROW_COUNT], cursor[LEVEL_ROW_COUNT]
        return {port: scratch[port][:count] for port, count in zip(self.outputs, counts, strict=True) if count}

    def snapshot(self) -> Any:
        """The levels in use, what was last told of each instrument, and for how many levels there is room."""
        state = self._state
        levels = packed_levels(state["levels"], state["ladders"])
        return state.snapshot(levels=levels), len(state["levels"])

    def restore(self, state: Any) -> None:
        """Go on from a snapshot."""
        tables, size = state
        self._state.restore(tables | {"levels": unpacked_levels(tables["levels"], tables["ladders"], size)})

    def _stranger(self, *ahead: Frame) -> InvariantError:
        row = min((rows[0] for rows in ahead if len(rows)), key=lambda row: row["cause"])
        return InvariantError(
            f"desk {self.desk.id!r}, operator 'depth', input {row['cause']}: "
            f"a row of instrument {row['instrument']}, but the desk has {len(self.desk.instruments)} instruments"
        )
