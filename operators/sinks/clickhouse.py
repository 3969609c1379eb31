"""The bytewax sink that writes a run's streams to ClickHouse, every row once.

What is written is read back from the target, not from a checkpoint: a desk that is replayed after a crash
produces the same rows with the same numbers, and those at or below the table's largest are skipped.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from threading import Event
from time import monotonic_ns

from bytewax.outputs import FixedPartitionedSink, StatefulSinkPartition

from operators.operator import Desk
from operators.sinks.target import Target
from operators.sinks.writer import DeskWriter, check_resumed
from schemas.errors import InvariantError
from schemas.output import Output
from schemas.record import Schema


@dataclass(frozen=True)
class Batching:
    """When waiting rows are written, beside once per epoch."""

    flush_rows: int = 50_000
    """A desk never holds more rows than this and one frame."""
    flush_bytes: int = 64 * 2**20
    """Nor more bytes of text than this and one frame's."""
    flush_age_ns: int = 10**9
    """Nor any row longer than this, while rows keep coming."""


class ClickHouseSink(FixedPartitionedSink[Output, dict[str, int]]):
    """Takes (desk id, Output) items; a partition per desk. Streams that are not in `tables` are left out.

    A target that does not answer pauses the flow until it does; `stop` ends the wait. The tables must have
    been prepared and the run registered.
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

    def list_parts(self) -> list[str]:
        """Desk ids."""
        return list(self._desks)

    def part_fn(self, item_key: str) -> int:
        """Position of the desk among all, sorted, which is how bytewax numbers partitions."""
        try:
            return self._partition[item_key]
        except KeyError:
            raise InvariantError(f"output of desk {item_key!r}, which the sink was not told of") from None

    def build_part(self, step_id: str, for_part: str, resume_state: dict[str, int] | None) -> "DeskPartition":
        """A partition that starts where the target's tables end."""
        desk = self._desks[for_part]
        writer = DeskWriter(self._target, self._run, desk, self._tables, self._stop)
        check_resumed(self._target.address.label, desk.id, writer.last, resume_state or {})
        return DeskPartition(writer, self._batching)


class DeskPartition(StatefulSinkPartition[Output, dict[str, int]]):
    """One desk's rows. Its state is the number of the last row of each table, all of them written."""

    def __init__(self, writer: DeskWriter, batching: Batching) -> None:
        self._writer = writer
        self._batching = batching
        self._waiting_since = 0
        self._is_broken = False

    def write_batch(self, values: list[Output]) -> None:
        """Take rows, and write them once there are enough or they are old enough."""
        try:
            self._take(values)
        except BaseException:
            self._is_broken = True
            raise

    def snapshot(self) -> dict[str, int]:
        """Write what waits, so that no epoch is committed whose rows are not in the tables."""
        try:
            self._writer.flush()
        except BaseException:
            self._is_broken = True
            raise
        return self._writer.last

    def close(self) -> None:
        """Write what waits, unless that failed before.

        bytewax closes partitions while an exception is on its way out; another one would abort the process
        without a word of the first, and in the embedded engine's handler of SIGABRT it would hang.
        """
        if not self._is_broken:
            self._writer.flush()

    def _take(self, values: list[Output]) -> None:
        batching, writer = self._batching, self._writer
        for output in values:
            waiting_before = writer.count
            if writer.append(output) and waiting_before == 0:
                self._waiting_since = monotonic_ns()
            while writer.count >= batching.flush_rows or writer.bytes >= batching.flush_bytes:
                writer.flush_fullest()
        if writer.count and monotonic_ns() - self._waiting_since >= batching.flush_age_ns:
            writer.flush()
