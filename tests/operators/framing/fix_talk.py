"""Two sides of a FIX session that talk, and how their messages are written in few words."""

from collections.abc import Sequence
from typing import Any

from operators.framing.fix_message import decode, encode
from operators.framing.fix_output import Ended, Heard, Output, Sent
from operators.framing.fix_session import FixSession
from operators.framing.fix_terms import FixTerms
from operators.framing.refused import Refused

NOW = 1_700_000_000 * 10**9
S = 10**9
DESK = FixTerms("DESK", "VENUE", heartbeat_s=30, username="me", password="secret")
VENUE = FixTerms("VENUE", "DESK", heartbeat_s=30, username="me", password="secret")


def fields_of(data: bytes) -> dict[str, str]:
    fields = decode(data)
    assert not isinstance(fields, Refused), fields
    return dict(reversed(fields))


def from_venue(number: int, kind: str, *body: tuple[str, str | int], **changes: Any) -> bytes:
    """A message of the venue, as the initiator hears it."""
    head = {"35": kind, "49": "VENUE", "56": "DESK", "34": number, "52": "20231114-22:13:20.000"} | changes
    return encode("FIXT.1.1", [*head.items(), *body])


def logon(number: int = 1, *body: tuple[str, str | int]) -> bytes:
    return from_venue(number, "A", ("98", 0), ("108", 30), *body, ("1137", 9))


def told(out: Sequence[Output]) -> list[Any]:
    """In short: numbers heard, (type, number) sent, and the rest by name."""
    found: list[Any] = []
    for item in out:
        if isinstance(item, Heard):
            found.append(int(fields_of(item.data)["34"]))
        elif isinstance(item, Sent):
            fields = fields_of(item.data)
            found.append((fields["35"], int(fields["34"])))
        elif isinstance(item, Ended | Refused):
            found.append(item.reason)
        else:
            found.append(tuple(item) or type(item).__name__)
    return found


def queued(session: FixSession) -> list[dict[str, str]]:
    """The messages to send."""
    data = session.pull()
    parts = [part for part in data.replace(b"\x018=FIX", b"\x01\n8=FIX").split(b"\n") if part]
    return [fields_of(part) for part in parts]


def on(**changes: Any) -> FixSession:
    """An initiator that is logged on, with nothing to send; it has sent 1 and heard 1."""
    session = FixSession(
        DESK if not changes else FixTerms("DESK", "VENUE", username="me", password="secret", **changes)
    )
    session.connect(NOW)
    session.receive(logon(), NOW)
    assert session.is_on
    session.pull()
    return session
