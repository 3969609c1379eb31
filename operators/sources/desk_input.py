"""All feeds of a desk as one totally ordered input log, cut into frames, resumable after any frame."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from operators.kernel import State
from operators.sources.base_feed import CapturedFeed
from operators.sources.captures import Capture, CapturePosition
from operators.sources.framing import CLOCK_MAX
from operators.sources.merge import LANE, gather, merge
from schemas.errors import CaptureError
from schemas.market import RAW, RawFrame, RawKind
from schemas.record import Frame

_LOOKAHEAD_MIN, _LOOKAHEAD_MAX = 64, 8192
"""Messages indexed ahead of the merge, per feed."""

_NO_DATA = np.empty(0, np.uint8)
_NO_DATA.flags.writeable = False
"""Read-only as all data is: anything else is to numba another type, and a compilation at the end of a run."""


@dataclass(frozen=True)
class InputPosition:
    """Where a desk's input log stands: the last entry handed on, and each capture's next message."""

    cause: int
    clock: int
    is_ended: bool
    captures: tuple[CapturePosition, ...]


class DeskInput:
    """The input log of a desk: its recorded feeds merged by (clock, feed, position), numbered from 1.

    The clock of a message is its receive time, or its event time plus the feed's delay, made monotone within
    the feed. Behind the last message stands one entry of kind END. How the log is cut into frames, and
    where it is left and resumed, changes nothing in it. Its frames bear the name `desk`.

    Raises CaptureError where a capture cannot be read, or the feeds are not those of `resume`.
    """

    def __init__(
        self, feeds: Sequence[tuple[CapturedFeed, Path]], frame: int, resume: InputPosition | None, desk: str = ""
    ) -> None:
        ids = [feed.id for feed, _ in feeds]
        if resume is not None and (known := [p.feed for p in resume.captures]) != ids:
            raise CaptureError(
                f"this run has read the feeds {', '.join(known)} so far, the configuration now has {', '.join(ids)}; "
                "put the feeds back, or start a run of another name"
            )
        positions = resume.captures if resume is not None else [None] * len(feeds)
        with ExitStack() as files:
            self._captures: list[Capture] = []
            for i, ((feed, path), position) in enumerate(zip(feeds, positions, strict=True)):
                self._captures.append(Capture(feed, path, i, position))
                files.callback(self._captures[i].close)
            self._files = files.pop_all()
        self._frame, self._desk = frame, desk
        self._cause = resume.cause if resume is not None else 0
        self._clock = resume.clock if resume is not None else 0
        self._is_ended = resume is not None and resume.is_ended
        self._is_merged = len(feeds) > 1
        ahead = min(max(frame, _LOOKAHEAD_MIN), _LOOKAHEAD_MAX) if self._is_merged else frame
        self._ends = [np.zeros(ahead, np.int64) for _ in feeds]
        self._indexed = [np.zeros(ahead, RAW.dtype) if self._is_merged else RAW.empty for _ in feeds]
        self._lanes = np.zeros(len(feeds), LANE)
        self._used_up = list(range(len(feeds)))
        self._tables = State(**{f"{kind}{i}": table for i in range(len(feeds)) for kind, table in self._tables_of(i)})

    @property
    def fraction(self) -> float:
        """How much of the input has been handed on; 1 only after the END entry."""
        if self._is_ended:
            return 1.0
        return sum(c.consumed for c in self._captures) / (sum(c.size for c in self._captures) + 1)

    def next(self) -> RawFrame | None:
        """The next `frame` entries, or fewer; None after the END entry."""
        if self._is_ended:
            return None
        cut = self._merge() if self._is_merged else self._read()
        if cut is None:
            cut = self._end()
        self._cause += len(cut.rows)
        self._clock = int(cut.rows["ts"][-1])
        return cut

    def snapshot(self) -> InputPosition:
        """The position behind the last frame handed on."""
        captures = tuple(self._position(i) for i in range(len(self._captures)))
        return InputPosition(self._cause, self._clock, self._is_ended, captures)

    def close(self) -> None:
        """Give the files back."""
        self._files.close()

    def _read(self) -> RawFrame | None:
        """Of a single capture the rows are the index itself, and the data is the block they were found in."""
        capture = self._captures[0]
        rows = np.empty(self._frame, RAW.dtype)
        count = capture.read(rows, self._ends[0], self._cause + 1)
        return RawFrame(rows[:count], capture.data, self._desk) if count else None

    def _merge(self) -> RawFrame | None:
        for i in self._used_up:
            self._look_ahead(i)
        rows = np.empty(self._frame, RAW.dtype)
        count, size, used_up = merge(self._tables.ctx, self._lanes, rows, self._cause + 1)
        self._used_up = [used_up] if used_up >= 0 else []
        if count == 0:
            return None
        rows, data = rows[:count], np.empty(size, np.uint8)
        gather(self._tables.ctx, rows, data)
        data.flags.writeable = False
        return RawFrame(rows, data, self._desk)

    def _look_ahead(self, i: int) -> None:
        """Index the next messages of capture `i`."""
        count = self._captures[i].read(self._indexed[i], self._ends[i], 0)
        self._lanes[i] = (self._indexed[i]["ts"][0] if count else CLOCK_MAX, 0, count)
        self._tables.replace(f"data{i}", self._captures[i].data)

    def _end(self) -> RawFrame:
        self._is_ended = True
        return RawFrame(RAW.rows([(self._cause + 1, self._clock, RawKind.END, -1, 0, 0)]), _NO_DATA, self._desk)

    def _position(self, i: int) -> CapturePosition:
        capture, head = self._captures[i], int(self._lanes["head"][i])
        if not self._is_merged:
            return capture.position(capture.offset, capture.clock)
        if head == 0:
            return capture.position(capture.begin, capture.begin_clock)
        return capture.position(capture.begin + int(self._ends[i][head - 1]), int(self._indexed[i]["ts"][head - 1]))

    def _tables_of(self, i: int) -> tuple[tuple[str, Frame], tuple[str, Frame]]:
        return ("rows", self._indexed[i]), ("data", self._captures[i].data)
