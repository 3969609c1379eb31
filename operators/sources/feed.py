"""How a feed of a desk is configured: a union of models, one for each format.

A new format is a model with a `format` of its own, which is added here; what reads it is chosen in
operators/sources/captures.py or operators/sources/lines.py.
"""

from typing import Annotated, Any

from pydantic import Field, TypeAdapter

from operators.sources.captured_feed import FixLogFeed, Itch50Feed, MoldPcapFeed, RecordingFeed, SessionFeed
from operators.sources.file_feed import LeanFeed, LobsterFeed, TableFeed
from operators.sources.live_feed import FixSessionFeed, JournalFeed, MoldUdpFeed, SoupBinFeed
from operators.sources.websocket_feed import WebsocketFeed

AnyCapture = Itch50Feed | RecordingFeed | SessionFeed | MoldPcapFeed | LeanFeed | LobsterFeed | TableFeed | FixLogFeed
"""Formats that are read from files of their own."""

AnyLive = MoldUdpFeed | SoupBinFeed | WebsocketFeed | FixSessionFeed
"""Formats that are listened to."""

FeedConfig = Annotated[AnyCapture | JournalFeed | AnyLive, Field(discriminator="format")]

_FEED: TypeAdapter[FeedConfig] = TypeAdapter(FeedConfig)


def feed_config(**settings: Any) -> FeedConfig:
    """The feed that is configured so. Raises pydantic's ValidationError where it cannot be."""
    return _FEED.validate_python(settings)
