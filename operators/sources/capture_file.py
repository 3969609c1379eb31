"""The bytes of a capture, plain or compressed, and what tells it from another capture."""

import hashlib
import os
import zipfile
import zlib
from collections.abc import Callable
from io import FileIO, RawIOBase
from pathlib import Path
from typing import IO, TYPE_CHECKING

from backports.zstd import ZstdDecompressor, ZstdError

from operators.sources.session import Session, UnknownConnectionError
from schemas.errors import CaptureError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer as Buffer

_HEAD_BYTES = 1 << 16
_CHUNK_BYTES = 1 << 16
_GZIP = 16 + zlib.MAX_WBITS
"""Tells zlib to expect gzip's header and checksum."""


class CaptureFile:
    """A capture opened for reading once, front to back.

    A compressed file that ends early gives what there is of it, as a plain file would. With `connection` the
    content is that connection's part of a session. `content` makes the content of the file, where the end of its name
    does not tell what it is. Raises CaptureError where the file is missing, unreadable or damaged, or has no such
    connection.
    """

    def __init__(
        self,
        feed: str,
        path: Path,
        connection: str | None = None,
        content: Callable[[FileIO], RawIOBase] | None = None,
    ) -> None:
        self._feed, self._path = feed, path
        try:
            self._file = FileIO(path)
            self.size = os.fstat(self._file.fileno()).st_size
            self.digest = hashlib.sha256(self._file.read(_HEAD_BYTES)).hexdigest()
            self._file.seek(0)
        except OSError as e:
            raise CaptureError(
                f"feed {feed!r}: cannot read {path} ({e.strerror}); correct the feed's `path`, "
                "or `data`, the folder it is relative to"
            ) from e
        self._content: RawIOBase = self._file
        if content is not None:
            self._content = content(self._file)
        elif path.suffix in _DECOMPRESSORS:
            self._content = _DECOMPRESSORS[path.suffix](self._file)
        if connection is not None:
            self._content = Session(self._content, connection)

    @property
    def name(self) -> str:
        """The file's name without its folder."""
        return self._path.name

    @property
    def consumed(self) -> int:
        """How many of the file's `size` bytes have been read."""
        return self._file.tell()

    def read_into(self, view: memoryview) -> int:
        """Fill `view`; fewer bytes than it holds are the last ones."""
        filled = 0
        try:
            while filled < len(view):
                count = self._content.readinto(view[filled:])
                if not count:
                    break
                filled += count
        except UnknownConnectionError as e:
            self.close()
            raise CaptureError(f"feed {self._feed!r}: {self._path}: {e}; correct the feed's `connection`") from None
        except UnknownMemberError as e:
            self.close()
            raise CaptureError(f"feed {self._feed!r}: {self._path}: {e}") from None
        except (OSError, EOFError, zlib.error, zipfile.BadZipFile, ZstdError) as e:
            consumed = self.consumed
            self.close()
            raise CaptureError(
                f"feed {self._feed!r}: {self._path} is damaged at or before byte {consumed} of {self.size} ({e}); "
                "fetch the capture again, or take the feed out of the configuration"
            ) from e
        return filled

    def skip(self, count: int) -> None:
        """Pass over `count` bytes of content: a seek, or a decompression of what was read before."""
        if self._content is self._file:
            self._file.seek(count)
            return
        scratch = memoryview(bytearray(min(count, 1 << 20)))
        while count and (read := self.read_into(scratch[:count])):
            count -= read

    def close(self) -> None:
        """Give the file back."""
        self._file.close()


class UnknownMemberError(ValueError):
    """A zip does not have the one file that is wanted."""


class Unzip(RawIOBase):
    """The one file of a zip whose name contains `wanted`. Raises UnknownMemberError where there is not exactly one."""

    def __init__(self, file: FileIO, wanted: str = "", remedy: str = "name one of them as the feed's `member`") -> None:
        self._file, self._wanted, self._remedy = file, wanted, remedy
        self._member: IO[bytes] | None = None

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, view: "Buffer") -> int:
        """Put decompressed bytes into `view`; 0 at the end."""
        if self._member is None:
            archive = zipfile.ZipFile(self._file)
            names = [name for name in archive.namelist() if not name.endswith("/")]
            found = [name for name in names if self._wanted in name]
            if len(found) != 1:
                what = f"a name with {self._wanted!r}" if self._wanted else "one file"
                held = f"found {len(found)} of {', '.join(names)[:300]}"
                raise UnknownMemberError(f"expected {what} in the zip, {held}; {self._remedy}")
            self._member = archive.open(found[0])
        content = self._member.read(min(memoryview(view).nbytes, _CHUNK_BYTES))
        memoryview(view)[: len(content)] = content
        return len(content)


class _Gunzip(RawIOBase):
    """Decompresses concatenated gzip members; a file that ends early gives all it holds, unlike with `gzip`."""

    def __init__(self, file: FileIO) -> None:
        self._file = file
        self._member = zlib.decompressobj(_GZIP)
        self._pending = b""

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, view: "Buffer") -> int:
        """Put at least one decompressed byte into `view`; 0 at the end."""
        view = memoryview(view)
        while chunk := self._pending or self._file.read(_CHUNK_BYTES) or b"":
            self._pending = b""
            if self._member.eof:
                chunk = chunk.lstrip(b"\0")  # members may be padded
                if not chunk:
                    continue
                self._member = zlib.decompressobj(_GZIP)
            content = self._member.decompress(chunk, len(view))
            self._pending = self._member.unused_data or self._member.unconsumed_tail
            if content:
                break
        else:
            content = b"" if self._member.eof else self._member.decompress(b"", len(view))
        view[: len(content)] = content
        return len(content)


class _Unzstd(RawIOBase):
    """Decompresses concatenated Zstandard frames; a file that ends early gives all it holds."""

    def __init__(self, file: FileIO) -> None:
        self._file = file
        self._frame = ZstdDecompressor()

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, view: "Buffer") -> int:
        """Put at least one decompressed byte into `view`; 0 at the end."""
        view = memoryview(view)
        content = b""
        while not content:
            chunk = b""
            if self._frame.eof or self._frame.needs_input:
                chunk = (self._frame.unused_data if self._frame.eof else b"") or self._file.read(_CHUNK_BYTES) or b""
                if not chunk:
                    break
            if self._frame.eof:
                self._frame = ZstdDecompressor()
            content = self._frame.decompress(chunk, len(view))
        view[: len(content)] = content
        return len(content)


_DECOMPRESSORS: dict[str, Callable[[FileIO], RawIOBase]] = {".gz": _Gunzip, ".zst": _Unzstd, ".zip": Unzip}
