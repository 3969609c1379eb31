"""What was received on one connection, out of a recording of whole websocket and REST sessions.

The recording has one JSON object per line, as `cryptofeed` writes them: `t` says what happened, `conn` on which
connection, `ts` when (seconds UTC, to the microsecond) and `data` holds the text received. Our own recordings
also say where a connection was lost: `close`, and `why`. What comes out is binary, for the kernel
`frame_session`: before each message its receive time, kind and size.
"""

from io import BufferedReader, RawIOBase
from typing import TYPE_CHECKING

import orjson

from operators.sources.framing import CLOCK_MAX
from operators.sources.session_entry import entry
from schemas.market import RawKind

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_LINE_BYTES_MAX = 1 << 28
"""A longer line is taken to be several."""
_NS_PER_US = 1000
_MICROSECONDS_MAX = CLOCK_MAX // _NS_PER_US
_TEXTS = {"recv": "data", "http": "data", "connect": "addr", "close": "why"}
"""Records that are received, and where each has its text."""
_KINDS = {"connect": RawKind.CONNECT, "close": RawKind.DISCONNECT}
_OTHERS = ("header", "send")


class UnknownConnectionError(Exception):
    """The recording has no such connection; says which it has."""


class Session(RawIOBase):
    """The entries of one connection: messages, bodies of replies over HTTP, and where it was opened and lost.

    A line that is no record is a message as a whole, at the time of the one before, on every connection:
    nothing tells whose it was. Reading raises UnknownConnectionError at the end where the connection never occurred.
    """

    def __init__(self, file: RawIOBase, connection: str) -> None:
        self._lines = BufferedReader(file, 1 << 16)
        self._connection = connection
        self._connections: set[str] = set()
        self._pending = memoryview(b"")

    def readinto(self, view: "WriteableBuffer") -> int:
        """Put at least one byte of entries into `view`; 0 at the end."""
        while not self._pending:
            line = self._lines.readline(_LINE_BYTES_MAX)
            if not line:
                self._check_found()
                return 0
            self._pending = memoryview(self._entry(line))
        view = memoryview(view)
        count = min(len(view), len(self._pending))
        view[:count] = self._pending[:count]
        self._pending = self._pending[count:]
        return count

    def _entry(self, line: bytes) -> bytes:
        """The entry of a line; nothing where it is of no concern."""
        try:
            record = orjson.loads(line)
            kind = record["t"]
            if kind in _OTHERS:
                return b""
            connection, text = record["conn"], record[_TEXTS[kind]].encode()
            microseconds = round(record["ts"] * 10**6)
        except (ValueError, LookupError, TypeError, AttributeError, OverflowError):
            return self._unread(line)
        if not isinstance(connection, str) or not 0 <= microseconds < _MICROSECONDS_MAX:
            return self._unread(line)
        self._connections.add(connection)
        if connection != self._connection:
            return b""
        return entry(microseconds * _NS_PER_US, text, _KINDS.get(kind, RawKind.MESSAGE))

    @staticmethod
    def _unread(line: bytes) -> bytes:
        line = line.rstrip(b"\r\n")
        return entry(0, line) if line else b""

    def _check_found(self) -> None:
        if self._connection not in self._connections:
            known = ", ".join(sorted(self._connections)) or "none"
            raise UnknownConnectionError(f"no line is of connection {self._connection!r}; the capture has {known}")
