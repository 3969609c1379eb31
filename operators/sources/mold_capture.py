"""Captures of MoldUDP64 as one stream of messages, each behind its receive time: two lossy lines become one feed."""

import heapq
from collections.abc import Iterator, Sequence
from pathlib import Path

from operators.framing.mold_output import Output, Repeated
from operators.framing.mold_receiver import MoldReceiver
from operators.framing.pcap import Read, captured
from operators.framing.refused import Refused
from operators.framing.udp import udp_payload
from operators.sources.capture_file import CaptureFile
from operators.sources.captured_feed import MoldPcapFeed
from operators.sources.made_content import MadeContent, open_all
from operators.sources.stamped import stamped
from schemas.errors import CaptureError

_CHUNK_BYTES = 1 << 16
_HOUR_NS = 3600 * 10**9


class MoldCapture(MadeContent):
    """The messages of a capture of MoldUDP64, made from its packets.

    Per message there is its receive time (8 bytes), its length (4) and the message, or in its place a
    notice of what was lost, recovered or refused, and at the end of each hour of how much came again. The receive
    time is that of the packet which let the message pass: where it waited for an earlier one, that of the latter.
    Raises CaptureError where a file is missing, unreadable or no capture.
    """

    def __init__(self, feed: MoldPcapFeed, path: Path) -> None:
        self._id, self._port = feed.id, feed.port
        self._paths = [path] if feed.path_b is None else [path, path.parent / feed.path_b]
        self._receiver = MoldReceiver(patience_ns=feed.patience)
        self._told_repeated = 0
        super().__init__(open_all(CaptureFile(feed.id, line) for line in self._paths))

    def _make(self) -> Iterator[bytes]:
        """Pieces of one packet's consequences."""
        clock, numbered = 0, [self._line(i) for i in range(len(self._files))]
        for ts, _, payload in heapq.merge(*numbered, key=lambda arrival: arrival[:2]):
            if ts // _HOUR_NS > clock // _HOUR_NS:
                yield from self._repeated(clock)
            clock = max(clock, ts)
            if content := stamped(self._received(payload, clock), clock):
                yield content
        if content := stamped(self._receiver.finish(), clock):
            yield content
        yield from self._repeated(clock)

    def _repeated(self, clock: int) -> Iterator[bytes]:
        """How many messages came again since this was last asked, if any."""
        count = self._receiver.counts.duplicates - self._told_repeated
        if count:
            self._told_repeated += count
            yield stamped([Repeated(count)], clock)

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
