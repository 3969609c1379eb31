"""What a feed that is a connection to a venue must say of itself."""

from typing import TYPE_CHECKING

from operators.sources.websocket_venue import Venue
from operators.sources.websocket_venues import VENUES

if TYPE_CHECKING:
    from operators.sources.feed import FeedConfig

_FIELDS = ("venue", "channels", "depth", "url", "rest", "record", "silence", "retry", "retry_most")
"""Fields of a `websocket` alone."""
_SCHEMES = {"url": "ws", "rest": "http"}


def check_websocket_feed(feed: "FeedConfig") -> None:
    """Raise ValueError where a websocket says too little, or asks for what is not; or another feed speaks of one."""
    if feed.format != "websocket":
        usual = type(feed).model_fields
        present = [name for name in _FIELDS if getattr(feed, name) != usual[name].default]
        if present:
            raise ValueError(f"feed {feed.id!r} is no websocket; remove {present[0]!r}")
        return
    if feed.path:
        raise ValueError(f"feed {feed.id!r} is a connection and has no file; remove 'path', or call it 'record'")
    if feed.venue is None or feed.venue not in VENUES:
        found = "no venue" if feed.venue is None else f"venue {feed.venue!r}"
        raise ValueError(f"feed {feed.id!r} has {found}; write one of {', '.join(VENUES)}")
    _check_subscription(feed, VENUES[feed.venue])
    if feed.retry_most < feed.retry:
        raise ValueError(f"feed {feed.id!r}: 'retry_most' is shorter than 'retry'; make it at least as long")
    for name, scheme in _SCHEMES.items():
        value = getattr(feed, name)
        if value is not None and not value.startswith((f"{scheme}://", f"{scheme}s://")):
            raise ValueError(f"feed {feed.id!r}: {name} {value!r} is no address; write {scheme}s://host/path")


def _check_subscription(feed: "FeedConfig", venue: type[Venue]) -> None:
    if not feed.instruments:
        raise ValueError(f"feed {feed.id!r} lists no instruments; name those to subscribe to")
    if venue.is_single and len(feed.instruments) > 1:
        raise ValueError(
            f"feed {feed.id!r} lists {len(feed.instruments)} instruments, and a feed of {feed.venue} speaks of one "
            "instrument; give each a feed of its own"
        )
    if not feed.channels or len(set(feed.channels)) < len(feed.channels):
        raise ValueError(f"feed {feed.id!r} should name channels, each once: book, trades or ticker")
    if feed.depth is not None and feed.depth not in venue.depths:
        choice = f"write one of {', '.join(map(str, sorted(venue.depths)))}" if venue.depths else "remove it"
        raise ValueError(f"feed {feed.id!r}: {feed.venue} has no books of depth {feed.depth}; {choice}")
