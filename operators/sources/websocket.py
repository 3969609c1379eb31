"""A feed of format `websocket` as the line that it configures."""

import random
from collections.abc import Sequence
from pathlib import Path

from operators.sources.session_writer import SessionWriter
from operators.sources.websocket_feed import WebsocketFeed
from operators.sources.websocket_line import Terms, WebsocketLine
from operators.sources.websocket_venues import VENUES
from schemas.instrument import Instrument

_PATIENCE_NS = 5 * 10**9
"""How long a book may take to become whole, before it is asked for again."""


def websocket_line(
    feed: WebsocketFeed, instruments: Sequence[Instrument], seed: int | None = None, folder: Path = Path(),
    patience_ns: int = _PATIENCE_NS,
) -> WebsocketLine:  # fmt: skip
    """The line of a feed, which speaks of those of `instruments` that it lists. Its recording is in `folder`.

    `seed` gives the jitter of its waits; without, it is another in every process, so that machines that lost a venue
    together do not come back together. Raises ConfigError where the decoder cannot serve such a feed, and
    CaptureError where the recording cannot be made.
    """
    venue = VENUES[feed.venue]()
    known = {instrument.id: instrument for instrument in instruments}
    terms = Terms(
        name=feed.id,
        venue=venue,
        instruments=[known[name] for name in feed.instruments],
        channels=feed.channels,
        depth=feed.depth or (venue.depths[0] if venue.depths else 0),
        url=feed.url or venue.url,
        rest=feed.rest or venue.rest,
        silence_ns=feed.silence or venue.silence_ns,
        retry_ns=feed.retry,
        retry_most_ns=feed.retry_most,
        patience_ns=patience_ns,
    )
    rng = random.Random() if seed is None else random.Random(f"{seed} {feed.id}")
    if feed.record is None:
        return WebsocketLine(terms, rng)
    return WebsocketLine(terms, rng, SessionWriter(folder / feed.record))
