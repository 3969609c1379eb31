"""Brings one desk's rows to the target, and waits for a target that is away."""

import random
import uuid
from collections.abc import Callable, Mapping
from threading import Event, RLock
from typing import TypeVar

import structlog

from operators.operator import Desk
from operators.sinks.columns import Columns
from operators.sinks.faults import TargetUnavailableError
from operators.sinks.rows import Batch
from operators.sinks.target import Target
from schemas.errors import InvariantError, TargetError
from schemas.record import Schema

T = TypeVar("T")

_FIRST_PAUSE_S = 0.25
_LONGEST_PAUSE_S = 30.0
_LAST_ANSWER_S = 5.0
"""How long an end waits for a statement that the target is at."""

_log = structlog.get_logger(__name__)


class Delivery:
    """Inserts of a desk's rows, one at a time, each repeated until the target has answered.

    Reads the target's high-water mark before every further try of an insert whose fate is unknown: such an
    insert may have been written although its answer was lost.

    `held` tells how many rows are not yet written, and what that means for the input.
    """

    def __init__(
        self,
        target: Target,
        run: str,
        desk: Desk,
        tables: Mapping[str, Schema],
        held: Callable[[], tuple[int, str]],
        stop: Event,
    ) -> None:
        self._target = target
        self._run = run
        self._desk = desk
        self._held = held
        self._stop = stop
        # Never the same in another process: an insert must not pass for one of an earlier life of the run,
        # whose rows someone may have deleted since.
        self._life = uuid.uuid4().hex
        self._columns = {name: Columns(schema, run, desk) for name, schema in tables.items()}
        self._asking = RLock()  # the end may come from within, when garbage is collected
        self._is_over = False

    def high_water(self) -> dict[str, int]:
        """Table -> number of the newest row that the target has."""
        return self._until_answered(lambda: self._target.high_water(self._run, self._desk.id, list(self._columns)))

    def write(self, batch: Batch) -> None:
        """Return when the target has the rows.

        Raises InvariantError where a value cannot be stored, TargetError where the target refuses the rows or
        `stop` is set while it does not answer.
        """
        name, first, rows, _ = batch
        last = first + len(rows) - 1
        table = self._columns[name].table(first, rows)
        token = f"{self._life}-{self._run}-{self._desk.id}-{first}-{last}"

        def insert() -> None:
            self._target.insert(name, table, token)

        def insert_unless_written() -> None:
            if self._target.high_water(self._run, self._desk.id, [name])[name] < last:
                insert()

        self._until_answered(insert, insert_unless_written)

    def end(self) -> None:
        """Ask the target nothing more.

        A statement that it is at is given a moment: the process may be about to end, and the embedded engine does
        not survive that one of its threads ends inside it.
        """
        self._is_over = True
        if self._asking.acquire(timeout=_LAST_ANSWER_S):
            self._asking.release()

    def _until_answered(self, ask: Callable[[], T], ask_again: Callable[[], T] | None = None) -> T:
        """The target's answer, however long it takes; further tries ask with `ask_again`."""
        pause = _FIRST_PAUSE_S
        while True:
            try:
                with self._asking:
                    if self._is_over:
                        raise InvariantError(f"the sink of desk {self._desk.id!r} has ended")
                    answer = ask()
            except TargetUnavailableError as e:
                self._wait(e, pause)
                ask, pause = ask_again or ask, min(2 * pause, _LONGEST_PAUSE_S)
            else:
                if pause > _FIRST_PAUSE_S:
                    _log.info(f"ClickHouse at {self._target.address.label} answers again", desk=self._desk.id)
                return answer

    def _wait(self, error: TargetError, pause: float) -> None:
        seconds = pause * random.uniform(0.75, 1.25)  # desks and processes must not all come back at once
        where = self._target.address.label
        count, meaning = self._held()
        _log.warning(
            f"ClickHouse at {where} does not answer; holding {count} rows, {meaning}; next try in {seconds:.1f} s",
            desk=self._desk.id,
            error=str(error),
        )
        if self._stop.wait(seconds):
            raise TargetError(
                f"stopped while ClickHouse at {where} did not answer, with {self._held()[0]} rows of desk "
                f"{self._desk.id!r} not yet written; nothing is lost: start the flow again and it resumes"
            )
