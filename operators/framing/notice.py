"""What a source says between the messages of a feed about messages that never came, or that nobody understood.

A notice stands in the input log where the message would have been, so that it is recorded and replayed as they are.
It starts with a zero byte, which starts no message of ITCH, and a word: `gap` and `rec` are followed by the first and
the last number concerned (8 bytes each, big-endian), `dup` by how many messages came again (8 bytes), `bad` by the
reason, a zero byte and the bytes refused, `ses` by the number of the next message (8 bytes) and the session's name.
"""

import struct
from typing import NamedTuple

from operators.framing.mold_output import Lost, Recovered, Repeated
from operators.framing.refused import Refused

GAP, RECOVERED, REFUSED, BEGAN, REPEATED = b"\0gap", b"\0rec", b"\0bad", b"\0ses", b"\0dup"
KINDS = (GAP, RECOVERED, REFUSED, BEGAN, REPEATED)


class Began(NamedTuple):
    """What follows is of the session, from message `sequence` on."""

    session: bytes
    sequence: int


Notice = Lost | Recovered | Repeated | Refused | Began

NUMBERS_LENGTH = 20
"""Bytes of a notice about numbers."""

_NUMBERS = struct.Struct(">4sQQ")
_NUMBER = struct.Struct(">4sQ")
_INT64_MAX = (1 << 63) - 1


def encode_notice(notice: Notice) -> bytes:
    """The notice as a message of the input log."""
    if isinstance(notice, Began):
        return _NUMBER.pack(BEGAN, notice.sequence) + notice.session
    if isinstance(notice, Repeated):
        return _NUMBER.pack(REPEATED, notice.messages)
    if isinstance(notice, Refused):
        return REFUSED + notice.reason.encode("ascii", "backslashreplace") + b"\0" + notice.data
    return _NUMBERS.pack(GAP if isinstance(notice, Lost) else RECOVERED, notice.first, notice.last)


def decode_notice(data: bytes) -> Notice | None:
    """The notice that `data` is, with numbers that fit into int64; None where it is none."""
    kind, size = data[:4], len(data)
    if kind == REFUSED:
        reason, separator, refused = data[4:].partition(b"\0")
        return Refused(reason.decode("ascii", "backslashreplace"), refused) if separator else None
    if kind == BEGAN and size >= _NUMBER.size:
        return Began(data[_NUMBER.size :], _NUMBER.unpack_from(data)[1])
    if kind == REPEATED and size == _NUMBER.size:
        return Repeated(min(_NUMBER.unpack(data)[1], _INT64_MAX))
    if kind not in (GAP, RECOVERED) or size != NUMBERS_LENGTH:
        return None
    first, last = (min(number, _INT64_MAX) for number in _NUMBERS.unpack(data)[1:])
    return Lost(first, last) if kind == GAP else Recovered(first, last)
