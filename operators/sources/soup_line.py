"""A live feed over SoupBinTCP, as a desk listens to it."""

import time

from operators.framing.refused import Refused
from operators.framing.soup_client import Accepted, Output, Rejected, SoupClient
from operators.framing.soup_packet import RejectReason
from operators.sources.endpoint import Endpoint
from operators.sources.line import Entry
from operators.sources.numbered_line import NumberedLine
from operators.sources.soup_socket import SoupSocket
from schemas.market import RawKind

_REASONS = {RejectReason.NOT_AUTHORISED: "not authorised", RejectReason.NO_SUCH_SESSION: "no such session"}


class SoupLine(NumberedLine):
    """One session from message number `sequence` on (0: the newest), of `session`, or of the server's current one.

    A server that lets nobody in is asked again, every `retry_s`; each refusal becomes a dead letter.
    """

    def __init__(
        self,
        server: Endpoint,
        username: str,
        password: str,
        *,
        session: str | None = None,
        sequence: int = 1,
        retry_s: float = 1.0,
    ) -> None:
        super().__init__(sequence)
        self._client = SoupClient(username, password, session or "", sequence)
        self._socket = SoupSocket(self._client, server, retry_s)
        self._has_been_in = False

    def poll(self) -> list[Entry]:
        """What has come since; CONNECT where the server was logged in to once more."""
        out = [] if self._place.is_over else self._socket.poll(0)
        if not out:
            return []
        clock, entries, said = time.time_ns(), [], list[Output]()
        for item in out:
            if isinstance(item, Accepted):
                if self._has_been_in:
                    entries.append(Entry(clock, RawKind.CONNECT, b""))
                self._has_been_in = True
            said.append(_refusal(item) if isinstance(item, Rejected) else item)
        messages = self._place.log(self._client.session.encode(), said)
        return entries + [Entry(clock, RawKind.MESSAGE, message) for message in messages]

    def close(self) -> None:
        """Log out."""
        self._socket.close()

    def _go_on(self, session: bytes, sequence: int) -> None:
        self._client.session, self._client.sequence = session.decode(), sequence


def _refusal(rejected: Rejected) -> Refused:
    reason = _REASONS.get(RejectReason(rejected.reason)) if rejected.reason in set(RejectReason) else rejected.reason
    return Refused(f"login: expected to be let in, came {rejected.reason} ({reason})", rejected.reason.encode())
