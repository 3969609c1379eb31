"""Captures written from UDP payloads, by other means than they are read."""

import struct
from collections.abc import Iterable, Sequence


def ethernet(payload: bytes, port: int = 26477, tags: Sequence[int] = (), protocol: int = 17) -> bytes:
    """The payload in UDP in IPv4 in Ethernet, with VLAN tags of the given types."""
    vlan = b"".join(struct.pack(">HH", tag, 141) for tag in tags)
    return bytes(12) + vlan + b"\x08\x00" + ipv4(payload, port, protocol)


def ipv4(payload: bytes, port: int = 26477, protocol: int = 17, fragment: int = 0) -> bytes:
    udp = struct.pack(">HHHH", 9, port, 8 + len(payload), 0) + payload
    return struct.pack(">BBHHHBBHII", 0x45, 0, 20 + len(udp), 0, fragment, 64, protocol, 0, 0, 0) + udp


def ipv6(payload: bytes, port: int = 26477) -> bytes:
    udp = struct.pack(">HHHH", 9, port, 8 + len(payload), 0) + payload
    return struct.pack(">IHBB", 6 << 28, len(udp), 17, 64) + bytes(32) + udp


def classic(records: Iterable[tuple[int, bytes]], order: str = "<", nanoseconds: bool = True, link: int = 1) -> bytes:
    """A pcap file of (ns, frame)."""
    magic, unit = (0xA1B23C4D, 1) if nanoseconds else (0xA1B2C3D4, 1000)
    capture = struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 65535, link)
    for ts, frame in records:
        seconds, rest = divmod(ts, 10**9)
        capture += struct.pack(order + "IIII", seconds, rest // unit, len(frame), len(frame)) + frame
    return capture


def block(order: str, kind: int, body: bytes) -> bytes:
    body += bytes(-len(body) % 4)
    size = 12 + len(body)
    return struct.pack(order + "II", kind, size) + body + struct.pack(order + "I", size)


def section(order: str = "<") -> bytes:
    return block(order, 0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1))


def interface(order: str = "<", link: int = 1, options: bytes = b"") -> bytes:
    return block(order, 1, struct.pack(order + "HHI", link, 0, 65535) + options)


def resolution(order: str, value: int) -> bytes:
    return struct.pack(order + "HHB3x", 9, 1, value)


def enhanced(order: str, index: int, ticks: int, frame: bytes) -> bytes:
    head = struct.pack(order + "IIIII", index, ticks >> 32, ticks & 0xFFFFFFFF, len(frame), len(frame))
    return block(order, 6, head + frame)


def nanosecond_sections(records: Iterable[tuple[int, bytes]], order: str = "<") -> bytes:
    """A pcapng file of (ns, frame)."""
    head = section(order) + interface(order, options=resolution(order, 9))
    return head + b"".join(enhanced(order, 0, ts, frame) for ts, frame in records)
