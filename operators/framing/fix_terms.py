"""What the two sides of a FIX session agree on beforehand."""

from dataclasses import dataclass


@dataclass(frozen=True)
class FixTerms:
    """Who speaks to whom, and how."""

    sender: str
    target: str
    begin_string: str = "FIXT.1.1"
    heartbeat_s: int = 30
    default_appl_ver_id: str | None = "9"
    """Of FIXT.1.1 alone: which version the messages are of."""
    username: str | None = None
    password: str | None = None
    resets: bool = False
    """Whether numbers start at 1 with every logon."""
