"""The flow's only bytewax source: one partition per desk, each the desk's input log in frames."""

import ctypes
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from bytewax.inputs import FixedPartitionedSource, StatefulSourcePartition

from operators.sources.base_feed import CapturedFeed
from operators.sources.desk_input import DeskInput
from schemas.errors import CaptureError, JournalError, PairflowError
from schemas.market import RawFrame

OnProgress = Callable[[str, int, int, float], None]
"""Called after each frame with desk, entries in the frame, clock of the last one, fraction of the input read.

Where an input is resumed, it is also called before the first frame, with 0 entries.
"""

Item = tuple[str, RawFrame]


class DeskSource(Protocol):
    """The input log of a desk, in frames."""

    @property
    def fraction(self) -> float:
        """How much of the input has been handed on; 1 only after the END entry."""

    def next(self) -> RawFrame | None:
        """The next entries, none where nothing has come by now; None after the END entry."""

    def snapshot(self) -> Any:
        """The position behind the last frame handed on, with its `clock`."""

    def close(self) -> None:
        """Give the files back."""


OpenDesk = Callable[[int, Any, str], DeskSource]
"""Opens the input of a desk, given the size of frames, the position to resume at or None, and the desk's name."""

Captures = Sequence[tuple[CapturedFeed, Path]]

_PAST = datetime(2000, 1, 1, tzinfo=UTC)
_thread = threading.local()


class Inputs(FixedPartitionedSource[Item, Any]):
    """The feeds of every desk, as `(desk, RawFrame)` of at most `frame` entries each.

    A desk has captures, or opens its own input. Where nothing has come, it is looked for again after `pause_ns`; 0 is
    at once, which takes a whole core. Setting `stop` ends the source where it stands, without the END entry: the run
    can be resumed. So it ends where an input cannot be read or a journal takes nothing more, once `on_error` was told;
    without that, these are raised.
    """

    def __init__(
        self,
        desks: Mapping[str, Captures | OpenDesk],
        frame: int,
        stop: threading.Event | None = None,
        on_progress: OnProgress | None = None,
        *,
        pause_ns: int = 0,
        on_error: Callable[[PairflowError], None] | None = None,
    ) -> None:
        self._desks, self._frame, self._pause_ns = desks, frame, pause_ns
        self._stop, self._on_progress, self._on_error = stop or threading.Event(), on_progress, on_error

    def list_parts(self) -> list[str]:
        """The desks."""
        return list(self._desks)

    def build_part(self, step_id: str, for_part: str, resume_state: Any) -> "DeskPartition":
        """The input of one desk, from the start or where it was left. Raises CaptureError, JournalError."""
        _hold_thread_state()
        desk = self._desks[for_part]
        open_desk: OpenDesk = desk if callable(desk) else partial(DeskInput, desk)
        source: DeskSource
        try:
            source = open_desk(self._frame, resume_state, for_part)
        except (CaptureError, JournalError) as e:
            if self._on_error is None:
                raise
            self._on_error(e)
            self._stop.set()
            return DeskPartition(for_part, _Unreadable(resume_state), self._stop, None, 0, None)
        if self._on_progress is not None and resume_state is not None:
            self._on_progress(for_part, 0, resume_state.clock, source.fraction)
        return DeskPartition(for_part, source, self._stop, self._on_progress, self._pause_ns, self._on_error)


class DeskPartition(StatefulSourcePartition[Item, Any]):
    """Reads one desk's input log, a frame per batch."""

    def __init__(
        self,
        desk: str,
        source: DeskSource,
        stop: threading.Event,
        on_progress: OnProgress | None,
        pause_ns: int,
        on_error: Callable[[PairflowError], None] | None,
    ) -> None:
        self._desk, self._source, self._stop, self._on_progress = desk, source, stop, on_progress
        self._pause, self._on_error = timedelta(microseconds=pause_ns / 1000), on_error
        self._is_idle = False

    def next_batch(self) -> list[Item]:
        """The next frame, if there is one. Raises StopIteration behind the last one, and at once when told to stop."""
        raw = None if self._stop.is_set() else self._next()
        if raw is None:
            raise StopIteration
        self._is_idle = len(raw.rows) == 0
        if self._is_idle:
            return []
        if self._on_progress is not None:
            self._on_progress(self._desk, len(raw.rows), int(raw.rows["ts"][-1]), self._source.fraction)
        return [(self._desk, raw)]

    def next_awake(self) -> datetime:
        """At once, or after the pause where nothing has come: with None, bytewax may pause for a millisecond."""
        return datetime.now(UTC) + self._pause if self._is_idle and self._pause else _PAST

    def snapshot(self) -> Any:
        """Where the next frame begins."""
        return self._source.snapshot()

    def close(self) -> None:
        """Give the files back."""
        self._source.close()

    def _next(self) -> RawFrame | None:
        try:
            return self._source.next()
        except (CaptureError, JournalError) as e:
            if self._on_error is None:
                raise
            self._on_error(e)
            self._stop.set()
            return None


class _Unreadable:
    """Stands in for an input that could not be opened, and keeps the position it was to be resumed at."""

    fraction = 0.0

    def __init__(self, position: Any) -> None:
        self._position = position

    def next(self) -> RawFrame | None:
        return None

    def snapshot(self) -> Any:
        return self._position

    def close(self) -> None:
        pass


def _hold_thread_state() -> None:
    """Keep this worker thread's Python state alive for the life of the thread.

    The runner's threads are made by Rust: without a reference of its own, Python creates and destroys a
    thread state around every callback, at 50 µs each.
    """
    if not getattr(_thread, "is_held", False):
        ctypes.pythonapi.PyGILState_Ensure()
        _thread.is_held = True
