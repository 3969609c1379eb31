"""MoldUDP64 packets, decoded and encoded.

Source: "MoldUDP64 Protocol Specification V 1.00", NASDAQ OMX. A downstream packet is session (10 bytes), sequence
number of its first message (8), message count (2), and so many blocks of length (2) and message. Count 0 is a
heartbeat and 0xFFFF the end of the session; both carry the number that the next message will have. A request is the
same twenty bytes: the first message wanted, and how many. Integers are unsigned and big-endian; numbers start at 1.
"""

import struct
from collections.abc import Sequence
from typing import NamedTuple

from operators.framing.refused import Refused

HEADER_LENGTH = 20
SESSION_LENGTH = 10
COUNT_MAX = 0xFFFE
"""The most messages of a packet, or of a request."""

PAYLOAD_MAX = 1400
"""Bytes of a packet that pass through networks of any kind in one piece."""

_END = 0xFFFF
_HEADER = struct.Struct(">10sQH")
_LENGTH = struct.Struct(">H")
_NUMBERS = 1 << 64


class Packet(NamedTuple):
    """A downstream packet. Without messages it tells that `sequence` comes next (and no more, if `is_end`)."""

    session: bytes
    sequence: int
    messages: Sequence[bytes]
    is_end: bool = False


class Request(NamedTuple):
    """A wish to have messages `sequence` to `sequence + wanted - 1` again."""

    session: bytes
    sequence: int
    wanted: int


def decode_packet(data: bytes) -> Packet | Refused:
    """The packet that `data` is, wholly and exactly, or why it is none."""
    size = len(data)
    if size < HEADER_LENGTH:
        return Refused(f"packet: expected at least {HEADER_LENGTH} bytes, came {size}", data)
    session, sequence, count = _HEADER.unpack_from(data)
    if count == _END:
        return _without_messages(data, Packet(session, sequence, (), is_end=True))
    if sequence + count > _NUMBERS:
        return Refused(f"sequence number: expected room for {count} messages, came {sequence}", data)
    messages, at = [], HEADER_LENGTH
    for number in range(count):
        start = at + 2
        if start > size:
            return Refused(f"message count: expected {number} as in the packet's {size} bytes, came {count}", data)
        at = start + (data[at] << 8 | data[at + 1])
        if at > size:
            return Refused(f"message {number}, length: expected at most {size - start}, came {at - start}", data)
        messages.append(data[start:at])
    packet = Packet(session, sequence, messages)
    if at == size:
        return packet
    return Refused(f"packet: expected {at} bytes for {count} messages, came {size}", data)


def encode_packet(packet: Packet) -> bytes:
    """The packet's bytes. Raises ValueError for too many messages, struct.error for what a field cannot hold."""
    if len(packet.messages) > COUNT_MAX:
        raise ValueError(f"{len(packet.messages)} messages do not fit into one packet; at most {COUNT_MAX} do")
    count = _END if packet.is_end else len(packet.messages)
    blocks = [part for message in packet.messages for part in (_LENGTH.pack(len(message)), message)]
    return b"".join((_HEADER.pack(padded(packet.session), packet.sequence, count), *blocks))


def decode_request(data: bytes) -> Request | Refused:
    """The request that `data` is, or why it is none."""
    if len(data) != HEADER_LENGTH:
        return Refused(f"request: expected {HEADER_LENGTH} bytes, came {len(data)}", data)
    return Request(*_HEADER.unpack(data))


def encode_request(request: Request) -> bytes:
    """The request's bytes. Raises struct.error for what a field cannot hold."""
    return _HEADER.pack(padded(request.session), request.sequence, request.wanted)


def padded(session: bytes) -> bytes:
    """The session's name as it travels. Raises ValueError for one longer than ten bytes."""
    if len(session) > SESSION_LENGTH:
        raise ValueError(f"session {session!r} has {len(session)} bytes; at most {SESSION_LENGTH} fit")
    return session.ljust(SESSION_LENGTH)


def _without_messages(data: bytes, packet: Packet) -> Packet | Refused:
    if len(data) == HEADER_LENGTH:
        return packet
    return Refused(f"end of session: expected {HEADER_LENGTH} bytes, came {len(data)}", data)
