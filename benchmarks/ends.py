"""The two ends of a measured dataflow: frames that lie ready, and a sink that counts."""

import ctypes
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from bytewax.inputs import FixedPartitionedSource, StatefulSourcePartition
from bytewax.outputs import FixedPartitionedSink, StatefulSinkPartition

from schemas.market import RawFrame
from schemas.output import Output

PAST = datetime(2000, 1, 1, tzinfo=UTC)
Item = tuple[str, RawFrame]


class Ready(FixedPartitionedSource[Item, int]):
    """Hands on frames as fast as they are taken."""

    def __init__(self, frames: Sequence[RawFrame]) -> None:
        self._frames = frames

    def list_parts(self) -> list[str]:
        """The one desk."""
        return ["bench"]

    def build_part(self, step_id: str, for_part: str, resume_state: int | None) -> "_ReadyPart":
        """All frames, or those behind the snapshot."""
        ctypes.pythonapi.PyGILState_Ensure()
        return _ReadyPart(self._frames, resume_state or 0)


class _ReadyPart(StatefulSourcePartition[Item, int]):
    def __init__(self, frames: Sequence[RawFrame], at: int) -> None:
        self._at = at
        self._rest: Iterator[RawFrame] = iter(frames[at:])

    def next_batch(self) -> list[Item]:
        self._at += 1
        return [("bench", next(self._rest))]  # StopIteration ends the source

    def next_awake(self) -> datetime:
        return PAST

    def snapshot(self) -> int:
        return self._at


class Count(FixedPartitionedSink[Output, None]):
    """Counts rows by stream."""

    def __init__(self) -> None:
        self.rows: Counter[str] = Counter()

    def list_parts(self) -> list[str]:
        """The one desk."""
        return ["bench"]

    def build_part(self, step_id: str, for_part: str, resume_state: None) -> "_CountPart":
        """The partition that counts."""
        return _CountPart(self.rows)


class _CountPart(StatefulSinkPartition[Output, None]):
    def __init__(self, rows: Counter[str]) -> None:
        self._rows = rows

    def write_batch(self, values: list[Any]) -> None:
        for output in values:
            for name, (_, frame) in output.streams.items():
                self._rows[name] += len(frame)

    def snapshot(self) -> None:
        return None
