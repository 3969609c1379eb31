"""The bytewax sink that writes a run's streams to ClickHouse, every row once.

What is written is read back from the target, not from a checkpoint: a desk that is replayed after a crash
produces the same rows with the same numbers, and those at or below the table's largest are skipped. What a
checkpoint does hold are the rows before it that were still on their way.
"""

import weakref
from collections.abc import Callable, Mapping
from threading import Event

from bytewax.outputs import FixedPartitionedSink, StatefulSinkPartition

from operators.operator import Desk
from operators.sinks.target import Target
from operators.sinks.writer import Batching, DeskWriter, WriterState
from schemas.errors import InvariantError
from schemas.output import Output
from schemas.record import Schema


class ClickHouseSink(FixedPartitionedSink[Output, WriterState]):
    """Takes (desk id, Output) items; a partition per desk. Streams that are not in `tables` are left out.

    Rows are written in the background. A target that does not keep up, or does not answer, pauses the flow once
    as many rows are held as `batching` allows; `stop` ends the wait. The tables must have been prepared and the
    run registered.
    """

    def __init__(
        self,
        dsn: str,
        run: str,
        desks: Mapping[str, Desk],
        tables: Mapping[str, Schema],
        *,
        batching: Batching | None = None,
        stop: Event | None = None,
    ) -> None:
        self._target = Target(dsn)
        self._run = run
        self._desks = {desk.id: desk for desk in sorted(desks.values(), key=lambda desk: desk.id)}
        self._partition = {desk: i for i, desk in enumerate(self._desks)}
        self._tables = dict(tables)
        self._batching = batching or Batching()
        self._stop = stop or Event()
        self.delivered: set[str] = set()
        """Desks whose input ended and whose every row is in the tables, of this process."""

    def list_parts(self) -> list[str]:
        """Desk ids."""
        return list(self._desks)

    def part_fn(self, item_key: str) -> int:
        """Position of the desk among all, sorted, which is how bytewax numbers partitions."""
        try:
            return self._partition[item_key]
        except KeyError:
            raise InvariantError(f"output of desk {item_key!r}, which the sink was not told of") from None

    def build_part(self, step_id: str, for_part: str, resume_state: WriterState | None) -> "DeskPartition":
        """A partition that starts where the target's tables end."""
        desk = self._desks[for_part]
        writer = DeskWriter(self._target, self._run, desk, self._tables, self._batching, self._stop)
        partition = DeskPartition(writer, lambda: self.delivered.add(for_part))
        if resume_state is not None:
            writer.restore(resume_state)
        return partition


class DeskPartition(StatefulSinkPartition[Output, WriterState]):
    """One desk's rows."""

    def __init__(self, writer: DeskWriter, delivered: Callable[[], None]) -> None:
        self._writer = writer
        self._delivered = delivered
        self._is_broken = False
        # bytewax may drop a partition without closing it, and the process may end: the thread must not go on then.
        self._end = weakref.finalize(self, writer.end)

    def write_batch(self, values: list[Output]) -> None:
        """Take rows; return when there is room for more."""
        try:
            for output in values:
                self._writer.append(output)
        except BaseException:
            self._is_broken = True
            raise

    def snapshot(self) -> WriterState:
        """What was taken, with the rows that may not be in the tables yet: waiting for them would stall the desk."""
        try:
            return self._writer.snapshot()
        except BaseException:
            self._is_broken = True
            raise

    def close(self) -> None:
        """Wait until what was taken is written, unless something failed before.

        bytewax closes partitions while an exception is on its way out; another one would abort the process
        without a word of the first, and in the embedded engine's handler of SIGABRT it would hang.
        """
        was_broken, self._is_broken = self._is_broken, True  # should this fail, it does so once
        try:
            if not was_broken:
                self._writer.flush()
                self._delivered()
        finally:
            self._end()
