"""A feed that is a connection to a venue, and what it must say of itself."""

from typing import Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator

from operators.sources.base_feed import LiveFeed
from operators.sources.websocket_venue import Channel
from operators.sources.websocket_venues import VENUES
from schemas.parameter_types import Duration

_SCHEMES = {"url": "ws", "rest": "http"}


class WebsocketFeed(LiveFeed):
    """A connection to a `venue`, on which `channels` of the instruments are subscribed to.

    `record` names a file to which all that passes is written as a `session`, whose `connection` is the feed's id.
    """

    format: Literal["websocket"]
    instruments: tuple[str, ...] = Field(min_length=1, description="ids of the instruments to subscribe to")
    venue: str = Field(description=f"one of {', '.join(VENUES)}", json_schema_extra={"enum": [*VENUES]})
    channels: tuple[Channel, ...] = Field(default=("book", "trades"), description="what to subscribe to")
    depth: int | None = Field(default=None, description="levels a side of books, if there is a choice")
    url: str | None = Field(default=None, description="address, instead of the venue's usual one")
    rest: str | None = Field(default=None, description="address of the REST interface, likewise")
    record: str | None = Field(
        default=None, pattern=r"\.jsonl(\.zst)?$", description="file to record to, .jsonl or .jsonl.zst"
    )
    silence: Duration | None = Field(default=None, gt=0, description="after how long without a message to connect anew")
    retry: Duration = Field(default=500_000_000, gt=0, description="wait before connecting anew; it doubles")
    retry_most: Duration = Field(default=30_000_000_000, gt=0, description="the longest such wait")

    @field_validator("venue")
    @classmethod
    def _is_known(cls, value: str) -> str:
        if value not in VENUES:
            raise ValueError(f"there is no venue {value!r}; write one of {', '.join(VENUES)}")
        return value

    @field_validator("channels")
    @classmethod
    def _named_once(cls, value: tuple[Channel, ...]) -> tuple[Channel, ...]:
        if not value or len(set(value)) < len(value):
            raise ValueError("name channels, each once: book, trades or ticker")
        return value

    @field_validator("url", "rest")
    @classmethod
    def _is_an_address(cls, value: str | None, info: ValidationInfo) -> str | None:
        scheme = _SCHEMES[str(info.field_name)]
        if value is not None and not value.startswith((f"{scheme}://", f"{scheme}s://")):
            raise ValueError(f"{value!r} is no address; write {scheme}s://host/path")
        return value

    @model_validator(mode="after")
    def _can_be_subscribed_to(self) -> "WebsocketFeed":
        venue = VENUES[self.venue]
        if venue.is_single and len(self.instruments) > 1:
            raise ValueError(
                f"feed {self.id!r} lists {len(self.instruments)} instruments, and a feed of {self.venue} speaks of one "
                "instrument; give each a feed of its own"
            )
        if self.depth is not None and self.depth not in venue.depths:
            choice = f"write one of {', '.join(map(str, sorted(venue.depths)))}" if venue.depths else "remove it"
            raise ValueError(f"feed {self.id!r}: {self.venue} has no books of depth {self.depth}; {choice}")
        if self.retry_most < self.retry:
            raise ValueError(f"feed {self.id!r}: 'retry_most' is shorter than 'retry'; make it at least as long")
        return self
