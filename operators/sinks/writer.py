"""Writes one desk's rows, and waits for a target that is away."""

import random
import uuid
from collections.abc import Callable, Mapping
from threading import Event
from typing import TypeVar

import structlog

from operators.operator import Desk
from operators.sinks.columns import Columns
from operators.sinks.faults import TargetUnavailableError
from operators.sinks.rows import WaitingRows
from operators.sinks.target import Target
from schemas.errors import TargetError
from schemas.output import Output
from schemas.record import Schema

T = TypeVar("T")

_FIRST_PAUSE_S = 0.25
_LONGEST_PAUSE_S = 30.0

_log = structlog.get_logger(__name__)


class DeskWriter:
    """Rows of a desk's streams on their way to the target.

    Reads the target's high-water mark when it is built, and again before every further try of an insert
    whose fate is unknown: such an insert may have been written although its answer was lost.
    """

    def __init__(self, target: Target, run: str, desk: Desk, tables: Mapping[str, Schema], stop: Event) -> None:
        self._target = target
        self._run = run
        self._desk = desk
        self._stop = stop
        # Never the same in another process: an insert must not pass for one of an earlier life of the run,
        # whose rows someone may have deleted since.
        self._life = uuid.uuid4().hex
        self._columns = {name: Columns(schema, run, desk) for name, schema in tables.items()}
        self.count = 0
        """Rows that wait."""
        self.bytes = 0
        """Bytes of text in rows that wait."""
        high = self._until_answered(self._high_water)
        self._waiting = {name: WaitingRows(schema, high[name]) for name, schema in tables.items()}

    @property
    def last(self) -> dict[str, int]:
        """Table -> number of its newest row, written or waiting."""
        return {name: rows.last for name, rows in self._waiting.items()}

    def append(self, output: Output) -> int:
        """Take the rows that the target does not have; return how many."""
        before = self.count
        for name, (first, rows) in output.streams.items():
            waiting = self._waiting.get(name)
            if waiting is not None:
                bytes_before = waiting.bytes
                self.count += waiting.append(first, rows)
                self.bytes += waiting.bytes - bytes_before
        return self.count - before

    def flush(self) -> None:
        """Write every waiting row; return when the target has them all.

        Raises TargetError where the target refuses them, or `stop` is set while it does not answer.
        """
        for name in self._waiting:
            self._write(name)

    def flush_fullest(self) -> None:
        """Write the waiting rows of the table that holds the most bytes."""
        self._write(max(self._waiting, key=lambda name: self._waiting[name].size))

    def _write(self, name: str) -> None:
        waiting = self._waiting[name]
        if waiting.count == 0:
            return
        rows, first, last = self._columns[name].table(waiting.first, waiting.rows), waiting.first, waiting.last
        token = f"{self._life}-{self._run}-{self._desk.id}-{first}-{last}"

        def insert() -> None:
            self._target.insert(name, rows, token)

        def insert_unless_written() -> None:
            high = self._target.high_water(self._run, self._desk.id, [name])[name]
            if high < last:
                insert()

        self._until_answered(insert, insert_unless_written)
        self.count -= waiting.count
        self.bytes -= waiting.bytes
        waiting.clear()

    def _high_water(self) -> dict[str, int]:
        return self._target.high_water(self._run, self._desk.id, list(self._columns))

    def _until_answered(self, ask: Callable[[], T], ask_again: Callable[[], T] | None = None) -> T:
        """The target's answer, however long it takes; further tries ask with `ask_again`."""
        pause = _FIRST_PAUSE_S
        while True:
            try:
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
        _log.warning(
            f"ClickHouse at {where} does not answer; holding {self.count} rows, input is paused; "
            f"next try in {seconds:.1f} s",
            desk=self._desk.id,
            error=str(error),
        )
        if self._stop.wait(seconds):
            raise TargetError(
                f"stopped while ClickHouse at {where} did not answer, with {self.count} rows of desk "
                f"{self._desk.id!r} not yet written; nothing is lost: start the flow again and it resumes"
            )


def check_resumed(address: str, desk: str, written: Mapping[str, int], delivered: Mapping[str, int]) -> None:
    """Raise TargetError where a checkpoint says that more rows were delivered than the target has."""
    for name, last in delivered.items():
        if written.get(name, last) < last:
            raise TargetError(
                f"table {name} at {address} ends at row {written[name]} of desk {desk!r}, but the checkpoint has "
                f"delivered {last}: rows were deleted, or this is another database; restore it, or start again "
                "under a new run name"
            )
