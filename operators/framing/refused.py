"""What a framing says of bytes that it cannot understand."""

from typing import NamedTuple


class Refused(NamedTuple):
    """Bytes that break the protocol: why (`field: expected …, came …`), and the bytes themselves."""

    reason: str
    data: bytes
