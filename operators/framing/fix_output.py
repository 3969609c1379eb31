"""What comes out of a FIX session."""

from typing import NamedTuple

from operators.framing.fix_message import Field
from operators.framing.refused import Refused


class Heard(NamedTuple):
    """The next message of the other side, session messages included: each number comes once, or never."""

    data: bytes
    fields: list[Field]


class Sent(NamedTuple):
    """A message that was numbered and is about to be sent, as it may be recorded: without passwords."""

    data: bytes


class LoggedOn(NamedTuple):
    """Both sides have logged on; also where numbers begin at 1 again on the same connection."""


class Skipped(NamedTuple):
    """The other side will not send messages `first` to `last`: of the session itself, or of no use any more."""

    first: int
    last: int


class Ended(NamedTuple):
    """The connection is to be closed, once `pull` is sent; `is_logout` where a session ended in good order."""

    reason: str
    is_logout: bool


Output = Heard | Sent | LoggedOn | Skipped | Refused | Ended
