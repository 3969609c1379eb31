"""How a live FIX session is configured."""

import re
from typing import Literal

from pydantic import Field, SecretStr, field_validator, model_validator

from operators.framing.fix_terms import FixTerms
from schemas.instrument import Definition
from schemas.parameter_types import Duration

_ADDRESS = re.compile(r"(\[[0-9a-fA-F:.]+\]|[^\s:\[\]]+):(\d{1,5})")
_VERSIONS = {
    "FIX.4.4": ("FIX.4.4", None),
    "FIX.5.0": ("FIXT.1.1", "7"),
    "FIX.5.0SP1": ("FIXT.1.1", "8"),
    "FIX.5.0SP2": ("FIXT.1.1", "9"),
}
_NS = 10**9


class FixSettings(Definition):
    """Whom to log on to, as whom, and what to ask for. Write passwords as `${NAME}`, which the environment gives."""

    address: str = Field(description="host:port of the venue's FIX server")
    tls: bool = Field(default=False, description="whether the connection is encrypted; the certificate is verified")
    sender: str = Field(min_length=1, description="SenderCompID: who we are")
    target: str = Field(min_length=1, description="TargetCompID: who the venue is")
    version: Literal["FIX.4.4", "FIX.5.0", "FIX.5.0SP1", "FIX.5.0SP2"] = Field(
        default="FIX.4.4", description="what is spoken; 5.0 and later over FIXT.1.1"
    )
    username: str | None = Field(default=None, min_length=1, description="Username of the logon")
    password: SecretStr | None = Field(default=None, min_length=1, description="Password of the logon")
    heartbeat: Duration = Field(
        default=30 * _NS, ge=_NS, le=3600 * _NS, description="how often each side says something"
    )
    reset: bool = Field(default=True, description="whether sequence numbers start at 1 with every logon")
    depth: int = Field(default=0, ge=0, le=10_000, description="levels a side to ask for; 0 asks for all")
    entry_types: tuple[str, ...] = Field(
        default=("0", "1", "2"), min_length=1, description="MDEntryTypes to ask for: bids, offers and trades"
    )
    security_id_source: str | None = Field(
        default=None, min_length=1, description="SecurityIDSource (22), where `symbol` of an instrument is a SecurityID"
    )
    refresh: Duration | None = Field(
        default=None,
        ge=_NS,
        description="how often to ask for full refreshes besides, for books that were lost",
    )
    subscribes: bool = Field(default=True, description="whether to ask for the instruments; some venues send at once")
    until_logout: bool = Field(default=False, description="whether the feed is over when the venue logs out")

    @field_validator("address")
    @classmethod
    def _is_an_address(cls, value: str) -> str:
        match = _ADDRESS.fullmatch(value)
        if match is None or not 1 <= int(match[2]) <= 65535:
            raise ValueError(f"{value!r} is not an address; write one like fix.example.com:9876")
        return value

    @field_validator("heartbeat")
    @classmethod
    def _is_whole(cls, value: int) -> int:
        if value % _NS:
            raise ValueError("the heartbeat is told in whole seconds; write one like 30s")
        return value

    @model_validator(mode="after")
    def _is_whole_logon(self) -> "FixSettings":
        if self.password is not None and self.username is None:
            raise ValueError("there is a password but no username; add `username`")
        return self

    @property
    def endpoint(self) -> tuple[str, int]:
        """Host and port."""
        host, _, port = self.address.rpartition(":")
        return host.strip("[]"), int(port)

    @property
    def terms(self) -> FixTerms:
        """What the session is to be like."""
        begin_string, version = _VERSIONS[self.version]
        password = None if self.password is None else self.password.get_secret_value()
        return FixTerms(
            self.sender, self.target, begin_string, self.heartbeat // _NS, version, self.username, password, self.reset
        )
