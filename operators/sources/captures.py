"""A capture as a sequence of messages, indexed a stretch at a time, that can be left and taken up anywhere."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from operators.sources.base_feed import CapturedFeed
from operators.sources.capture_file import CaptureFile
from operators.sources.captured_feed import MoldPcapFeed, SessionFeed
from operators.sources.file_feed import ColumnsFeed, LobsterFeed
from operators.sources.fix_log import frame_fix
from operators.sources.framing import frame_itch50, frame_recording, frame_session, frame_stamped
from operators.sources.lobster_capture import LobsterCapture
from operators.sources.made_content import MadeContent
from operators.sources.mold_capture import MoldCapture
from operators.sources.table_capture import TableCapture
from schemas.errors import CaptureError
from schemas.record import Frame

BLOCK_BYTES = 4 << 20
"""How much of a capture is in memory; more only where a message of a session is longer."""

_FRAMINGS = {
    "itch50": frame_itch50,
    "recording": frame_recording,
    "session": frame_session,
    "mold_pcap": frame_stamped,
    "lean": frame_session,
    "lobster": frame_session,
    "table": frame_session,
    "fix_log": frame_fix,
}

Bytes = np.ndarray[tuple[int], np.dtype[np.uint8]]


@dataclass(frozen=True)
class CapturePosition:
    """Between two messages of a capture: which capture, how far in, and its clock there."""

    feed: str
    name: str
    size: int
    digest: str
    offset: int
    """Bytes of (decompressed) content before the next message."""
    clock: int


class Capture:
    """The messages of feed number `feed_index` of a desk, from the start or from where `resume` left them.

    Raises CaptureError where the file cannot be read, or is not the one that `resume` is a position in.
    """

    def __init__(self, feed: CapturedFeed, path: Path, feed_index: int, resume: CapturePosition | None) -> None:
        self._frame = _FRAMINGS[feed.format]
        self._origin, self._feed_index, self._id = feed.origin_ns, feed_index, feed.id
        self._file = _content(feed, path)
        if resume is not None:
            self._check(resume, path)
            self._file.skip(resume.offset)
        self._cursor = np.array([0, self._origin if resume is None else resume.clock], np.int64)
        self._block: Bytes = np.empty(0, np.uint8)
        self._block_offset = 0 if resume is None else resume.offset
        self._is_final = False
        self._read_before = 0
        self.begin = self.offset
        """Offset of the content in `data`."""
        self.begin_clock = self.clock
        """Clock before it."""
        self.data: Bytes = self._block
        """What the `start` of the rows of the last `read` counts in; read-only, and never overwritten."""

    @property
    def size(self) -> int:
        """Bytes of the file."""
        return self._file.size

    @property
    def consumed(self) -> float:
        """About how many bytes of the file the messages read so far took."""
        progress = self._cursor[0] / len(self._block) if len(self._block) else 1.0
        return self._read_before + (self._file.consumed - self._read_before) * float(progress)

    @property
    def offset(self) -> int:
        """Bytes of content before the next message to read."""
        return self._block_offset + int(self._cursor[0])

    @property
    def clock(self) -> int:
        """Clock after the messages read so far, ns UTC."""
        return int(self._cursor[1])

    def read(self, rows: Frame, ends: Frame, cause: int) -> int:
        """Fill `rows` with the next messages, numbered from `cause`, and `ends` with where each ends in `data`.

        Returns how many: at least one, and 0 only at the end of the capture.
        """
        while True:
            start, self.begin_clock = self._cursor.tolist()
            block, final, cursor = self._block, self._is_final, self._cursor
            count: int = self._frame(block, final, cursor, self._origin, self._feed_index, cause, rows, ends)
            if count or final:
                break
            self._next_block()
        self.begin = self._block_offset + start
        self.data = block[start : int(cursor[0])]
        return count

    def position(self, offset: int, clock: int) -> CapturePosition:
        """The position at an offset of the content, where the clock is `clock`."""
        return CapturePosition(self._id, self._file.name, self._file.size, self._file.digest, offset, clock)

    def close(self) -> None:
        """Give the file back."""
        self._file.close()

    def _next_block(self) -> None:
        """A new block that starts with what is left of this one, which may still be in use elsewhere."""
        left = self._block[self._cursor[0] :]
        room = BLOCK_BYTES if len(left) < BLOCK_BYTES else 2 * len(left)
        block = np.empty(room, np.uint8)
        block[: len(left)] = left
        self._read_before = self._file.consumed
        filled = len(left) + self._file.read_into(block.data[len(left) :])
        self._is_final = filled < room
        self._block_offset = self.offset
        self._block = block[:filled]
        self._block.flags.writeable = False
        self._cursor[0] = 0

    def _check(self, resume: CapturePosition, path: Path) -> None:
        found, expected = (self._file.size, self._file.digest), (resume.size, resume.digest)
        if found != expected:
            self.close()
            raise CaptureError(
                f"feed {self._id!r}: {path} is not the capture this run has read so far, which was {resume.name!r}: "
                f"expected {resume.size} bytes starting with digest {resume.digest[:12]}, "
                f"found {found[0]} and {found[1][:12]}; put that file back, or start a run of another name"
            )


def _content(feed: CapturedFeed, path: Path) -> CaptureFile | MadeContent:
    """The messages of a capture, as its kernel takes them: some stand in the file, some are made from files."""
    match feed:
        case SessionFeed():
            return CaptureFile(feed.id, path, feed.connection)
        case MoldPcapFeed():
            return MoldCapture(feed, path)
        case ColumnsFeed():
            return TableCapture(feed, path)
        case LobsterFeed():
            return LobsterCapture(feed, path)
        case _:
            return CaptureFile(feed.id, path)
