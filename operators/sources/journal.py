"""What was received live, written down before anything is made of it: a crash then costs nothing that was seen.

A journal is also a capture (`format: journal`): a run that reads it sees exactly what was seen live.
"""

import os
from collections.abc import Iterable
from io import FileIO
from pathlib import Path
from typing import Any

import numpy as np

from operators.framing.mold_output import Ended, Lost, Message, Recovered
from operators.framing.notice import Began, decode_notice
from operators.sources.framing import frame_stamped
from operators.sources.stamped import stamped
from schemas.errors import CaptureError
from schemas.market import RAW

_AT_ONCE = 8192
"""Entries looked at together when a journal is taken up again."""


class Journal:
    """An append-only file of stamped messages and notices, and the place in the session that it has come to.

    What a crash left unfinished at its end is cut off when it is opened. `session` and `sequence` are what to hand
    to a receiver that goes on; an empty session and 1 in a new journal. Raises CaptureError where the file cannot
    be opened.
    """

    def __init__(self, path: Path) -> None:
        self.session, self.sequence = b"", 1
        try:
            self._file = FileIO(path, "ab+")
        except OSError as e:
            raise CaptureError(f"journal {path}: {e.strerror}; correct the path, or make its folder writable") from e
        size = os.fstat(self._file.fileno()).st_size
        whole = self._read(np.memmap(path, np.uint8, "r")) if size else 0
        if whole < size:
            self._file.truncate(whole)

    def append(self, session: bytes, out: Iterable[Any], clock_ns: int) -> None:
        """Write down what a receiver gave at that time (ns UTC), `session` being the one it is in by now."""
        part: list[Any] = []
        for item in out:
            if isinstance(item, Ended):
                self._write(item.session, part, clock_ns)
                part = []
            else:
                part.append(item)
        self._write(session, part, clock_ns)

    def sync(self) -> None:
        """Have the disk take what was written: then even a power failure costs none of it."""
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Give the file back."""
        self._file.close()

    def _write(self, session: bytes, said: list[Any], clock_ns: int) -> None:
        numbered = [i for i, item in enumerate(said) if isinstance(item, Message | Lost | Recovered)]
        if numbered and session != self.session:
            first = said[numbered[0]]
            said.insert(numbered[0], Began(session, first.sequence if isinstance(first, Message) else first.first))
        view = memoryview(stamped(said, clock_ns))
        while view:
            view = view[self._file.write(view) or 0 :]
        for item in said:
            if isinstance(item, Began):
                self.session, self.sequence = item
            elif isinstance(item, Message):
                self.sequence = item.sequence + 1
            elif isinstance(item, Lost):
                self.sequence = item.last + 1

    def _read(self, block: Any) -> int:
        """Find the place that the entries of `block` lead to; returns how many bytes of it are whole entries."""
        cursor, rows, ends = np.zeros(2, np.int64), np.empty(_AT_ONCE, RAW.dtype), np.empty(_AT_ONCE, np.int64)
        while True:
            base = int(cursor[0])
            count = frame_stamped(block, True, cursor, 0, 0, 0, rows, ends)
            if not count:
                return base
            starts, sizes = base + rows["start"][:count], rows["size"][:count]
            is_notice = (sizes > 0) & (block[np.minimum(starts, len(block) - 1)] == 0)
            counted = 0
            for i in np.flatnonzero(is_notice).tolist():
                self.sequence += i - counted
                counted = i + 1
                self._follow(block[starts[i] : starts[i] + sizes[i]].tobytes())
            self.sequence += count - counted

    def _follow(self, data: bytes) -> None:
        """What a notice, or a message that looks like one, says of the place."""
        notice = decode_notice(data)
        if isinstance(notice, Began):
            self.session, self.sequence = notice
        elif isinstance(notice, Lost):
            self.sequence = notice.last + 1
        elif notice is None:
            self.sequence += 1
