"""Which line listens to which format of a live feed."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from socket import gethostbyname

from operators.sources.endpoint import Endpoint
from operators.sources.feed import FeedConfig
from operators.sources.fix_line import FixLine
from operators.sources.line import Line
from operators.sources.mold_line import MoldLine
from operators.sources.soup_line import SoupLine
from operators.sources.websocket import websocket_line
from schemas.errors import CaptureError
from schemas.instrument import Instrument

OpenLine = Callable[[FeedConfig, Sequence[Instrument], Path], Line]
"""Makes the line of a feed, which speaks of these instruments; a recording of it is made below the folder.

Raises OSError where an address cannot be had.
"""


def open_line(feed: FeedConfig, instruments: Sequence[Instrument], folder: Path = Path()) -> Line:
    """The line of a live feed. Raises CaptureError where it cannot listen."""
    try:
        return _LINES[feed.format](feed, instruments, folder)
    except OSError as e:
        raise CaptureError(
            f"feed {feed.id!r}: cannot listen ({e.strerror or e}); correct its addresses, or free them on this machine"
        ) from e


def _mold(feed: FeedConfig, instruments: Sequence[Instrument], folder: Path) -> Line:
    return MoldLine(
        tuple(_found(line) for line in feed.lines),
        _found(feed.server) if feed.server else None,
        feed.interface,
        session=feed.session,
        sequence=feed.sequence,
        patience_ns=feed.patience,
    )


def _soup(feed: FeedConfig, instruments: Sequence[Instrument], folder: Path) -> Line:
    assert feed.server is not None
    return SoupLine(
        _found(feed.server), feed.username or "", feed.password or "", session=feed.session, sequence=feed.sequence
    )


def _websocket(feed: FeedConfig, instruments: Sequence[Instrument], folder: Path) -> Line:
    return websocket_line(feed, instruments, folder=folder)


def _fix(feed: FeedConfig, instruments: Sequence[Instrument], folder: Path) -> Line:
    return FixLine.of(feed, instruments)


def _found(endpoint: Endpoint) -> Endpoint:
    """The endpoint with its host by number: nobody waits for a name server while the market is open."""
    return Endpoint(gethostbyname(endpoint.host), endpoint.port)


_LINES: Mapping[str, OpenLine] = {
    "moldudp64": _mold,
    "soupbintcp": _soup,
    "websocket": _websocket,
    "fix_session": _fix,
}
