"""Messages behind their receive time: the form in which what a receiver passed on becomes part of an input log."""

import struct
from collections.abc import Iterable
from typing import Any

from operators.framing.mold_output import Lost, Message, Recovered, Repeated
from operators.framing.notice import Began, encode_notice
from operators.framing.refused import Refused

_STAMP = struct.Struct(">QI")
_REFUSED_MAX = 1 << 16
"""Bytes of a refused packet that are passed on; a dead letter needs no more."""


def stamped(out: Iterable[Any], clock_ns: int) -> bytes:
    """Per message the receive time (8 bytes, big-endian), its length (4) and the message; notices likewise.

    What a receiver says besides (that a gap opened, that somebody logged in) is no part of the log.
    """
    parts = []
    for item in out:
        if isinstance(item, Message):
            message = item.data
        elif isinstance(item, Refused):
            message = encode_notice(Refused(item.reason, item.data[:_REFUSED_MAX]))
        elif isinstance(item, Lost | Recovered | Repeated | Began):
            message = encode_notice(item)
        else:
            continue
        parts += [_STAMP.pack(clock_ns, len(message)), message]
    return b"".join(parts)
