"""What feeds of a desk have in common, whatever their format: the bases of their configurations."""

import datetime
from typing import Annotated, ClassVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, field_validator

from schemas.instrument import Definition
from schemas.parameter_types import Duration


def _known_timezone(value: str) -> str:
    try:
        return ZoneInfo(value).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"{value!r} is not a timezone; write one like America/New_York or UTC") from None


SessionDate = Annotated[
    datetime.date, Field(description="the session's date, such as 2019-12-30: times count from its midnight")
]
Timezone = Annotated[
    str,
    AfterValidator(_known_timezone),
    Field(description="of the session's midnight and of times, such as America/New_York"),
]


class BaseFeed(Definition):
    """A feed of any format: the union of all is `operators.sources.feed.FeedConfig`."""

    source: ClassVar[str]
    """Where it is from, in the words of a message."""

    id: str = Field(min_length=1, description="unique name, as shown in tables")
    format: str
    """What tells one member of the union from the others."""
    instruments: tuple[str, ...] = Field(default=(), description="ids of the instruments it speaks of")

    @field_validator("instruments")
    @classmethod
    def _listed_once(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        twice = [name for i, name in enumerate(value) if name in value[:i]]
        if twice:
            raise ValueError(f"instrument {twice[0]!r} is listed twice; keep one")
        return value


class CapturedFeed(BaseFeed):
    """A file. One that ends in `.gz` or `.zst` is decompressed while it is read."""

    source = "a capture"

    path: str = Field(min_length=1, description="the file, relative to the data folder; .gz and .zst are decompressed")

    @property
    def origin_ns(self) -> int:
        """What the times in it count from, ns UTC, `delay` included."""
        return 0


class DelayedFeed(CapturedFeed):
    """A file that records event times. The desk is taken to have received what happened `delay` later."""

    delay: Duration = Field(default=0, ge=0, description="time from the event to its receipt")

    @property
    def origin_ns(self) -> int:
        """What the times in it count from, ns UTC, `delay` included."""
        return self.delay


class LiveFeed(BaseFeed):
    """What is listened to. The desk clock is the time of receipt."""

    source = "live"
