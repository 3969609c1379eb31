"""A live feed over MoldUDP64, as a desk listens to it."""

import time

from operators.framing.mold_receiver import MoldReceiver
from operators.sources.endpoint import Endpoint
from operators.sources.line import Entry
from operators.sources.mold_socket import MoldSocket
from operators.sources.numbered_line import NumberedLine
from schemas.market import RawKind

_WAITING_MAX = 2_000_000
"""Messages held while those before them are asked for: a desk that starts late has all of a morning to ask for."""


class MoldLine(NumberedLine):
    """One session over any number of lines, gap-free as far as the server still has what was lost.

    Begins with message number `sequence` (0: wherever the lines are), of `session`, or of the first one heard. Gaps
    are given up after `patience_ns`. Raises OSError where an address cannot be had.
    """

    def __init__(
        self,
        lines: tuple[Endpoint, ...],
        server: Endpoint | None = None,
        interface: str = "0.0.0.0",
        *,
        session: str | None = None,
        sequence: int = 1,
        patience_ns: int,
    ) -> None:
        super().__init__(sequence)
        name = session.encode() if session is not None else None
        self._receiver = MoldReceiver(name, sequence, patience_ns=patience_ns, waiting_max=_WAITING_MAX)
        self._socket = MoldSocket(self._receiver, lines, server, interface)

    @property
    def ports(self) -> list[int]:
        """The local port of each line."""
        return self._socket.ports

    def poll(self) -> list[Entry]:
        """What has come since."""
        out = self._socket.poll(0)
        if not out or self._place.is_over:
            return []
        clock = time.time_ns()
        messages = self._place.log(self._receiver.session or b"", out)
        return [Entry(clock, RawKind.MESSAGE, message) for message in messages]

    def close(self) -> None:
        """Give the sockets back."""
        self._socket.close()

    def _go_on(self, session: bytes, sequence: int) -> None:
        self._receiver.session, self._receiver.sequence = session, sequence
