"""How far a numbered session was followed, told by what was passed on of it, or by reading that again."""

from collections.abc import Iterable
from typing import Any

from operators.framing.mold_output import Ended, Lost, Message, Recovered
from operators.framing.notice import Began, Over, decode_notice
from operators.framing.soup_client import SessionEnded
from operators.sources.stamped import logged


class Place:
    """The session, empty before its first message, and the number of the message that comes next.

    These are what to hand to a receiver that goes on.
    """

    def __init__(self, sequence: int) -> None:
        self.session, self.sequence, self.is_over = b"", sequence, False

    def log(self, session: bytes, out: Iterable[Any]) -> list[bytes]:
        """What a receiver gave as messages of the input log, up to the session's end; `session` is its own by now."""
        said: list[Any] = []
        for item in out:
            if isinstance(item, Ended | SessionEnded):
                said.append(Over(session, item.sequence))
                self.is_over = True
                break
            if isinstance(item, Message | Lost | Recovered) and session != self.session:
                said.append(Began(session, item.sequence if isinstance(item, Message) else item.first))
                self.session = session
            if isinstance(item, Message | Lost):
                self.sequence = (item.sequence if isinstance(item, Message) else item.last) + 1
            said.append(item)
        return logged(said)

    def follow(self, message: bytes) -> None:
        """Go on by what `log` gave in an earlier life."""
        notice = decode_notice(message) if message[:1] == b"\0" else None
        if isinstance(notice, Began):
            self.session, self.sequence = notice
        elif isinstance(notice, Over):
            self.is_over = True
        elif isinstance(notice, Lost):
            self.sequence = notice.last + 1
        elif notice is None:
            self.sequence += 1

    @property
    def text(self) -> str:
        """The place in one word."""
        return f"{self.sequence}:{int(self.is_over)}:{self.session.hex()}"

    def take(self, text: str) -> None:
        """Be at the place that `text` was of."""
        sequence, is_over, session = text.split(":")
        self.session, self.sequence, self.is_over = bytes.fromhex(session), int(sequence), is_over == "1"
