"""What a websocket line has heard: queued for the desk, kept for the watch, written into the recording."""

from collections import deque
from collections.abc import Callable

import structlog

from operators.sources.line import Entry
from operators.sources.session_writer import NS_PER_US, SessionWriter
from schemas.market import RawKind

WAITING_MAX = 1 << 16
"""Entries that may wait for the desk; then the line stops reading, and the venue sees that it is slow."""
_log = structlog.get_logger()


class Heard:
    """Entries in the order they were heard, at times in whole microseconds that never run backwards.

    One thread adds to it, another takes what waits for the desk. Where the disk is full, the recording is given up.
    """

    def __init__(self, name: str, writer: SessionWriter | None, clock_ns: Callable[[], int]) -> None:
        self._name, self._writer, self._clock_ns = name, writer, clock_ns
        self._waiting: deque[Entry] = deque()
        self._unwatched: list[Entry] = []
        self.clock = 0
        """Time of the last entry."""

    @property
    def is_recording(self) -> bool:
        """Whether all that passes is written down."""
        return self._writer is not None

    @property
    def is_full(self) -> bool:
        """Whether so much waits for the desk that nothing more should be read."""
        return len(self._waiting) >= WAITING_MAX

    def add(self, kind: RawKind, data: bytes) -> None:
        """Something was heard now."""
        entry = Entry(self._now(), kind, _text(data))
        self._waiting.append(entry)
        self._unwatched.append(entry)
        self._record(lambda writer: writer.write(kind, self._name, entry.clock, entry.data))

    def sent(self, text: str) -> None:
        """Something was said now: the recording has it too."""
        self._record(lambda writer: writer.write_text("send", self._name, self._now(), "data", text))

    def take(self) -> list[Entry]:
        """What waits for the desk."""
        return [self._waiting.popleft() for _ in range(len(self._waiting))]

    def unwatched(self) -> list[Entry]:
        """What came since this was last asked."""
        entries, self._unwatched = self._unwatched, []
        return entries

    def tend(self) -> None:
        """Have what was recorded reach the file."""
        self._record(SessionWriter.tend)

    def close(self) -> None:
        """Finish the recording."""
        self._record(SessionWriter.close)

    def _now(self) -> int:
        self.clock = max(self.clock, self._clock_ns() // NS_PER_US * NS_PER_US)
        return self.clock

    def _record(self, what: Callable[[SessionWriter], None]) -> None:
        if self._writer is None:
            return
        try:
            what(self._writer)
        except OSError as e:
            _log.error("recording given up", feed=self._name, path=str(self._writer.path), why=e.strerror)
            self._writer.abandon()
            self._writer = None


def _text(message: bytes) -> bytes:
    """What can be written down as text: bytes that are not UTF-8, which no venue sends, are spelt out."""
    if not message.isascii():
        try:
            message.decode()
        except UnicodeDecodeError:
            return message.decode(errors="backslashreplace").encode()
    return message
