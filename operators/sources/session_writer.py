"""Writes what passed on a connection in the form that `operators.sources.session` reads."""

import time
from collections.abc import Callable
from io import FileIO
from pathlib import Path

import orjson
from backports.zstd import ZstdCompressor

from schemas.errors import CaptureError
from schemas.market import RawKind

_FLUSH_EVERY_S = 1.0
_KINDS = {RawKind.CONNECT: ("connect", "addr"), RawKind.DISCONNECT: ("close", "why")}
"""How what is not a message is called, and where its text stands."""
NS_PER_US = 1000


class SessionWriter:
    """A file of JSON lines, compressed where its name ends in `.zst`; an earlier one is left alone.

    Where `path` exists, a number is put into the name: `day.jsonl.zst`, `day.2.jsonl.zst`, and so on. A crash costs the
    last second, and leaves the rest readable. Raises CaptureError where the file cannot be made.
    """

    def __init__(self, path: Path, monotonic_s: Callable[[], float] = time.monotonic) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self.path, self._file = _created(path)
        except OSError as e:
            raise CaptureError(f"recording {path}: {e.strerror}; correct the path, or make its folder writable") from e
        self._compressor = ZstdCompressor() if path.suffix == ".zst" else None
        self._monotonic_s = monotonic_s
        self._flushed_s = monotonic_s()
        self._lines: list[bytes] = []

    def write(self, kind: RawKind, connection: str, clock: int, data: bytes) -> None:
        """Write down an entry of a connection: its clock in ns, of which whole µs are kept, and text as UTF-8."""
        name, field = _KINDS.get(kind, ("recv", "data"))
        self.write_text(name, connection, clock, field, data.decode())

    def write_text(self, name: str, connection: str, clock: int, field: str, text: str) -> None:
        """Write down what else passed: `send` and `http`, their `data`."""
        seconds, microseconds = divmod(clock // NS_PER_US, 10**6)
        named = orjson.dumps({"t": name, "conn": connection})[:-1]
        self._lines.append(b'%b,"ts":%d.%06d,"%b":%b}\n' % (
            named, seconds, microseconds, field.encode(), orjson.dumps(text),
        ))  # fmt: skip
        self.tend()

    def tend(self) -> None:
        """Hand over what has waited for a second. Raises OSError where there is no room."""
        if self._lines and self._monotonic_s() - self._flushed_s >= _FLUSH_EVERY_S:
            self.flush()

    def flush(self) -> None:
        """Hand over what was written so far, so that it can be read. Raises OSError where there is no room."""
        content = b"".join(self._lines)
        self._lines.clear()
        self._flushed_s = self._monotonic_s()
        if self._compressor is not None:
            content = self._compressor.compress(content, ZstdCompressor.FLUSH_BLOCK)
        self._put(content)

    def close(self) -> None:
        """Finish the file."""
        try:
            self.flush()
            if self._compressor is not None:
                self._put(self._compressor.flush())
        finally:
            self._file.close()

    def abandon(self) -> None:
        """Give the file back as it is."""
        self._file.close()

    def _put(self, content: bytes) -> None:
        view = memoryview(content)
        while view:
            view = view[self._file.write(view) or 0 :]


def _created(path: Path) -> tuple[Path, FileIO]:
    """The file at a path of this name that was not there before."""
    stem, dot, endings = path.name.partition(".")
    number, candidate = 1, path
    while True:
        try:
            return candidate, FileIO(candidate, "x")
        except FileExistsError:
            number += 1
            candidate = path.with_name(f"{stem}.{number}{dot}{endings}")
