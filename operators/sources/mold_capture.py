"""Captures of MoldUDP64 as one stream of messages, each behind its receive time: two lossy lines become one feed."""

import hashlib
import heapq
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from operators.framing.mold_output import Output
from operators.framing.mold_receiver import MoldReceiver
from operators.framing.pcap import Read, captured
from operators.framing.refused import Refused
from operators.framing.udp import udp_payload
from operators.sources.capture_file import CaptureFile
from operators.sources.feed import FeedConfig
from operators.sources.stamped import stamped
from schemas.errors import CaptureError

_CHUNK_BYTES = 1 << 16


class MoldCapture:
    """What `CaptureFile` is for other formats: content to be read once, front to back.

    The content is made: per message its receive time (8 bytes), its length (4) and the message, or in its place a
    notice of what was lost, recovered or refused. The receive time is that of the packet which let the message pass:
    where it waited for an earlier one, that of the latter. Making it again gives the same, so that an offset is a
    position. Raises CaptureError where a file is missing, unreadable or no capture.
    """

    def __init__(self, feed: FeedConfig, path: Path) -> None:
        self._id, self._port = feed.id, feed.port
        self._paths = [path] if feed.path_b is None else [path, path.parent / feed.path_b]
        with ExitStack() as files:
            self._files: list[CaptureFile] = []
            for line in self._paths:
                self._files.append(CaptureFile(feed.id, line))
                files.callback(self._files[-1].close)
            self._closing = files.pop_all()
        self._receiver = MoldReceiver(patience_ns=feed.patience)
        self._content = self._make()
        self._pending = memoryview(b"")

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
        """What tells these captures from others."""
        digests = [file.digest for file in self._files]
        return digests[0] if len(digests) == 1 else hashlib.sha256(" ".join(digests).encode()).hexdigest()

    def read_into(self, view: memoryview) -> int:
        """Fill `view` with content; fewer bytes than it holds are the last ones."""
        filled = 0
        while filled < len(view):
            if not self._pending:
                self._pending = memoryview(next(self._content, b""))
                if not self._pending:
                    break
            count = min(len(self._pending), len(view) - filled)
            view[filled : filled + count] = self._pending[:count]
            self._pending = self._pending[count:]
            filled += count
        return filled

    def skip(self, count: int) -> None:
        """Pass over `count` bytes of content, by making them."""
        scratch = memoryview(bytearray(min(count, 1 << 20)))
        while count and (made := self.read_into(scratch[:count])):
            count -= made

    def close(self) -> None:
        """Give the files back."""
        self._closing.close()

    def _make(self) -> Iterator[bytes]:
        """The content, in pieces of one packet's consequences."""
        clock, numbered = 0, [self._line(i) for i in range(len(self._files))]
        for ts, _, payload in heapq.merge(*numbered, key=lambda arrival: arrival[:2]):
            clock = max(clock, ts)
            if content := stamped(self._received(payload, clock), clock):
                yield content
        if content := stamped(self._receiver.finish(), clock):
            yield content

    def _received(self, payload: bytes | Refused, clock: int) -> Sequence[Output]:
        return [payload] if isinstance(payload, Refused) else self._receiver.receive(payload, clock)

    def _line(self, number: int) -> Iterator[tuple[int, int, bytes | Refused]]:
        """(receive time made monotone, line, UDP payload) of each packet of a line."""
        clock = 0
        try:
            for item in captured(_reader(self._files[number])):
                if isinstance(item, Refused):
                    yield clock, number, item
                    continue
                clock = max(clock, item.ts)
                payload = udp_payload(item.link, item.frame, self._port)
                if payload is not None:
                    yield clock, number, payload
        except ValueError as e:
            self.close()
            raise CaptureError(f"feed {self._id!r}: {self._paths[number]} cannot be read: {e}") from e


def _reader(file: CaptureFile) -> Read:
    """A function that gives the next so many bytes of `file`, which is read in larger pieces."""
    buffer, scratch = bytearray(), memoryview(bytearray(_CHUNK_BYTES))

    def read(count: int) -> bytes:
        while len(buffer) < count and (filled := file.read_into(scratch)):
            buffer.extend(scratch[:filled])
        found = bytes(buffer[:count])
        del buffer[:count]
        return found

    return read
