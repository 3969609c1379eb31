"""What live feeds have in common whose session numbers its messages, so that a desk can ask for what it missed."""

from abc import abstractmethod

from operators.sources.line import Entry, Line
from operators.sources.place import Place
from schemas.market import RawKind


class NumberedLine(Line):
    """A line that goes on behind the last message it handed over, in this life or an earlier one."""

    outage = RawKind.CONNECT

    def __init__(self, sequence: int) -> None:
        self._place = Place(sequence)

    @property
    def is_over(self) -> bool:
        """Whether the end of the session was handed over."""
        return self._place.is_over

    def follow(self, entry: Entry) -> None:
        """Go on behind it."""
        if entry.kind == RawKind.MESSAGE:
            self._place.follow(entry.data)
            self._move()

    @property
    def place(self) -> str:
        """Session, and number of the next message."""
        return self._place.text

    def resume(self, place: str) -> None:
        """Go on from there."""
        self._place.take(place)
        self._move()

    def _move(self) -> None:
        if self._place.session:
            self._go_on(self._place.session, self._place.sequence)

    @abstractmethod
    def _go_on(self, session: bytes, sequence: int) -> None:
        """Ask for message number `sequence` of the session next."""
