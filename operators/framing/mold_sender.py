"""The sending side of MoldUDP64: numbers messages, packs them, and answers requests for what was missed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from operators.framing.mold_packet import (
    COUNT_MAX,
    HEADER_LENGTH,
    PAYLOAD_MAX,
    Packet,
    decode_request,
    encode_packet,
    padded,
)
from operators.framing.refused import Refused


@dataclass
class MoldSender:
    """Sends one session, and keeps its last `kept_max` messages to send again.

    Packets have at most `payload_max` bytes, unless a single message is longer.
    """

    session: bytes
    payload_max: int = PAYLOAD_MAX
    kept_max: int = 1_000_000
    _first: int = 1
    """Number of the oldest message held, of which at most twice as many are as are kept."""
    _held: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.session = padded(self.session)

    @property
    def sequence(self) -> int:
        """The number of the next message."""
        return self._first + len(self._held)

    def send(self, messages: Iterable[bytes]) -> list[bytes]:
        """`messages` in as few packets as they fit into, in order."""
        pending, first = list(messages), self.sequence
        self._held += pending
        if len(self._held) > 2 * self.kept_max:
            surplus = len(self._held) - self.kept_max
            del self._held[:surplus]
            self._first += surplus
        packets, start = [], 0
        while start < len(pending):
            count = self._fitting(pending[start : start + COUNT_MAX])
            packets.append(self._packet(first + start, pending[start : start + count]))
            start += count
        return packets

    def heartbeat(self) -> bytes:
        """To be sent once a second while there is nothing else to send."""
        return self._packet(self.sequence, ())

    def end(self) -> bytes:
        """To be sent in the place of heartbeats once the session is over."""
        return encode_packet(Packet(self.session, self.sequence, (), is_end=True))

    def reply(self, data: bytes) -> bytes | Refused:
        """The packet that answers a request: what fits into it from the first message on; the rest is asked anew."""
        request = decode_request(data)
        if isinstance(request, Refused):
            return request
        if request.session != self.session:
            return Refused(f"session: expected {self.session!r}, came {request.session!r}", data)
        oldest = max(self._first, self.sequence - self.kept_max)
        if not oldest <= request.sequence < self.sequence:
            return Refused(f"sequence number: expected {oldest} to {self.sequence - 1}, came {request.sequence}", data)
        first = request.sequence - self._first
        wanted = self._held[first : first + min(request.wanted, self.payload_max)]  # no more can fit
        return self._packet(request.sequence, wanted[: self._fitting(wanted)])

    def _fitting(self, messages: Sequence[bytes]) -> int:
        """How many of `messages` fit into one packet; at least one of them."""
        room = self.payload_max - HEADER_LENGTH
        for count, message in enumerate(messages):
            room -= 2 + len(message)
            if room < 0 and count:
                return count
        return len(messages)

    def _packet(self, first: int, messages: Sequence[bytes]) -> bytes:
        return encode_packet(Packet(self.session, first, messages))
