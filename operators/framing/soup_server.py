"""A server of SoupBinTCP: one sequence of messages, and any number of connections that each follow it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from operators.framing.refused import Refused
from operators.framing.soup_client import HEARTBEAT_NS, SILENCE_NS, Debug, Unsequenced
from operators.framing.soup_packet import (
    FromClient,
    FromServer,
    PacketStream,
    RejectReason,
    decode_login,
    encode,
    encode_accepted,
)


@dataclass
class SoupServer:
    """The session: who may follow it (password by username), and its messages so far."""

    session: str
    passwords: Mapping[str, str]
    messages: list[bytes] = field(default_factory=list)
    is_over: bool = False

    def connection(self, now_ns: int) -> "SoupConnection":
        """A new connection, before its login."""
        return SoupConnection(self, now_ns)


class SoupConnection:
    """One client's place in the session. `is_open` turns false when the connection should be closed."""

    def __init__(self, server: SoupServer, now_ns: int) -> None:
        self.is_open = True
        self._server, self._stream = server, PacketStream()
        self._next: int | None = None
        """Index of the message to send next; None before the login."""
        self._pending = b""
        self._is_told_end = False
        self._sent_ns = self._heard_ns = now_ns

    @property
    def is_behind(self) -> bool:
        """Whether there are messages that it has not been sent."""
        return self._next is not None and self._next < len(self._server.messages)

    def receive(self, data: bytes, now_ns: int) -> list[Unsequenced | Debug | Refused]:
        """What a piece of the client's byte stream leads to; see `pull` for what to send back."""
        self._heard_ns = now_ns
        out: list[Unsequenced | Debug | Refused] = []
        for packet in self._stream.feed(data):
            if isinstance(packet, Refused):
                out.append(packet)
            elif self.is_open:
                self._take(*packet, out)
        return out

    def pull(self, now_ns: int, most: int = 1000) -> bytes:
        """What to send now: the answer to the login, then at most so many messages, or a heartbeat."""
        if now_ns - self._heard_ns >= SILENCE_NS:
            self.is_open = False
        sent, self._pending = [self._pending], b""
        if self._next is not None:
            fresh = self._server.messages[self._next : self._next + most]
            sent += [encode(FromServer.SEQUENCED, message) for message in fresh]
            self._next += len(fresh)
            if self._server.is_over and self._next >= len(self._server.messages) and not self._is_told_end:
                self._is_told_end = True
                sent.append(encode(FromServer.END))
        data = b"".join(sent)
        if not data and now_ns - self._sent_ns >= HEARTBEAT_NS:
            data = encode(FromServer.HEARTBEAT)
        if data:
            self._sent_ns = now_ns
        return data

    def _take(self, kind: str, payload: bytes, out: list[Unsequenced | Debug | Refused]) -> None:
        match kind:
            case FromClient.LOGIN if self._next is None:
                self._login(payload, out)
            case FromClient.UNSEQUENCED if self._next is not None:
                out.append(Unsequenced(payload))
            case FromClient.LOGOUT if not payload:
                self.is_open = False
            case FromClient.HEARTBEAT if not payload:
                pass
            case FromClient.DEBUG:
                out.append(Debug(payload))
            case _:
                out.append(Refused(f"type: expected one that a client sends now, came {kind!r}", payload))

    def _login(self, payload: bytes, out: list[Unsequenced | Debug | Refused]) -> None:
        login = decode_login(payload)
        if isinstance(login, Refused):
            out.append(login)
            self._reject(RejectReason.NOT_AUTHORISED)
            return
        username, password, session, sequence = login
        behind = len(self._server.messages) + 1
        if self._server.passwords.get(username) != password:
            self._reject(RejectReason.NOT_AUTHORISED)
        elif session not in ("", self._server.session) or sequence > behind:
            self._reject(RejectReason.NO_SUCH_SESSION)
        else:
            self._next = (sequence or behind) - 1
            self._pending = encode_accepted(self._server.session, self._next + 1)

    def _reject(self, reason: RejectReason) -> None:
        self._pending = encode(FromServer.REJECTED, reason.encode())
        self.is_open = False
