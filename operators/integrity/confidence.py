"""When each instrument could be traded on, and why not."""

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from operators.kernel import State, kernel, table
from operators.operator import Desk, Frames, Operator
from operators.registry import register
from schemas.errors import InvariantError
from schemas.integrity import CONFIDENCE
from schemas.market import QUOTES, BookState
from schemas.record import Frame, Schema

HELD = np.dtype([("state", "i8"), ("since", "i8")], align=True)
"""An instrument: the state of its last quote, and the desk clock at which it began."""

UNKNOWN = BookState.UNSYNCED | BookState.EMPTY
"""The state before the first quote."""

_ROW, _QUOTE = CONFIDENCE.dtype, QUOTES.dtype


@register("confidence")
class Confidence(Operator):
    """A row whenever the state of an instrument's quotes changes: what it is now, and what it was since when.

    State 0 is tradable; each bit of `BookState` is a reason why not. This is the state that spreads, risk and venue
    obey. Before its first quote an instrument is unsynced and empty.

    Raises InvariantError for a quote of an instrument that the desk does not have.
    """

    inputs: ClassVar[Mapping[str, Schema]] = {"quotes": QUOTES}
    outputs: ClassVar[Mapping[str, Schema]] = {"confidence": CONFIDENCE}

    def __init__(self, parameters: Any, desk: Desk) -> None:
        super().__init__(parameters, desk)
        held = np.zeros(len(desk.instruments), HELD)
        held["state"] = UNKNOWN
        self._state = State(held=held)
        self._rows = np.zeros(64, _ROW)

    def process(self, frames: Frames) -> Frames:
        """Compare every quote with the one before."""
        quotes: Any = frames.get("quotes")
        if quotes is None or len(quotes) == 0:
            return {}
        if len(quotes) > len(self._rows):
            self._rows = np.zeros(2 * len(quotes), _ROW)
        count = _changes(self._state.ctx, quotes, self._rows)
        if count < 0:
            quote = quotes[-1 - count]
            raise InvariantError(
                f"desk {self.desk.id!r}, confidence, input {quote['cause']}: expected a quote of an instrument "
                f"numbered 0 to {len(self.desk.instruments) - 1}, got one of number {quote['instrument']}"
            )
        return {"confidence": self._rows[:count]} if count else {}

    def snapshot(self) -> dict[str, Frame]:
        """The state of every instrument."""
        return self._state.snapshot()

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from a snapshot."""
        self._state.restore(state)


@kernel
def _changes(ctx: Any, quotes: Frame, rows: Frame) -> int:
    """Write a row for each quote with another state; returns how many, or `-1 - i` where quote `i` is a stranger's."""
    held = table(ctx, 0, HELD)
    n = 0
    for i in range(len(quotes)):
        quote = quotes[i]
        if not 0 <= quote.instrument < len(held):
            return -1 - i
        known = held[quote.instrument]
        if quote.state != known.state:
            row = rows[n]
            row.cause, row.ts, row.instrument = quote.cause, quote.ts, quote.instrument
            row.state, row.was, row.since = quote.state, known.state, known.since
            known.state, known.since = quote.state, quote.ts
            n += 1
    return n
