"""Which line listens to which format of a live feed."""

from collections.abc import Sequence
from pathlib import Path
from socket import gethostbyname

from operators.sources.endpoint import Endpoint
from operators.sources.feed import AnyLive
from operators.sources.fix_line import FixLine
from operators.sources.line import Line
from operators.sources.live_feed import FixSessionFeed, MoldUdpFeed, SoupBinFeed
from operators.sources.mold_line import MoldLine
from operators.sources.soup_line import SoupLine
from operators.sources.websocket import websocket_line
from operators.sources.websocket_feed import WebsocketFeed
from schemas.errors import CaptureError
from schemas.instrument import Instrument


def open_line(feed: AnyLive, instruments: Sequence[Instrument], folder: Path = Path()) -> Line:
    """The line of a feed, which speaks of these instruments; a recording of it is made below the folder.

    Raises CaptureError where it cannot listen.
    """
    try:
        return _line(feed, instruments, folder)
    except OSError as e:
        raise CaptureError(
            f"feed {feed.id!r}: cannot listen ({e.strerror or e}); correct its addresses, or free them on this machine"
        ) from e


def _line(feed: AnyLive, instruments: Sequence[Instrument], folder: Path) -> Line:
    """Raises OSError where an address cannot be had."""
    match feed:
        case MoldUdpFeed():
            return _mold(feed)
        case SoupBinFeed():
            return SoupLine(
                _found(feed.server), feed.username, feed.password, session=feed.session, sequence=feed.sequence
            )
        case WebsocketFeed():
            return websocket_line(feed, instruments, folder=folder)
        case FixSessionFeed():
            return FixLine.of(feed, instruments)


def _mold(feed: MoldUdpFeed) -> Line:
    return MoldLine(
        tuple(_found(line) for line in feed.lines),
        _found(feed.server) if feed.server else None,
        feed.interface,
        session=feed.session,
        sequence=feed.sequence,
        patience_ns=feed.patience,
    )


def _found(endpoint: Endpoint) -> Endpoint:
    """The endpoint with its host by number: nobody waits for a name server while the market is open."""
    return Endpoint(gethostbyname(endpoint.host), endpoint.port)
