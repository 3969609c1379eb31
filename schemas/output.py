"""What a desk's chain hands to the sinks for one cut of the input."""

from collections.abc import Mapping
from typing import NamedTuple

from schemas.record import Frame


class Output(NamedTuple):
    """Rows of every stream with their sequence numbers: row `i` of a stream is number `first_seq + i`.

    Numbers start at 1 and have no holes; they are the same whatever the cut.
    """

    desk: str
    streams: Mapping[str, tuple[int, Frame]]
    """Stream name -> (first_seq, rows). Streams without rows are absent."""
