"""A desk's journal as its input log: what was seen live, once more."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from operators.sources.journal_reader import JournalPosition, JournalReader
from schemas.market import RAW, RawFrame, RawKind

_NO_DATA = np.empty(0, np.uint8)
_NO_DATA.flags.writeable = False


class JournalInput:
    """The entries of the journal in `folder`, in frames of at most `frame`, to its end, from where `resume` left it.

    Behind the last entry of a desk that has not ended stands one of kind END. Raises CaptureError where the journal is
    damaged, is not of these `feeds`, or is not the one that `resume` is a position in.
    """

    def __init__(
        self, folder: Path, feeds: Sequence[str], frame: int, resume: JournalPosition | None, desk: str = ""
    ) -> None:
        self._frame, self._desk = frame, desk
        is_ended = resume is not None and resume.is_ended
        self._reader = JournalReader(folder, resume.cause if resume is not None and not is_ended else 0)
        try:
            self._reader.check(feeds, resume)
        except BaseException:
            self.close()
            raise
        self._position = resume or self._reader.position

    @property
    def fraction(self) -> float:
        """How much of the journal has been handed on; 1 only after the END entry."""
        return 1.0 if self._position.is_ended else min(self._reader.fraction, 0.999)

    def next(self) -> RawFrame | None:
        """The next entries; None after the END entry."""
        if self._position.is_ended:
            return None
        frame = self._reader.frame(self._frame, self._desk)
        if frame is not None:
            self._position = self._reader.position
            return frame
        last = self._position
        self._position = replace(last, cause=last.cause + 1, is_ended=True)
        return RawFrame(RAW.rows([(last.cause + 1, last.clock, RawKind.END, -1, 0, 0)]), _NO_DATA, self._desk)

    def snapshot(self) -> JournalPosition:
        """The position behind the last frame handed on."""
        return self._position

    def close(self) -> None:
        """Give the file back."""
        self._reader.close()
