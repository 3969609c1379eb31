"""Takes one desk's rows, and writes them in a thread of its own while the desk goes on.

A thread per desk: rows of a desk are written in order, one insert at a time, and a desk whose inserts are
refused or slow holds up no other. The embedded engine takes one statement at a time whoever asks.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from threading import Condition, Event, RLock, Thread
from time import monotonic_ns
from typing import NamedTuple

from operators.operator import Desk
from operators.sinks.delivery import Delivery
from operators.sinks.rows import Batch, WaitingRows
from operators.sinks.target import Target
from schemas.errors import TargetError
from schemas.output import Output
from schemas.record import Frame, Schema

_TABLES_HELD = 20
"""Flushes' worth of rows that a desk may hold: its tables fill at the same time, and an insert takes a while."""


@dataclass(frozen=True)
class Batching:
    """When waiting rows are written, beside once per epoch, and how many there can be."""

    flush_rows: int = 10_000
    """A table is written once this many rows wait for it."""
    flush_bytes: int = 64 * 2**20
    """A desk never holds more bytes of text than this and one frame's."""
    flush_age_ns: int = 10**9
    """No row waits longer than this for its insert to begin, while the target keeps up."""

    @property
    def held_rows(self) -> int:
        """A desk never holds more rows than this and one frame, waiting or on their way: for these it pauses."""
        return _TABLES_HELD * self.flush_rows


class WriterState(NamedTuple):
    """What a writer has taken, and what of it the target may not have."""

    last: dict[str, int]
    """Table -> number of the newest row taken."""
    pending: list[Batch]
    """Rows not known to be written: a table's in order, and all that it has up to its newest."""


class DeskWriter:
    """Rows of a desk's streams on their way to the target.

    What fails in the thread is raised, the same exception, by the next call of `append` or `flush`.
    """

    def __init__(
        self, target: Target, run: str, desk: Desk, tables: Mapping[str, Schema], batching: Batching, stop: Event
    ) -> None:
        self.count = 0
        """Rows taken and not yet written."""
        self.bytes = 0
        """Bytes of text in them."""
        self._held_rows, self._held_bytes = batching.held_rows, batching.flush_bytes
        self._flush_rows, self._flush_age_ns = batching.flush_rows, batching.flush_age_ns
        self._lock = RLock()  # the end may come in the midst of an append, when garbage is collected
        self._work = Condition(self._lock)
        self._progress = Condition(self._lock)
        self._is_awaited, self._is_idle, self._is_over = True, False, False
        self._error: BaseException | None = None
        self._under_way: Batch | None = None
        self._label, self._desk = target.address.label, desk.id
        self._delivery = Delivery(target, run, desk, tables, self._held, stop)
        high = self._delivery.high_water()
        self._waiting = {name: WaitingRows(schema, high[name]) for name, schema in tables.items()}
        self._is_awaited = False
        self._thread = Thread(target=self._run, name=f"sink {desk.id}", daemon=True)
        self._thread.start()

    @property
    def last(self) -> dict[str, int]:
        """Table -> number of its newest row, written or not."""
        return {name: rows.last for name, rows in self._waiting.items()}

    def append(self, output: Output) -> None:
        """Take the rows that the target does not have; return when there is room for more."""
        with self._lock:
            if self._error is not None:
                raise self._error
            is_due = self.count == 0  # then the thread must know from when on the first row waits
            for name, (first, rows) in output.streams.items():
                waiting = self._take(name, first, rows)
                if waiting is not None and waiting.count >= self._flush_rows:
                    is_due = True
            if self._is_idle and self.count and (is_due or self._is_crowded()):
                self._wake()
            while self.count >= self._held_rows or self.bytes >= self._held_bytes:
                self._await()

    def snapshot(self) -> "WriterState":
        """The newest rows, and a copy of those that the target may not have yet."""
        with self._lock:
            if self._error is not None:
                raise self._error
            under_way = [] if self._under_way is None else [self._under_way]
            return WriterState(self.last, under_way + [rows.copy() for rows in self._waiting.values() if rows.count])

    def restore(self, state: "WriterState") -> None:
        """Take the rows that an earlier writer had not yet written, but for those that the target has got since.

        Raises TargetError where the target has less than the earlier writer had written.
        """
        written = dict(state.last)
        for batch in reversed(state.pending):
            written[batch.table] = batch.first - 1
        for name, last in written.items():
            self._check_written(name, last)
        for batch in state.pending:
            self._take(batch.table, batch.first, batch.rows)
        with self._lock:
            self._wake()

    def _check_written(self, name: str, last: int) -> None:
        found = self._waiting[name].last if name in self._waiting else last
        if found < last:
            raise TargetError(
                f"table {name} at {self._label} ends at row {found} of desk {self._desk!r}, but the checkpoint has "
                f"delivered {last}: rows were deleted, or this is another database; restore it, or start again "
                "under a new run name"
            )

    def _take(self, name: str, first: int, rows: Frame) -> WaitingRows | None:
        """Let the rows of a table wait, but for those that the target has."""
        waiting = self._waiting.get(name)
        if waiting is not None:
            bytes_before = waiting.bytes
            self.count += waiting.append(first, rows)
            self.bytes += waiting.bytes - bytes_before
        return waiting

    def flush(self) -> None:
        """Return when the target has every row taken.

        Raises TargetError where the target refuses them, or `stop` is set while it does not answer, and
        InvariantError where a value cannot be stored.
        """
        with self._lock:
            while self.count or self._error is not None:
                self._await()

    def end(self) -> None:
        """Write no more, whatever still waits."""
        with self._lock:
            self._is_over = True
            self._wake()
        self._delivery.end()

    def _await(self) -> None:
        """Let the thread write, until it has written something."""
        if self._error is not None:
            raise self._error
        self._is_awaited = True
        self._wake()
        try:
            self._progress.wait()
        finally:
            self._is_awaited = False

    def _wake(self) -> None:
        self._is_idle = False
        self._work.notify()

    def _is_crowded(self) -> bool:
        return 2 * self.count >= self._held_rows or 2 * self.bytes >= self._held_bytes

    def _held(self) -> tuple[int, str]:
        return self.count, "input is paused" if self._is_awaited else f"input goes on up to {self._held_rows} rows"

    def _run(self) -> None:
        try:
            while (batch := self._next()) is not None:
                self._delivery.write(batch)
                with self._lock:
                    self._under_way = None
                    self.count -= len(batch.rows)
                    self.bytes -= batch.bytes
                    self._progress.notify()
        except BaseException as e:
            with self._lock:
                self._error = e
                self._progress.notify()

    def _next(self) -> Batch | None:
        """Rows to be written, as soon as there are some that should be; None when it is over."""
        with self._lock:
            while not self._is_over:
                waiting = [rows for rows in self._waiting.values() if rows.count]
                late_ns = monotonic_ns() - self._flush_age_ns
                if self._is_awaited or self._is_crowded():
                    due = waiting
                else:
                    due = [rows for rows in waiting if rows.count >= self._flush_rows or rows.since_ns <= late_ns]
                if due:
                    self._under_way = max(due, key=lambda rows: rows.size).take()
                    return self._under_way
                self._is_idle = True
                since_ns = min((rows.since_ns for rows in waiting), default=None)
                self._work.wait(None if since_ns is None else (since_ns - late_ns) * 1e-9)
                self._is_idle = False
            return None
