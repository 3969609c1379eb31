"""A journal from any entry to its present end, segment by segment."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from operators.sources.journal_segment import Bytes, Segment, SegmentHead, first_of, segments_of
from schemas.errors import CaptureError
from schemas.market import RAW, RawFrame, RawKind
from schemas.record import Frame

_AT_ONCE = 8192


@dataclass(frozen=True)
class JournalPosition:
    """Where the input log of a desk with a journal stands: the last entry handed on, and whether that was END."""

    cause: int
    clock: int
    is_ended: bool
    journal: str
    """What tells the journal from every other."""


class JournalReader:
    """The entries of the journal in `folder` behind number `cause`, in order.

    Raises CaptureError where there is no journal, where it does not hold the entries that are wanted, and where it is
    damaged. What a crash left unfinished at its end is not there to be read.
    """

    def __init__(self, folder: Path, cause: int = 0) -> None:
        self._paths = segments_of(folder)
        if not self._paths:
            raise CaptureError(f"there is no journal in {folder}; correct the path, or record one by a live run")
        self._sizes = [path.stat().st_size for path in self._paths]
        begins = [first_of(path) for path in self._paths]
        if cause + 1 < begins[0]:
            raise CaptureError(
                f"the journal in {folder} begins with entry {begins[0]}, but entry {cause + 1} is needed: put back the "
                "segments that were removed, or start from a checkpoint that is behind them"
            )
        self._number = max(i for i, first in enumerate(begins) if first <= cause + 1)
        self._segment = Segment(self._paths[self._number])
        try:
            self._skip(folder, cause)
        except CaptureError:
            self.close()
            raise

    @property
    def head(self) -> SegmentHead:
        """The head of the segment that is being read."""
        return self._segment.head

    @property
    def cause(self) -> int:
        """Number of the last entry read, 0 before the first."""
        return self._segment.cause

    @property
    def position(self) -> JournalPosition:
        """Where it stands."""
        segment = self._segment
        return JournalPosition(segment.cause, segment.clock, segment.kind == RawKind.END, segment.head.journal)

    @property
    def fraction(self) -> float:
        """How much of the journal has been read."""
        return (sum(self._sizes[: self._number]) + self._segment.offset) / max(sum(self._sizes), 1)

    def read(self, rows: Frame) -> tuple[int, Bytes]:
        """Fill `rows` with the next entries: how many, and the bytes that their `start` counts in; 0 at the end."""
        while True:
            count, data = self._segment.read(rows)
            if count or self._number + 1 == len(self._paths):
                return count, data
            self._open_next()

    def frame(self, most: int, desk: str) -> RawFrame | None:
        """The next entries, at most so many, as a cut of the input log of `desk`; None at the end."""
        rows = np.empty(most, RAW.dtype)
        count, data = self.read(rows)
        return RawFrame(rows[:count], data, desk) if count else None

    def check(self, feeds: Sequence[str], resume: JournalPosition | None) -> None:
        """Raise CaptureError unless the journal is of these feeds, and the one that `resume` is a position in."""
        folder, head = self._paths[0].parent, self.head
        if head.feeds != tuple(feeds):
            raise CaptureError(
                f"the journal in {folder} is of the feeds {', '.join(head.feeds)}, the desk has {', '.join(feeds)}; "
                "give the desk those feeds, in that order, or another journal"
            )
        if resume is not None and resume.journal != head.journal:
            raise CaptureError(
                f"the journal in {folder} is not the one this run has read so far; put that back, or start a run of "
                "another name"
            )

    def close(self) -> None:
        """Give the file back."""
        self._segment.close()

    def _skip(self, folder: Path, cause: int) -> None:
        rows = np.empty(_AT_ONCE, RAW.dtype)
        while self.cause < cause:
            if not self.read(rows[: cause - self.cause])[0]:
                raise CaptureError(
                    f"the journal in {folder} ends with entry {self.cause}, but this run has processed {cause}: put "
                    "back the journal it was made from, or start a run of another name"
                )

    def _open_next(self) -> None:
        done = self._segment
        if done.offset < done.size:
            raise done.damage("it ends inside an entry, and is not the last segment")
        following = Segment(self._paths[self._number + 1])
        if (following.head.journal, following.head.first) != (done.head.journal, done.cause + 1):
            following.close()
            raise done.damage(f"{following.path.name} does not follow it")
        done.close()
        self._segment, self._number = following, self._number + 1
