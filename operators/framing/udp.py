"""The UDP payload of a captured frame: Ethernet with or without VLAN tags, Linux cooked or raw IP, IPv4 or IPv6."""

import struct

from operators.framing.refused import Refused

ETHERNET, RAW_IP, LINUX_COOKED, LINUX_COOKED_2 = 1, 101, 113, 276
"""Link types, as numbered by tcpdump.org, that are understood."""

_VLAN_TAGS = (0x8100, 0x88A8, 0x9100)
_IPV4, _IPV6 = 0x0800, 0x86DD
_UDP = 17
_MORE_OR_LATER_FRAGMENT = 0x3FFF
_IPV4_HEADER = struct.Struct(">BxH2xHxB")
_UDP_HEADER = struct.Struct(">2xHH")


def udp_payload(link: int, frame: bytes, port: int | None = None) -> bytes | Refused | None:
    """What the frame carries to UDP port `port` (any, where it is None); None where it carries no such thing.

    A payload that was captured in part is given as far as it goes. Fragments are refused.
    """
    ip = _ip_start(link, frame)
    if ip is None or len(frame) <= ip:
        return None
    version = frame[ip] >> 4
    if version == 4 and len(frame) >= ip + 20:
        header, length, fragment, protocol = _IPV4_HEADER.unpack_from(frame, ip)
        udp, end, is_fragment = ip + 4 * (header & 15), ip + length, bool(fragment & _MORE_OR_LATER_FRAGMENT)
    elif version == 6 and len(frame) >= ip + 40:
        protocol, udp, end, is_fragment = frame[ip + 6], ip + 40, ip + 40 + _u16(frame, ip + 4), False
    else:
        return None
    if protocol != _UDP:
        return None
    if is_fragment:
        return Refused("packet: expected a whole datagram, came a fragment", frame)
    if len(frame) < udp + 8:
        return Refused(f"packet: expected a UDP header in {udp + 8} bytes, came {len(frame)}", frame)
    to_port, length = _UDP_HEADER.unpack_from(frame, udp)
    if port not in (None, to_port):
        return None
    return frame[udp + 8 : min(end, udp + length)]


def _ip_start(link: int, frame: bytes) -> int | None:
    """Where the IP header begins, if there is one."""
    if link == RAW_IP:
        return 0
    if link == LINUX_COOKED:
        kind_at, start = 14, 16
    elif link == LINUX_COOKED_2:
        kind_at, start = 0, 20
    else:
        kind_at, start = 12, 14
        while len(frame) >= start and _u16(frame, kind_at) in _VLAN_TAGS:
            kind_at, start = kind_at + 4, start + 4
    if len(frame) < start or _u16(frame, kind_at) not in (_IPV4, _IPV6):
        return None
    return start


def _u16(data: bytes, at: int) -> int:
    return data[at] << 8 | data[at + 1]
