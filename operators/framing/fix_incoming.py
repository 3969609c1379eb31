"""What one side of a FIX session hears, in order: each number once, and what is missing is known."""

from typing import NamedTuple

from operators.framing.fix_message import Field

_AHEAD_MOST = 100_000
"""Messages kept while those before them are asked for; more are left to be sent again."""


class Kept(NamedTuple):
    """A message that came before its turn; `is_done` where what it asks for was done at once."""

    data: bytes
    fields: list[Field]
    is_done: bool


class Incoming:
    """`number` is that of the message that must come next."""

    def __init__(self) -> None:
        self.number = 1
        self.duplicates = 0
        """Messages that came again, and were not passed on again."""
        self._ahead: dict[int, Kept] = {}

    @property
    def missing(self) -> tuple[int, int] | None:
        """The first and last number of the first run that has not come, though later ones have."""
        return (self.number, min(self._ahead) - 1) if self._ahead else None

    def keep(self, number: int, message: Kept) -> None:
        """A message came before its turn."""
        if len(self._ahead) < _AHEAD_MOST:
            self._ahead.setdefault(number, message)

    def due(self) -> Kept | None:
        """The message whose turn it is, where it came before."""
        return self._ahead.pop(self.number, None)

    def go_on(self, number: int) -> None:
        """The next message is number `number`; what was kept before that has lost its turn."""
        self.number = number
        for old in [n for n in self._ahead if n < number]:
            del self._ahead[old]

    def forget_ahead(self) -> None:
        """The connection is gone: what came before its turn will be asked for again."""
        self._ahead.clear()
