"""What a live feed looks like to the input of a desk, whatever it comes over."""

from abc import ABC, abstractmethod
from typing import ClassVar, NamedTuple

from schemas.market import RawKind


class Entry(NamedTuple):
    """One thing that a line heard, or has to say of itself: it becomes an entry of the input log."""

    clock: int
    """When it was received, ns UTC. Within a line it never runs backwards."""
    kind: RawKind
    """MESSAGE, CONNECT where a connection was opened anew, or DISCONNECT where it was lost."""
    data: bytes


class Line(ABC):
    """A live feed of one desk: a socket, a connection, a pair of multicast lines.

    The desk asks it over and over, from one thread, and never waits for it. What it hands over is written to the
    journal before anything else is done with it; after a restart the journal's entries are shown to it again, so
    that it can ask its server to go on behind the last one.
    """

    outage: ClassVar[RawKind] = RawKind.DISCONNECT
    """What is written to the journal where nobody listened for a while: DISCONNECT, after which books wait for a
    snapshot; CONNECT of lines that hand over what was missed, or say that it is lost."""

    @abstractmethod
    def poll(self) -> list[Entry]:
        """What has come since it was last asked, without waiting. Never raises for what the other side does."""

    def follow(self, entry: Entry) -> None:  # noqa: B027
        """Take note of an entry of an earlier life, in order, before the first `poll`."""

    @property
    def place(self) -> str | None:
        """What `resume` needs to know in the stead of everything followed and handed over so far.

        None where a line needs all of it: then a restart reads the whole journal again, however long it has become.
        """
        return None

    def resume(self, place: str) -> None:  # noqa: B027
        """Be where a line was whose `place` this is, before the first `follow`."""

    @property
    def is_over(self) -> bool:
        """Whether nothing will come any more: the session has ended and all of it was handed over."""
        return False

    @abstractmethod
    def close(self) -> None:
        """Give back what it holds. Called once, also where it is over."""
