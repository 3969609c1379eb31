"""An entry as `operators.sources.framing.frame_session` takes it: a head, and the message."""

import struct

from schemas.market import RawKind

_HEAD = struct.Struct("<qii")


def entry(clock: int, message: bytes) -> bytes:
    """The message behind its time, its kind and its size."""
    return _HEAD.pack(clock, RawKind.MESSAGE, len(message)) + message
