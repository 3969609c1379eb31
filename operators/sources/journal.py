"""The input log of a live desk, written down before anything is made of it: a crash then costs nothing that was seen.

A journal is a folder of segments (`journal_segment`), each of so many records (`journal_records`). Its entries are
the desk's input log itself, with numbers and clocks, so reading it again gives what was seen, byte for byte.
"""

import errno
import fcntl
import os
import secrets
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import structlog

from operators.sources.journal_records import encode_record
from operators.sources.journal_segment import Segment, SegmentHead, first_of, segment_path, segments_of
from schemas.errors import CaptureError, JournalError
from schemas.market import RAW, RawKind

SEGMENT_BYTES = 64 << 20

_AT_ONCE = 8192
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_FRESH = ".fresh"

_log = structlog.get_logger(__name__)

Sync = int | Literal["always", "never"]
"""When the disk must have what was written: before it is handed on, after so many ns at the latest, or some time."""


class Logged(NamedTuple):
    """An entry on its way into a journal."""

    clock: int
    kind: RawKind
    feed: int
    """Index of the desk's feed, -1 where it is of none."""
    data: bytes


class Journal:
    """A journal that is written to, by this process alone.

    `cause` and `clock` are those of its last entry (0 before the first), `is_ended` whether that is END. What a crash
    left unfinished at its end is cut off. Raises CaptureError where the folder cannot be used, is another process's,
    holds the journal of other feeds, or is damaged before its end; JournalError where it cannot be written to.
    """

    def __init__(
        self, folder: Path, feeds: Sequence[str], segment_bytes: int = SEGMENT_BYTES, sync: Sync = "never"
    ) -> None:
        self.folder, self._feeds = folder, tuple(feeds)
        self._segment_bytes, self._sync = segment_bytes, sync
        self.cause = self.clock = 0
        self.is_ended = False
        self.id = secrets.token_hex(16)
        self._file, self._first, self._size, self._synced_ns = -1, 1, 0, time.monotonic_ns()
        self._lock = _locked(folder)
        try:
            for left_by_a_crash in folder.glob(f"*{_FRESH}"):
                left_by_a_crash.unlink()
            segments = segments_of(folder)
            if segments:
                self._take_up(segments[-1])
            else:
                self.begin_segment((None,) * len(self._feeds))
        except BaseException:
            self.close()
            raise

    @property
    def is_full(self) -> bool:
        """Whether it is time for another segment."""
        return self._size >= self._segment_bytes and self.cause >= self._first

    def append(self, entries: Iterable[Logged]) -> bytes:
        """Write entries down, numbered and with clocks made monotone; returns their records.

        Raises JournalError where the disk does not take them: then none of them is in the journal.
        """
        cause, clock, kind, records = self.cause, self.clock, -1, []
        for entry in entries:
            cause, clock, kind = cause + 1, max(clock, entry.clock), int(entry.kind)
            records.append(encode_record(cause, clock, kind, entry.feed, entry.data))
        written = b"".join(records)
        with self._explained():
            self._write(written)
        self.cause, self.clock, self.is_ended = cause, clock, kind == RawKind.END
        return written

    def begin_segment(self, places: Sequence[str | None]) -> None:
        """Go on in a new segment; `places` are those of the feeds by now. Raises JournalError."""
        path = segment_path(self.folder, self.cause + 1)
        fresh = path.with_suffix(_FRESH)
        head = SegmentHead(self.id, self.cause + 1, self.clock, self._feeds, tuple(places)).encode()
        with self._explained():
            if self._file >= 0 and self._sync != "never":
                os.fdatasync(self._file)
            fresh.write_bytes(head)
            _sync_file(fresh)
            fresh.rename(path)
            os.fsync(self._lock)
            self._open(path, len(head))

    def close(self) -> None:
        """Give the files back; unless it need not, the disk has all of it then."""
        if self._file >= 0:
            with suppress(OSError):  # a disk that fails has failed before
                if self._sync != "never":
                    os.fdatasync(self._file)
            os.close(self._file)
        os.close(self._lock)

    def _take_up(self, path: Path) -> None:
        """Go on behind the last whole record of the last segment."""
        last = Segment(path)
        rows = np.empty(_AT_ONCE, RAW.dtype)
        try:
            while last.read(rows)[0]:
                pass
        finally:
            last.close()
        if last.head.feeds != self._feeds:
            raise CaptureError(
                f"the journal in {self.folder} is of the feeds {', '.join(last.head.feeds)}, the desk now has "
                f"{', '.join(self._feeds)}; put the feeds back, or give the desk a journal of another name"
            )
        self.id, self.cause, self.clock = last.head.journal, last.cause, last.clock
        self.is_ended = last.kind == RawKind.END
        torn = path.stat().st_size - last.offset
        with self._explained():
            self._open(path, last.offset)
            if torn:
                os.ftruncate(self._file, last.offset)
                _log.warning("journal ended inside an entry, cut it off", path=str(path), bytes=torn, entry=last.cause)

    def _open(self, path: Path, size: int) -> None:
        file = os.open(path, os.O_WRONLY | os.O_APPEND)
        if self._file >= 0:
            os.close(self._file)
        self._file, self._first, self._size = file, first_of(path), size

    def _write(self, data: bytes) -> None:
        view = memoryview(data)
        try:
            while view:
                view = view[os.write(self._file, view) :]
            self._have_synced()
        except OSError:
            with suppress(OSError):  # then the next to open it cuts it off
                os.ftruncate(self._file, self._size)
            raise
        self._size += len(data)

    def _have_synced(self) -> None:
        """Have the disk take what was written, where that is due."""
        if self._sync == "never":
            return
        now = time.monotonic_ns()
        if self._sync == "always" or now - self._synced_ns >= self._sync:
            os.fdatasync(self._file)
            self._synced_ns = now

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except OSError as e:
            remedy = "make room" if e.errno in _FULL else "mend that"
            raise JournalError(
                f"the journal in {self.folder} takes nothing behind entry {self.cause}: {e.strerror}; {remedy}, and "
                "run the same command again: the run goes on from there"
            ) from e


def _locked(folder: Path) -> int:
    """The folder, made where there is none, with a lock that the kernel takes back from a process that dies."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as e:
        raise CaptureError(f"cannot keep a journal in {folder}: {e.strerror}; correct the path") from e
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        raise CaptureError(
            f"the journal in {folder} is being written by another process; wait for it, or stop it"
        ) from None
    return lock


def _sync_file(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
