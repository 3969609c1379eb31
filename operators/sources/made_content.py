"""Content that is made from a capture's files, instead of being what stands in them."""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import ExitStack

from operators.sources.capture_file import CaptureFile
from schemas.errors import CaptureError


class MadeContent(ABC):
    """What `CaptureFile` is for other formats: content to be read once, front to back.

    Making it again gives the same, so that an offset is a position.
    """

    def __init__(self, files: Sequence[CaptureFile]) -> None:
        self._files = list(files)
        self._content = self._make()
        self._pending = memoryview(b"")

    @abstractmethod
    def _make(self) -> Iterator[bytes | memoryview]:
        """The content in pieces, none of them empty; each is used up before the next is asked for."""

    @property
    def name(self) -> str:
        """The files' names without their folder."""
        return " + ".join(file.name for file in self._files)

    @property
    def size(self) -> int:
        """Bytes of the files."""
        return sum(file.size for file in self._files)

    @property
    def consumed(self) -> int:
        """How many of the files' bytes have been read."""
        return sum(file.consumed for file in self._files)

    @property
    def digest(self) -> str:
        """What tells these files from others."""
        digests = [file.digest for file in self._files]
        return digests[0] if len(digests) == 1 else hashlib.sha256(" ".join(digests).encode()).hexdigest()

    def read_into(self, view: memoryview) -> int:
        """Fill `view` with content; fewer bytes than it holds are the last ones."""
        filled = 0
        while filled < len(view):
            if not self._pending:
                self._pending = memoryview(self._next())
                if not self._pending:
                    break
            count = min(len(self._pending), len(view) - filled)
            view[filled : filled + count] = self._pending[:count]
            self._pending = self._pending[count:]
            filled += count
        return filled

    def _next(self) -> bytes | memoryview:
        try:
            return next(self._content, b"")
        except CaptureError:
            self.close()  # of several files only the damaged one is closed
            raise

    def skip(self, count: int) -> None:
        """Pass over `count` bytes of content, by making them."""
        scratch = memoryview(bytearray(min(count, 1 << 20)))
        while count and (made := self.read_into(scratch[:count])):
            count -= made

    def close(self) -> None:
        """Give the files back."""
        for file in self._files:
            file.close()


def open_all(opened: Iterator[CaptureFile]) -> list[CaptureFile]:
    """All files, or none of them: where one cannot be opened, those before it are closed."""
    with ExitStack() as closing:
        files = []
        for file in opened:
            files.append(file)
            closing.callback(file.close)
        closing.pop_all()
    return files
