"""Feeds that are captures of messages, and what each must say of itself."""

import datetime
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import Field

from operators.sources.base_feed import CapturedFeed, DelayedFeed, SessionDate, Timezone
from schemas.parameter_types import Duration


class Itch50Feed(DelayedFeed):
    """NASDAQ's BinaryFILE: every message behind its length, two bytes big-endian.

    It records event time only, as nanoseconds since the session's midnight: `date` and `timezone` say which.
    """

    format: Literal["itch50"]
    date: SessionDate
    timezone: Timezone

    @property
    def origin_ns(self) -> int:
        """Midnight of the session and `delay`, ns UTC."""
        midnight = datetime.datetime.combine(self.date, datetime.time(), ZoneInfo(self.timezone))
        return int(midnight.timestamp()) * 10**9 + self.delay


class RecordingFeed(CapturedFeed):
    """One message per line, `<receive time in ns UTC> <payload>`. The desk clock is the receive time."""

    format: Literal["recording"]


class SessionFeed(CapturedFeed):
    """Whole websocket and REST sessions, one JSON object per line as `cryptofeed` records them.

    `{"t": "connect"|"recv"|"http"|"send"|"header", "conn", "ts", "data"}`, `ts` in seconds UTC. The feed is what was
    received on one `connection`, of which the capture may hold several. The desk clock is the receive time, to the
    microsecond.
    """

    format: Literal["session"]
    connection: str = Field(min_length=1, description="the `conn` of the lines that are its own, such as KRAKEN.ws.50")


class MoldPcapFeed(CapturedFeed):
    """A packet capture, pcap or pcapng, of MoldUDP64 over UDP. The desk clock is the time of capture.

    `path_b` is the capture of the other line of the same feed: what either has, comes once.
    """

    format: Literal["mold_pcap"]
    path_b: str | None = Field(default=None, min_length=1, description="line B, in the folder of `path`")
    port: int | None = Field(default=None, ge=1, le=65535, description="only datagrams to this UDP port")
    patience: Duration = Field(
        default=100_000_000, gt=0, description="how long messages wait for one missing before them"
    )


class FixLogFeed(DelayedFeed):
    """What a FIX engine logged, or the bytes of a session: messages with anything between them.

    The desk clock is the time that the line before a message begins with, taken as UTC; without one it is the
    message's SendingTime, and `delay` later.
    """

    format: Literal["fix_log"]
