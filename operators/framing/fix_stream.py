"""Cuts the byte stream of a FIX connection into messages."""

import re

from operators.framing.fix_message import TRAILER_BYTES
from operators.framing.refused import Refused

_BEGIN = b"8=FIX"
_HEAD = re.compile(rb"8=FIX[^\x01]{0,20}\x019=(\d{1,7})\x01")
_PART_OF_HEAD = re.compile(rb"8=FIX[^\x01]{0,20}(?:\x01(?:9(?:=\d{0,7})?)?)?")
_TRAILER = re.compile(rb"10=\d{3}\x01")
_BODY_LONGEST = 1 << 20


class FixStream:
    """Messages, and what is none, out of pieces of a stream. A message is not looked into: its checksum may be wrong.

    Where there is no `10=ddd` that BodyLength says, the next message is taken to begin at the next `8=FIX`.
    """

    def __init__(self) -> None:
        self._pending = bytearray()

    def feed(self, data: bytes) -> list[bytes | Refused]:
        """What a piece completes."""
        pending = self._pending
        pending += data
        found: list[bytes | Refused] = []
        while pending:
            at = pending.find(_BEGIN)
            if at != 0:
                end = at if at > 0 else _kept(pending)
                if end == 0:
                    break
                found.append(Refused("stream: expected 8=FIX, came what begins no message", bytes(pending[:end])))
                del pending[:end]
                continue
            size = _size(pending)
            if size == 0:
                break
            message = bytes(pending[:size])
            is_whole = _TRAILER.fullmatch(message, max(size - TRAILER_BYTES, 0)) is not None
            found.append(message if is_whole else Refused("BodyLength: expected to lead to 10=, came another", message))
            del pending[:size]
        return found


def _kept(pending: bytearray) -> int:
    """How much of what has no `8=FIX` cannot become one any more."""
    for size in range(len(_BEGIN) - 1, 0, -1):
        if pending.endswith(_BEGIN[:size]):
            return len(pending) - size
    return len(pending)


def _size(pending: bytearray) -> int:
    """How many bytes the message at the front has, or the damaged part there; 0 while that cannot be told."""
    head = _HEAD.match(pending)
    if head is None:
        return 0 if _PART_OF_HEAD.fullmatch(pending) else _damaged(pending)
    end = head.end() + int(head[1]) + TRAILER_BYTES
    if int(head[1]) > _BODY_LONGEST:
        return _damaged(pending)
    if end > len(pending):
        return 0
    return end if _TRAILER.fullmatch(pending, end - TRAILER_BYTES, end) else _damaged(pending)


def _damaged(pending: bytearray) -> int:
    """Up to the next `8=FIX`, or all there is that cannot be the beginning of one."""
    at = pending.find(_BEGIN, len(_BEGIN))
    return at if at > 0 else max(_kept(pending), len(_BEGIN))
