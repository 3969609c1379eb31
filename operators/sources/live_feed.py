"""Feeds that are listened to over sockets, or were, and what each must say of itself."""

from typing import Literal

from pydantic import Field

from operators.sources.base_feed import BaseFeed, LiveFeed
from operators.sources.endpoint import Address
from operators.sources.fix_settings import FixSettings
from schemas.parameter_types import Duration


class NumberedFeed(LiveFeed):
    """Messages of one session, which are numbered."""

    session: str | None = Field(
        default=None, min_length=1, max_length=10, description="the session; default: the one that is on"
    )
    sequence: int = Field(
        default=1, ge=0, description="first message wanted of a session not followed before; 0: what comes"
    )


class MoldUdpFeed(NumberedFeed):
    """Listens to the `lines` of a feed over MoldUDP64, and asks `server` for what all of them lost."""

    format: Literal["moldudp64"]
    lines: tuple[Address, ...] = Field(
        min_length=1,
        description="multicast groups or local addresses, such as [233.54.12.111:26477]; the lines of one feed",
    )
    interface: str = Field(default="0.0.0.0", description="local address through which multicast groups are joined")
    server: Address | None = Field(default=None, description="host:port to ask again for what was lost")
    patience: Duration = Field(
        default=100_000_000, gt=0, description="how long messages wait for one missing before them"
    )


class SoupBinFeed(NumberedFeed):
    """Logs in to `server` over SoupBinTCP."""

    format: Literal["soupbintcp"]
    server: Address = Field(description="host:port to log in to, such as 192.0.2.7:17000")
    username: str = Field(min_length=1, max_length=6, description="who logs in")
    password: str = Field(
        min_length=1, max_length=10, repr=False, description="write ${SOUP_PASSWORD}, and set it in the environment"
    )


class FixSessionFeed(LiveFeed):
    """A FIX session with the server that `fix` names."""

    format: Literal["fix_session"]
    fix: FixSettings = Field(
        description="whom to log on to, and as whom, such as "
        "{address: fix.example.com:9876, sender: DESK, target: VENUE}"
    )


class JournalFeed(BaseFeed):
    """What the desk has received live on the feed of this id, out of the desk's `journal`."""

    source = "of a journal"

    format: Literal["journal"]
