"""The flow's only bytewax source: one partition per desk, each the desk's input log in frames."""

import ctypes
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from bytewax.inputs import FixedPartitionedSource, StatefulSourcePartition

from operators.sources.desk_input import DeskInput, InputPosition
from operators.sources.feed import FeedConfig
from schemas.market import RawFrame

OnProgress = Callable[[str, int, int, float], None]
"""Called after each frame with desk, entries in the frame, clock of the last one, fraction of the input read.

Where an input is resumed, it is also called before the first frame, with 0 entries.
"""

Item = tuple[str, RawFrame]

_PAST = datetime(2000, 1, 1, tzinfo=UTC)
_thread = threading.local()


class Inputs(FixedPartitionedSource[Item, InputPosition]):
    """The recorded feeds of every desk, as `(desk, RawFrame)` of at most `frame` entries each.

    Setting `stop` ends the source where it stands, without the END entry: the run can be resumed.
    """

    def __init__(
        self,
        desks: Mapping[str, Sequence[tuple[FeedConfig, Path]]],
        frame: int,
        stop: threading.Event | None = None,
        on_progress: OnProgress | None = None,
    ) -> None:
        self._desks, self._frame = desks, frame
        self._stop, self._on_progress = stop or threading.Event(), on_progress

    def list_parts(self) -> list[str]:
        """The desks."""
        return list(self._desks)

    def build_part(self, step_id: str, for_part: str, resume_state: InputPosition | None) -> "DeskPartition":
        """The input of one desk, from the start or where it was left. Raises CaptureError."""
        _hold_thread_state()
        source = DeskInput(self._desks[for_part], self._frame, resume_state, for_part)
        if self._on_progress is not None and resume_state is not None:
            clock = max(position.clock for position in resume_state.captures)
            self._on_progress(for_part, 0, clock, source.fraction)
        return DeskPartition(for_part, source, self._stop, self._on_progress)


class DeskPartition(StatefulSourcePartition[Item, InputPosition]):
    """Reads one desk's input log, a frame per batch."""

    def __init__(self, desk: str, source: DeskInput, stop: threading.Event, on_progress: OnProgress | None) -> None:
        self._desk, self._source, self._stop, self._on_progress = desk, source, stop, on_progress

    def next_batch(self) -> list[Item]:
        """The next frame. Raises StopIteration behind the last one, and at once when told to stop."""
        if self._stop.is_set() or (raw := self._source.next()) is None:
            raise StopIteration
        if self._on_progress is not None:
            self._on_progress(self._desk, len(raw.rows), int(raw.rows["ts"][-1]), self._source.fraction)
        return [(self._desk, raw)]

    def next_awake(self) -> datetime:
        """At once: with None, bytewax may pause for a millisecond."""
        return _PAST

    def snapshot(self) -> InputPosition:
        """Where the next frame begins."""
        return self._source.snapshot()

    def close(self) -> None:
        """Give the files back."""
        self._source.close()


def _hold_thread_state() -> None:
    """Keep this worker thread's Python state alive for the life of the thread.

    The runner's threads are made by Rust: without a reference of its own, Python creates and destroys a
    thread state around every callback, at 50 µs each.
    """
    if not getattr(_thread, "is_held", False):
        ctypes.pythonapi.PyGILState_Ensure()
        _thread.is_held = True
