"""A client of SoupBinTCP: logs in, takes the sequenced messages, and resumes behind the last one after any break."""

from typing import NamedTuple

from operators.framing.mold_output import Lost, Message
from operators.framing.refused import Refused
from operators.framing.soup_packet import (
    FromClient,
    FromServer,
    PacketStream,
    decode_accepted,
    encode,
    encode_login,
)

HEARTBEAT_NS = 1_000_000_000
"""Each side sends something at least this often."""

SILENCE_NS = 15_000_000_000
"""A side that hears nothing for this long takes the link for broken."""


class Accepted(NamedTuple):
    """Logged in; sequenced messages follow from `sequence` on."""

    session: str
    sequence: int


class Rejected(NamedTuple):
    """Not let in; `reason` is a RejectReason, or whatever the server said."""

    reason: str


class Unsequenced(NamedTuple):
    """A message outside of the sequence: not repeated after a break."""

    data: bytes


class Debug(NamedTuple):
    """Text for people."""

    data: bytes


class SessionEnded(NamedTuple):
    """There will be no more messages in the session; the next would have been `sequence`."""

    session: str
    sequence: int


Output = Accepted | Rejected | Message | Lost | Unsequenced | Debug | SessionEnded | Refused


class SoupClient:
    """One login after another, to one stream of messages.

    `session` and `sequence` say where to begin; an empty session is the server's current one, number 0 its newest
    message. After a break, `connect` goes on where the stream was left: `session` and `sequence` are that state.
    """

    def __init__(self, username: str, password: str, session: str = "", sequence: int = 1) -> None:
        self.session, self.sequence = session, sequence
        self.duplicates = 0
        """Messages that a server sent again, and that were not passed on again."""
        self._username, self._password = username, password
        self._stream = PacketStream()
        self._is_in = False
        self._next = sequence
        """Number of the message the server will send next."""
        self._sent_ns = self._heard_ns = 0

    def connect(self, now_ns: int) -> bytes:
        """What to send first on a new connection. Raises ValueError where a name is too long."""
        self._stream, self._is_in = PacketStream(), False
        self._sent_ns = self._heard_ns = now_ns
        return encode_login(self._username, self._password, self.session, self.sequence)

    def receive(self, data: bytes, now_ns: int) -> list[Output]:
        """What a piece of the byte stream leads to."""
        self._heard_ns = now_ns
        out: list[Output] = []
        for packet in self._stream.feed(data):
            if isinstance(packet, Refused):
                out.append(packet)
            else:
                self._take(*packet, out)
        return out

    def send(self, data: bytes, now_ns: int) -> bytes:
        """A message to the server, which may be lost if the connection breaks."""
        self._sent_ns = now_ns
        return encode(FromClient.UNSEQUENCED, data)

    def heartbeat(self, now_ns: int) -> bytes:
        """What must be sent by now so that the server knows we live; often nothing."""
        if now_ns - self._sent_ns < HEARTBEAT_NS:
            return b""
        self._sent_ns = now_ns
        return encode(FromClient.HEARTBEAT)

    def logout(self) -> bytes:
        """What asks the server to close the connection."""
        return encode(FromClient.LOGOUT)

    def is_silent(self, now_ns: int) -> bool:
        """Whether the server has not been heard of for so long that the connection must be taken for broken."""
        return now_ns - self._heard_ns >= SILENCE_NS

    def _take(self, kind: str, payload: bytes, out: list[Output]) -> None:
        match kind:
            case FromServer.SEQUENCED if self._is_in:
                self._sequenced(payload, out)
            case FromServer.UNSEQUENCED if self._is_in:
                out.append(Unsequenced(payload))
            case FromServer.END if self._is_in and not payload:
                out.append(SessionEnded(self.session, self._next))
            case FromServer.ACCEPTED if not self._is_in:
                self._accepted(payload, out)
            case FromServer.REJECTED if not self._is_in:
                out.append(Rejected(payload.decode("ascii", "backslashreplace")))
            case FromServer.HEARTBEAT if not payload:
                pass
            case FromServer.DEBUG:
                out.append(Debug(payload))
            case _:
                state = "logged in" if self._is_in else "not logged in"
                out.append(Refused(f"type: expected one that a server sends to who is {state}, came {kind!r}", payload))

    def _accepted(self, payload: bytes, out: list[Output]) -> None:
        """Go on where the server does; what lies between that and our place in the stream is lost."""
        stream = decode_accepted(payload)
        if isinstance(stream, Refused):
            out.append(stream)
            return
        session, self._next = stream
        if self.session not in ("", session):
            out.append(Refused(f"session: expected {self.session!r}, came {session!r}", payload))
            return
        self._is_in, self.session = True, session
        out.append(Accepted(session, self._next))
        if self.sequence == 0:
            self.sequence = self._next
        elif self._next > self.sequence:
            out.append(Lost(self.sequence, self._next - 1))
            self.sequence = self._next

    def _sequenced(self, payload: bytes, out: list[Output]) -> None:
        if self._next < self.sequence:
            self.duplicates += 1
        else:
            out.append(Message(self._next, payload))
            self.sequence += 1
        self._next += 1
