"""What a receiver of MoldUDP64 passes on, reports and counts."""

from dataclasses import dataclass
from typing import NamedTuple

from operators.framing.refused import Refused


class Message(NamedTuple):
    """Message number `sequence` of the session; 0 where the packet was not numbered."""

    sequence: int
    data: bytes


class Gap(NamedTuple):
    """Messages `first` to `last` have not come, though later ones have."""

    first: int
    last: int


class Recovered(NamedTuple):
    """Messages `first` to `last`, reported missing before, follow here."""

    first: int
    last: int


class Lost(NamedTuple):
    """Messages `first` to `last`, reported missing before, are given up: the stream goes on behind them."""

    first: int
    last: int


class Repeated(NamedTuple):
    """So many messages came again, since this was last said, or after they were given up."""

    messages: int


class Ended(NamedTuple):
    """The session is over and whole, but for what was reported lost; its next message would have been `sequence`."""

    session: bytes
    sequence: int


Output = Message | Gap | Recovered | Lost | Ended | Refused


@dataclass
class Counts:
    """What passed through a receiver."""

    packets: int = 0
    refused: int = 0
    messages: int = 0
    """Passed on."""
    duplicates: int = 0
    """Came again, or after they were given up."""
    missing: int = 0
    """Reported in gaps."""
    recovered: int = 0
    lost: int = 0
