"""Any ITCH 5.0 message as a value, and back: encode(decode(data)) == data for every message of the right length."""

import struct
from collections.abc import Mapping
from typing import NamedTuple

from operators.feeds.itch_types import BY_TYPE, HEADER_LENGTH

_HEADER = struct.Struct(">cHHHI")


class Message(NamedTuple):
    """A message: type, header, and its other fields by the names of `itch_types`; text is the bytes it came as."""

    code: str
    locate: int
    tracking: int
    ts: int
    """Nanoseconds since midnight."""
    fields: Mapping[str, int | bytes]

    @property
    def unknown_codes(self) -> list[str]:
        """The coded fields whose code the specification does not have."""
        coded = (field for field in BY_TYPE[self.code].fields if field.codes)
        return [field.name for field in coded if self.fields[field.name] not in field.codes.encode()]


def decode(data: bytes) -> Message:
    """The message. Raises ValueError where the type is unknown or the length not that of the type."""
    kind = BY_TYPE.get(chr(data[0])) if data else None
    if kind is None or len(data) != kind.length:
        expected = "a known type" if kind is None else f"{kind.length} bytes"
        raise ValueError(f"ITCH 5.0: expected {expected}, came {len(data)} bytes: {data[:1]!r}")
    _, locate, tracking, high, low = _HEADER.unpack_from(data)
    values = kind.body.unpack_from(data, HEADER_LENGTH)
    fields = {field.name: value for field, value in zip(kind.fields, values, strict=True)}
    return Message(kind.code, locate, tracking, high << 32 | low, fields)


def encode(message: Message) -> bytes:
    """The message's bytes. Raises struct.error or KeyError where a field is absent or does not fit."""
    kind = BY_TYPE[message.code]
    return packed(
        message.code, message.locate, message.tracking, message.ts, *(message.fields[f.name] for f in kind.fields)
    )


def packed(code: str, locate: int, tracking: int, ts: int, *values: int | bytes) -> bytes:
    """A message from its fields in the order of the specification. Raises struct.error for what does not fit."""
    header = _HEADER.pack(code.encode(), locate, tracking, ts >> 32, ts & 0xFFFFFFFF)
    return header + BY_TYPE[code].body.pack(*values)
