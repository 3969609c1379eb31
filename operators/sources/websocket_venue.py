"""What a websocket line must know of a venue: where it is, how to ask for channels, and what it puts up with."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Literal

from operators.feeds.definitions import Definitions
from operators.feeds.message_feed import MessageFeed
from operators.sources.websocket_pace import Limit

Channel = Literal["book", "trades", "ticker"]
Verb = Literal["subscribe", "unsubscribe"]


class Venue(ABC):
    """One market of a venue, as its documentation describes it. docs/websockets.md lists the sources.

    Whatever differs between venues is here; how a connection is kept, is not.
    """

    url: ClassVar[str]
    """Of the websocket."""
    rest: ClassVar[str]
    """Of the REST interface."""
    definitions: ClassVar[tuple[str, ...]]
    """Paths there that list the instruments; `defined` reads the replies."""
    connections: ClassVar[Limit]
    """How often a connection may be opened."""
    requests: ClassVar[Limit]
    """How often a request may be sent on a connection."""
    are_requests_shared: ClassVar[bool] = False
    """Whether that holds for all connections from here together."""
    snapshots: ClassVar[Limit] = Limit(1, 1)
    """How often a snapshot may be fetched over REST, by all connections from here together."""
    ping: ClassVar[str | None] = None
    """What to send so that the venue has something to answer; None where it sends heartbeats by itself, or pings."""
    ping_every_s: ClassVar[float] = 15.0
    silence_ns: ClassVar[int]
    """After how long without a message a connection is taken to be dead."""
    depths: ClassVar[tuple[int, ...]] = ()
    """Depths that books may be subscribed to, the usual one first; empty where there is no choice."""
    decoder: ClassVar[type[MessageFeed]]
    """The operator that decodes it."""
    is_single: ClassVar[bool] = False
    """Whether a feed speaks of one instrument alone."""

    @abstractmethod
    def defined(self, body: bytes) -> Definitions:
        """The instruments that a reply lists. Raises ConfigError where it is none."""

    @abstractmethod
    def ask(self, verb: Verb, channels: Sequence[Channel], symbols: Sequence[str], depth: int) -> Iterator[str]:
        """The requests that subscribe to channels, or end that; as few as there may be."""

    def opening(self) -> Iterator[str]:
        """Requests that come first on a connection, whatever is subscribed to."""
        yield from ()

    def again(self, symbol: str, depth: int) -> Iterator[str]:
        """The requests that make the venue send a snapshot of a book it sends already."""
        yield from self.ask("unsubscribe", ("book",), (symbol,), depth)
        yield from self.ask("subscribe", ("book",), (symbol,), depth)

    def snapshot(self, symbol: str) -> str | None:
        """The path of a REST reply that is a book's snapshot; None where the websocket sends it."""
        return None

    def parameters(self, depth: int) -> Mapping[str, Any]:
        """Parameters of the decoder beside its feeds."""
        return {}

    def speaks_of_books(self, message: bytes) -> bool:
        """Whether a message may change what a book is; where that is costly to tell, all do."""
        return True
