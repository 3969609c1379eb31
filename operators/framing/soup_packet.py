"""SoupBinTCP 3.00 packets: cut out of a byte stream, and encoded in both directions.

Source: "SoupBinTCP Version 3.00", NASDAQ, 22 February 2017. A packet is its length (2 bytes, big-endian, counting what
follows), its type (1) and a payload. Text is ASCII padded with spaces, on the right for names, on the left for numbers.
"""

import struct
from enum import StrEnum

from operators.framing.refused import Refused

USERNAME_LENGTH, PASSWORD_LENGTH, SESSION_LENGTH, SEQUENCE_LENGTH = 6, 10, 10, 20

_LENGTH = struct.Struct(">H")
_LONGEST = 0xFFFF


class FromServer(StrEnum):
    """Packets that a server sends."""

    DEBUG = "+"
    ACCEPTED = "A"
    REJECTED = "J"
    SEQUENCED = "S"
    UNSEQUENCED = "U"
    HEARTBEAT = "H"
    END = "Z"


class FromClient(StrEnum):
    """Packets that a client sends."""

    DEBUG = "+"
    LOGIN = "L"
    UNSEQUENCED = "U"
    HEARTBEAT = "R"
    LOGOUT = "O"


class RejectReason(StrEnum):
    """Why a server lets nobody in."""

    NOT_AUTHORISED = "A"
    NO_SUCH_SESSION = "S"


class PacketStream:
    """Cuts a byte stream, which arrives in any pieces, into packets of (type, payload)."""

    def __init__(self) -> None:
        self._pending = bytearray()

    def feed(self, data: bytes) -> list[tuple[str, bytes] | Refused]:
        """The packets that `data` completes, in order. A packet without a type is refused, the stream goes on."""
        pending, at = self._pending, 0
        pending += data
        found: list[tuple[str, bytes] | Refused] = []
        while at + 2 <= len(pending):
            behind = at + 2 + (pending[at] << 8 | pending[at + 1])
            if behind > len(pending):
                break
            packet = bytes(pending[at + 2 : behind])
            found.append(
                (chr(packet[0]), packet[1:]) if packet else Refused("packet: expected a type, came 0 bytes", b"\0\0")
            )
            at = behind
        del pending[:at]
        return found

    @property
    def pending(self) -> int:
        """Bytes of a packet that is not complete."""
        return len(self._pending)


def encode(kind: FromServer | FromClient, payload: bytes = b"") -> bytes:
    """One packet. Raises ValueError where it would be too long."""
    if len(payload) >= _LONGEST:
        raise ValueError(f"a payload of {len(payload)} bytes does not fit into a packet; at most {_LONGEST - 1} do")
    return _LENGTH.pack(1 + len(payload)) + kind.encode() + payload


def encode_login(username: str, password: str, session: str, sequence: int) -> bytes:
    """A request to log in: to `session` (empty: the current one) from message `sequence` on (0: from now on).

    Raises ValueError for what a field cannot hold.
    """
    return encode(
        FromClient.LOGIN,
        _name(username, USERNAME_LENGTH) + _name(password, PASSWORD_LENGTH) + _session(session) + _number(sequence),
    )


def decode_login(payload: bytes) -> tuple[str, str, str, int] | Refused:
    """(username, password, session, sequence) of a request to log in."""
    size = USERNAME_LENGTH + PASSWORD_LENGTH + SESSION_LENGTH + SEQUENCE_LENGTH
    if len(payload) != size:
        return Refused(f"login: expected {size} bytes, came {len(payload)}", payload)
    username, password = payload[:USERNAME_LENGTH], payload[USERNAME_LENGTH : USERNAME_LENGTH + PASSWORD_LENGTH]
    stream = _session_and_sequence(payload[USERNAME_LENGTH + PASSWORD_LENGTH :])
    if isinstance(stream, Refused):
        return Refused(stream.reason, payload)
    return _text(username).rstrip(), _text(password).rstrip(), *stream


def encode_accepted(session: str, sequence: int) -> bytes:
    """A server's yes: the session, and the number of the next sequenced message. Raises ValueError."""
    return encode(FromServer.ACCEPTED, _session(session) + _number(sequence))


def decode_accepted(payload: bytes) -> tuple[str, int] | Refused:
    """(session, sequence) of a server's yes."""
    if len(payload) != SESSION_LENGTH + SEQUENCE_LENGTH:
        return Refused(
            f"login accepted: expected {SESSION_LENGTH + SEQUENCE_LENGTH} bytes, came {len(payload)}", payload
        )
    return _session_and_sequence(payload)


def _session_and_sequence(payload: bytes) -> tuple[str, int] | Refused:
    session, digits = _text(payload[:SESSION_LENGTH]).strip(), payload[SESSION_LENGTH:].strip(b" ")
    if not digits.isdigit():
        return Refused(f"sequence number: expected digits, came {payload[SESSION_LENGTH:]!r}", payload)
    return session, int(digits)


def _text(field: bytes) -> str:
    return field.decode("ascii", "backslashreplace")


def _name(text: str, size: int) -> bytes:
    field = text.encode("ascii").ljust(size)
    if len(field) > size:
        raise ValueError(f"{text!r} has {len(field)} characters; at most {size} fit")
    return field


def _session(session: str) -> bytes:
    return _name(session, SESSION_LENGTH).strip().rjust(SESSION_LENGTH)


def _number(number: int) -> bytes:
    digits = b"%d" % number
    if number < 0 or len(digits) > SEQUENCE_LENGTH:
        raise ValueError(f"{number} is not a sequence number")
    return digits.rjust(SEQUENCE_LENGTH)
