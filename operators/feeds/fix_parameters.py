"""What a FIX feed leaves to its venue's own rules of engagement."""

from typing import Literal

from pydantic import Field

from operators.feeds.fix_levels import ById, ByPosition, ByPrice, Levels
from operators.feeds.venue_feed import VenueParameters


class FixParameters(VenueParameters):
    """Which feeds, and how their venue tells of instruments and entries."""

    identified_by: Literal["symbol", "security_id"] = Field(
        default="symbol", description="the field that names an instrument: Symbol (55) or SecurityID (48)"
    )
    entries: Literal["price", "id", "position"] = Field(
        default="price", description="what tells one entry of a book from another: its price, MDEntryID, or its place"
    )
    depth: int = Field(default=10, ge=1, le=10_000, description="with entries by position: rows a side of the books")
    others: Literal["dead_letters", "ignored"] = Field(
        default="dead_letters",
        description="what becomes of messages on instruments that are neither the feed's nor in `ignored`",
    )
    ours: tuple[str, ...] = Field(
        default=(), description="SenderCompIDs of what we said ourselves, in logs of both directions: not read"
    )

    def levels(self) -> Levels:
        """How the entries of a book make its levels."""
        if self.entries == "price":
            return ByPrice()
        return ById() if self.entries == "id" else ByPosition(self.depth)
