"""Packet captures, classic pcap and pcapng, read a record at a time from a stream of bytes.

Sources: "PCAP Capture File Format" and "PCAP Next Generation Capture File Format" (IETF drafts of the opsawg).

Why a reader of our own: captures of feeds are long, exact, and often cut, and what was cut must be told. Of the readers
for Python, dpkt 1.9.8 (last released in 2022) gives the times of pcapng as floats, 100 ns and more off, and raises on a
cut header; python-pcapng 2.1.1 (2022) reads no classic captures, gives floats and raises; pypcapfile 0.12 (2016) loads
a whole file and knows no pcapng. scapy 2.8 is well kept and exact. But it gives a cut packet as if it were whole and
ends at a cut header without a word but in its log, so that a capture cut short could not be told from a whole one; it
takes 5.1 µs for a record where this takes 0.8 (pcapng: 2.2 and 1.6); and its licence is the GPL.
"""

import struct
from collections.abc import Callable, Iterator
from typing import NamedTuple

from operators.framing.refused import Refused
from operators.framing.udp import ETHERNET, LINUX_COOKED, LINUX_COOKED_2, RAW_IP

RECORD_MAX = 1 << 20
"""No record is longer; what says that it is, is damaged."""

_CLASSIC = {0xA1B2C3D4: 1_000, 0xA1B23C4D: 1}
"""Magic number of a classic capture -> ns per unit of its records' fractions of seconds."""

_SECTION, _INTERFACE, _SIMPLE, _ENHANCED = 0x0A0D0D0A, 1, 3, 6
_BYTE_ORDER = 0x1A2B3C4D
_RESOLUTION, _OFFSET = 9, 14
"""Options of an interface: the unit of its times, and the seconds they count from."""

_LINKS = {12: RAW_IP, 14: RAW_IP}
"""Numbers that some systems use for others."""

_UNDERSTOOD = (ETHERNET, RAW_IP, LINUX_COOKED, LINUX_COOKED_2)

Read = Callable[[int], bytes]
"""Gives so many bytes; fewer are the last ones."""


class Captured(NamedTuple):
    """A frame: when it was captured (ns UTC; 0 where that was not recorded), its link type, its bytes."""

    ts: int
    link: int
    frame: bytes


class _Interface(NamedTuple):
    link: int
    unit: tuple[int, int]
    """Nanoseconds per unit of time, as a fraction."""
    offset_s: int


def captured(read: Read) -> Iterator[Captured | Refused]:
    """The frames of a capture in order. Where it is damaged, or cut inside a record, that is the last thing it gives.

    Raises ValueError where the beginning is that of no capture, or of one of links that nobody here understands.
    """
    magic = read(4)
    for order in "<>":
        number = int.from_bytes(magic, "little" if order == "<" else "big")
        if len(magic) == 4 and number in _CLASSIC:
            yield from _classic(read, order, _CLASSIC[number])
            return
        if len(magic) == 4 and number == _SECTION:
            yield from _sections(read)
            return
    raise ValueError(f"a capture starts with the magic number of pcap or pcapng, not with {magic!r}")


def _classic(read: Read, order: str, unit_ns: int) -> Iterator[Captured | Refused]:
    header = read(20)
    if len(header) < 20:
        yield Refused(f"capture, header: expected 24 bytes, came {4 + len(header)}", header)
        return
    link = _understood(struct.unpack_from(order + "I", header, 16)[0] & 0xFFFF)
    record = struct.Struct(order + "4I")
    while head := read(16):
        if len(head) < 16:
            yield Refused(f"capture, record: expected a header of 16 bytes, came {len(head)}", head)
            return
        seconds, fraction, size, _ = record.unpack(head)
        if size > RECORD_MAX:
            yield Refused(f"capture, record: expected at most {RECORD_MAX} bytes, came a length of {size}", head)
            return
        frame = read(size)
        if len(frame) < size:
            yield Refused(f"capture, record: expected {size} bytes, came {len(frame)}", frame)
            return
        yield Captured(seconds * 10**9 + fraction * unit_ns, link, frame)


def _sections(read: Read) -> Iterator[Captured | Refused]:
    """pcapng: blocks of type, length, body and length again; a section header tells how numbers are written."""
    kind, order, interfaces = _SECTION.to_bytes(4, "big"), "<", list[_Interface]()
    while kind:
        is_section = kind == _SECTION.to_bytes(4, "big")
        head = read(8 if is_section else 4)
        if is_section:
            order, interfaces = "<" if head[4:] == _BYTE_ORDER.to_bytes(4, "little") else ">", []
        size = int.from_bytes(head[:4], "little" if order == "<" else "big") - 4 - len(head)
        if len(head) < 4 or not 4 <= size <= RECORD_MAX:
            yield Refused(f"capture, block: expected a length of at most {RECORD_MAX} bytes, came {head[:4]!r}", kind)
            return
        body = read(size)
        if len(body) < size:
            yield Refused(f"capture, block: expected {size} bytes, came {len(body)}", body)
            return
        number = struct.unpack(order + "I", kind)[0]
        if number == _INTERFACE and size >= 12:
            interfaces.append(_interface(order, body[:-4]))
        elif number in (_ENHANCED, _SIMPLE):
            yield _packet(number, order, body[:-4], interfaces)
        kind = read(4)


def _packet(number: int, order: str, body: bytes, interfaces: list[_Interface]) -> Captured | Refused:
    if number == _SIMPLE:
        if len(body) < 4 or not interfaces:
            return Refused("capture, simple packet: expected a length, and an interface before it", body)
        return Captured(0, interfaces[0].link, body[4 : 4 + struct.unpack_from(order + "I", body)[0]])
    if len(body) < 20:
        return Refused(f"capture, packet: expected at least 20 bytes, came {len(body)}", body)
    index, high, low, size, _ = struct.unpack_from(order + "5I", body)
    if index >= len(interfaces) or 20 + size > len(body):
        return Refused(f"capture, packet: expected one of {len(interfaces)} interfaces, came {index}", body)
    interface = interfaces[index]
    numerator, denominator = interface.unit
    ts = (high << 32 | low) * numerator // denominator + interface.offset_s * 10**9
    return Captured(ts, interface.link, body[20 : 20 + size])


def _interface(order: str, body: bytes) -> _Interface:
    link, unit, offset_s, at = struct.unpack_from(order + "H", body)[0], (1_000, 1), 0, 8
    while at + 4 <= len(body):
        option, size = struct.unpack_from(order + "2H", body, at)
        value = body[at + 4 : at + 4 + size]
        if option == _RESOLUTION and size == 1 and len(value) == 1:
            exponent = value[0] & 0x7F
            unit = (10**9, 2**exponent if value[0] & 0x80 else 10**exponent)
        elif option == _OFFSET and len(value) == 8:
            offset_s = struct.unpack(order + "q", value)[0]
        at += 4 + (size + 3) // 4 * 4
    return _Interface(_understood(link), unit, offset_s)


def _understood(link: int) -> int:
    link = _LINKS.get(link, link)
    if link not in _UNDERSTOOD:
        raise ValueError(f"link type {link} is not understood; capture on Ethernet, Linux cooked or raw IP interfaces")
    return link
