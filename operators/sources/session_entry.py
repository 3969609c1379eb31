"""An entry as `operators.sources.framing.frame_session` takes it: a head, and the message."""

import struct

from operators.sources.framing import HEAD_BYTES
from schemas.market import RawKind

_HEAD = struct.Struct("<qii")
assert _HEAD.size == HEAD_BYTES, "the head packed here is not the one that is read"


def entry(clock: int, message: bytes, kind: RawKind = RawKind.MESSAGE) -> bytes:
    """The message behind its time (ns UTC), its kind and its size."""
    return _HEAD.pack(clock, kind, len(message)) + message
