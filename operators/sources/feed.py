"""How a feed of a desk is configured: which capture it is, and how that is framed and timed."""

import datetime
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, field_validator, model_validator

from operators.sources.file_feed import FILES, LeanTicks, check_file_feed, lean_table
from operators.sources.fix_settings import FixSettings
from operators.sources.websocket_feed import check_websocket_feed
from operators.sources.websocket_venue import Channel
from operators.sources.websocket_venues import VENUES
from operators.tables.table import Table
from schemas.instrument import Definition, Positive
from schemas.parameter_types import Duration

FeedFormat = Literal[
    "itch50",
    "recording",
    "session",
    "mold_pcap",
    "journal",
    "lean",
    "lobster",
    "table",
    "fix_log",
    "websocket",
    "fix_session",
]


class FeedConfig(Definition):
    """A recorded capture, or a connection. Files ending in `.gz` or `.zst` are decompressed while they are read.

    `itch50` is NASDAQ's BinaryFILE: every message behind its length, two bytes big-endian. It records
    event time only, as nanoseconds since the session's midnight: `date` and `timezone` say which, and
    `delay` is how much later the desk is taken to have received it.

    `recording` has one message per line, `<receive time in ns UTC> <payload>`; the desk clock is the
    receive time.

    `session` is whole websocket and REST sessions, one JSON object per line as `cryptofeed` records them:
    `{"t": "connect"|"recv"|"http"|"send"|"header", "conn", "ts", "data"}`, `ts` in seconds UTC. The feed is
    what was received on one `connection`, of which the capture may hold several; the desk clock is the
    receive time, to the microsecond.

    `mold_pcap` is a packet capture, pcap or pcapng, of MoldUDP64 over UDP; the desk clock is the time of
    capture. `path_b` is the capture of the other line of the same feed: what either has, comes once.

    `journal` is what was received live, as `operators.sources.journal` wrote it down; the desk clock is the
    receive time. It is read once the session is over.

    `lean`, `lobster` and `table` are files of rows, which record event time only: `date` and `timezone` say whose
    clock, and `delay` is how much later the desk is taken to have received it. Files ending in `.zip` are read as
    well. docs/files.md tells of them.

    `websocket` is a connection to a `venue`, on which `channels` of the instruments are subscribed to. `record`
    names a file to which all that passes is written as a `session`, whose `connection` is the feed's id.

    `fix_log` is what a FIX engine logged, or the bytes of a session: messages with anything between them. The desk
    clock is the time that the line before a message begins with, taken as UTC; without one it is the message's
    SendingTime, and `delay` later.

    `fix_session` is live: a session with the server that `fix` names. The desk clock is the time of receipt.
    """

    id: str = Field(min_length=1, description="unique name, as shown in tables")
    format: FeedFormat = Field(description="how the capture is framed")
    path: str = Field(default="", description="the capture's file, relative to the data folder; .gz and .zst")
    instruments: tuple[str, ...] = Field(default=(), description="ids of the instruments it speaks of")
    connection: str | None = Field(
        default=None, min_length=1, description="session: the `conn` whose messages these are"
    )
    delay: Duration = Field(default=0, ge=0, description="itch50, fix_log, files: time from the event to its receipt")
    date: datetime.date | None = Field(default=None, description="itch50, files: the session's date")
    timezone: str | None = Field(
        default=None, description="itch50, files: the timezone of the session's midnight, and of times"
    )

    ticks: LeanTicks | None = Field(default=None, description="lean: what a row is")
    assumed_qty: Positive | None = Field(default=None, description="lean, forex: quantity of every quote, units")
    suspicious: Literal["keep", "drop"] | None = Field(
        default=None, description="lean: whether ticks that are flagged change anything; drop where not said"
    )
    table: Table | None = Field(default=None, description="table: what its columns mean")
    member: str | None = Field(default=None, min_length=1, description="files: which of a zip's files, of several")
    fix: FixSettings | None = Field(default=None, description="fix_session: whom to log on to, and as whom")

    path_b: str | None = Field(default=None, min_length=1, description="mold_pcap: line B, in the folder of `path`")
    port: int | None = Field(default=None, ge=1, le=65535, description="mold_pcap: only datagrams to this UDP port")
    patience: Duration = Field(
        default=100_000_000, gt=0, description="mold_pcap: how long messages wait for one missing before them"
    )

    venue: str | None = Field(
        default=None, description=f"websocket: {', '.join(VENUES)}", json_schema_extra={"enum": [*VENUES, None]}
    )
    channels: tuple[Channel, ...] = Field(default=("book", "trades"), description="websocket: what to subscribe to")
    depth: int | None = Field(default=None, description="websocket: levels a side of books, if there is a choice")
    url: str | None = Field(default=None, description="websocket: address, instead of the venue's usual one")
    rest: str | None = Field(default=None, description="websocket: address of the REST interface, likewise")
    record: str | None = Field(
        default=None, pattern=r"\.jsonl(\.zst)?$", description="websocket: file to record to, .jsonl or .jsonl.zst"
    )
    silence: Duration | None = Field(
        default=None, gt=0, description="websocket: after how long without a message to connect anew"
    )
    retry: Duration = Field(default=500_000_000, gt=0, description="websocket: wait before connecting anew; it doubles")
    retry_most: Duration = Field(default=30_000_000_000, gt=0, description="websocket: the longest such wait")

    @field_validator("timezone")
    @classmethod
    def _is_known(cls, value: str | None) -> str | None:
        try:
            return value if value is None else ZoneInfo(value).key
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(f"{value!r} is not a timezone; write one like America/New_York or UTC") from None

    @field_validator("instruments")
    @classmethod
    def _listed_once(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        twice = [name for i, name in enumerate(value) if name in value[:i]]
        if twice:
            raise ValueError(f"instrument {twice[0]!r} is listed twice; keep one")
        return value

    @model_validator(mode="after")
    def _is_somewhere(self) -> "FeedConfig":
        check_websocket_feed(self)
        if self.format == "websocket":
            return self
        if self.format == "fix_session":
            self._check_fix_session()
            return self
        if not self.path:
            raise ValueError(f"feed {self.id!r} has no path; add the capture's file, such as `path: session.log`")
        if self.fix is not None:
            raise ValueError(f"feed {self.id!r} is no live FIX session; remove 'fix', or use fix_session")
        return self

    def _check_fix_session(self) -> None:
        if self.path:
            raise ValueError(f"feed {self.id!r} is live; remove 'path'")
        if self.fix is None:
            raise ValueError(
                f"feed {self.id!r} does not say whom to log on to; add `fix`, "
                "such as `fix: {address: fix.example.com:9876, sender: DESK, target: VENUE}`"
            )

    @model_validator(mode="after")
    def _is_connected(self) -> "FeedConfig":
        if self.format == "session" and self.connection is None:
            raise ValueError(
                f"feed {self.id!r} has no connection: a session holds several; add the `conn` of its lines, "
                "such as `connection: KRAKEN.ws.50`"
            )
        if self.format != "session" and self.connection is not None:
            raise ValueError(f"feed {self.id!r} is of one connection alone; remove 'connection'")
        return self

    @model_validator(mode="after")
    def _is_timed(self) -> "FeedConfig":
        session = {"date": self.date, "timezone": self.timezone}
        if self.format == "itch50":
            absent = [name for name, value in session.items() if value is None]
            if absent:
                raise ValueError(
                    f"feed {self.id!r} has no {' and no '.join(absent)}: itch50 counts time from the session's "
                    "midnight; add them, such as `date: 2019-12-30` and `timezone: America/New_York`"
                )
            return self
        if self.format in FILES:
            return self
        delay = None if self.format == "fix_log" else self.delay or None
        present = [name for name, value in (session | {"delay": delay}).items() if value is not None]
        if present:
            raise ValueError(f"feed {self.id!r} records the receive time of every message; remove {present[0]!r}")
        return self

    @model_validator(mode="after")
    def _has_lines(self) -> "FeedConfig":
        fields = type(self).model_fields
        present = [name for name in ("path_b", "port", "patience") if getattr(self, name) != fields[name].default]
        if present and self.format != "mold_pcap":
            raise ValueError(f"feed {self.id!r} is no capture of packets; remove {present[0]!r}, or use mold_pcap")
        return self

    @model_validator(mode="after")
    def _is_a_file_of_rows(self) -> "FeedConfig":
        check_file_feed(self)
        return self

    @property
    def rows(self) -> Table:
        """What the columns of a `lean` or `table` feed mean."""
        if self.table is not None:
            return self.table
        assert self.ticks is not None
        return lean_table(self.ticks, self.assumed_qty, self.suspicious != "keep")

    @property
    def origin_ns(self) -> int:
        """What the capture's event times count from, ns UTC: midnight of the session, plus `delay`."""
        if self.format in FILES:
            return self.delay
        if self.date is None or self.timezone is None:
            return self.delay
        midnight = datetime.datetime.combine(self.date, datetime.time(), ZoneInfo(self.timezone))
        return int(midnight.timestamp()) * 10**9 + self.delay
