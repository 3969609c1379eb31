"""When a model is asked and taught: the tables behind the kernel of `operators.learn.target`."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from operators.kernel import State
from operators.learn.parameters import ModelParameters
from operators.learn.target import schedule
from operators.learn.waiting import NO_EXAMPLE, OPEN, QUEUE, QUEUE_ENDS, STEP, TARGET_TERMS, TOP
from operators.operator import Desk
from schemas.errors import InvariantError
from schemas.record import Frame


class Schedule:
    """Examples whose outcome is not known yet, and what is to be done as rows come."""

    def __init__(self, parameters: ModelParameters, desk: Desk) -> None:
        self._desk = desk
        self._desk_tables = State(
            terms=_terms(parameters),
            steps=np.zeros(1024, STEP),
            legs=np.array(desk.legs, np.int64).ravel(),
            ticks=np.array([float(instrument.tick) for instrument in desk.instruments]),
        )
        queues = np.zeros(2 * len(desk.pairs), QUEUE)
        queues["first"] = NO_EXAMPLE
        self._state = State(
            ends=np.zeros(1, QUEUE_ENDS),
            examples=np.zeros(1024, OPEN),
            queues=queues,
            tops=np.zeros(len(desk.instruments), TOP),
        )

    def steps(self, quotes: Any, spreads: Any, features: Any) -> Frame:
        """What is to be done for these rows, in order; valid until the next call."""
        if len(features):
            self._make_room(len(features))
        count = schedule(self._desk_tables.ctx, self._state.ctx, quotes, spreads, features)
        if count < 0:
            raise self._stranger(spreads, features, -1 - count)
        return self._desk_tables["steps"][:count]

    def snapshot(self) -> dict[str, Frame]:
        """The examples that are open, and the quotes that trades are priced at."""
        return self._state.snapshot()

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from a snapshot."""
        self._state.restore(state)
        self._make_room(0)

    def _make_room(self, rows: int) -> None:
        """Have room for so many more examples, and for what there is to do with them and with those that are open."""
        ends = self._state["ends"][0]
        live = int(ends["tail"] - ends["head"])
        if int(ends["tail"] - ends["base"]) + rows > len(self._state["examples"]):
            self.forget_closed(live, live + rows)
        if live + 2 * rows > len(self._desk_tables["steps"]):
            self._desk_tables.replace("steps", np.zeros(2 * (live + 2 * rows), STEP))

    @property
    def open(self) -> int:
        """Examples from the oldest that may be open to the newest."""
        ends = self._state["ends"][0]
        return int(ends["tail"] - ends["head"])

    def forget_closed(self, live: int, needed: int) -> None:
        """Make room for so many examples: those from the oldest open one on move to the front of the table."""
        ends, old = self._state["ends"], self._state["examples"]
        first = int(ends["head"][0] - ends["base"][0])
        examples = np.zeros(max(1024, 2 * needed), OPEN)
        examples[:live] = old[first : first + live]
        self._state.replace("examples", examples)
        ends["base"] = ends["head"]

    def _stranger(self, spreads: Any, features: Any, i: int) -> InvariantError:
        row, what = (spreads[i], "spread") if i < len(spreads) else (features[i - len(spreads)], "row of features")
        return InvariantError(
            f"desk {self._desk.id!r}, model, input {row['cause']}: expected a {what} of a pair numbered "
            f"0 to {len(self._desk.pairs) - 1}, got one of number {row['pair']}"
        )


def _terms(parameters: ModelParameters) -> Frame:
    target = parameters.target
    least = getattr(target, "min_gain_bps", None)
    terms = np.zeros(1, TARGET_TERMS)
    terms["exit"] = -np.inf if target.exit is None else target.exit
    terms["stop"] = np.inf if target.stop is None else target.stop
    terms["min_gain_bps"] = -np.inf if least is None else least
    terms["taker_bps"] = parameters.taker_bps
    terms["horizon"] = target.horizon
    terms["notional"] = parameters.hedge == "notional"
    return terms
