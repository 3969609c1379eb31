"""What a receiver passed on, in the form in which it becomes part of an input log."""

import struct
from collections.abc import Iterable
from typing import Any

from operators.framing.mold_output import Lost, Message, Recovered, Repeated
from operators.framing.notice import Began, Over, encode_notice
from operators.framing.refused import Refused

_STAMP = struct.Struct(">QI")
_REFUSED_MAX = 1 << 16
"""Bytes of a refused packet that are passed on; a dead letter needs no more."""


def logged(out: Iterable[Any]) -> list[bytes]:
    """Messages, and notices of what was lost, recovered, refused, begun or over.

    What a receiver says besides (that a gap opened, that somebody logged in) is no part of the log.
    """
    messages = []
    for item in out:
        if isinstance(item, Message):
            messages.append(item.data)
        elif isinstance(item, Refused):
            messages.append(encode_notice(Refused(item.reason, item.data[:_REFUSED_MAX])))
        elif isinstance(item, Lost | Recovered | Repeated | Began | Over):
            messages.append(encode_notice(item))
    return messages


def stamped(out: Iterable[Any], clock_ns: int) -> bytes:
    """Per message the receive time (8 bytes, big-endian), its length (4) and the message; notices likewise."""
    return b"".join(_STAMP.pack(clock_ns, len(message)) + message for message in logged(out))
