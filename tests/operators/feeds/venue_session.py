"""Venues' operators on one feed of two instruments, X and Y, with ticks of 0.1 and lots of 0.001."""

from decimal import Decimal
from typing import Any

from operators.feeds.message_feed import MessageFeed
from operators.feeds.raw_log import raw_frame
from operators.feeds.venue_feed import VenueFeed
from operators.operator import Desk, Feed
from schemas.instrument import Instrument
from schemas.market import RawKind
from tests.operators.feeds.binance_session import Decoded


def instruments(*symbols: str) -> tuple[Instrument, ...]:
    terms: dict[str, Any] = {"venue": "v", "tick": Decimal("0.1"), "lot": Decimal("0.001"), "currency": "USD"}
    return tuple(Instrument(id=symbol.lower(), symbol=symbol, **terms) for symbol in symbols)


def operator(cls: type[VenueFeed], *symbols: str, feeds: int = 1, **parameters: Any) -> VenueFeed:
    """All instruments on each feed: a, b, …"""
    chosen = instruments(*symbols)
    names = [chr(97 + i) for i in range(feeds)]
    desk = Desk("d", chosen, feeds=tuple(Feed(name, tuple(i.id for i in chosen)) for name in names))
    return cls(cls.Parameters(feeds=tuple(names), **parameters), desk)


def decoded(cls: type[VenueFeed], *messages: bytes, **parameters: Any) -> Decoded:
    """What comes out for messages on one feed."""
    return Decoded(operator(cls, "X", "Y", **parameters), messages)


def reconnected(venue: VenueFeed, before: list[bytes], after: list[bytes]) -> tuple[list[tuple[int, int]], list[Any]]:
    """(kind, qty) of events and (kind, cause) of feed events where the connection is opened before, between, behind."""
    frame = raw_frame([(0, m) for m in [b"wss://", *before, b"wss://", *after]])
    frame.rows["kind"][0] = frame.rows["kind"][len(before) + 1] = RawKind.CONNECT
    out = venue.process({"raw": frame})
    assert "dead_letters" not in out
    events = out["events"][["kind", "qty"]].tolist()
    return events, out["feed_events"][["kind", "cause"]].tolist() if "feed_events" in out else []


def interrupted(venue: MessageFeed, before: list[bytes], after: list[bytes]) -> tuple[list[tuple[int, int]], list[int]]:
    """(kind, qty) of events and kinds of feed events where the connection is lost between."""
    frame = raw_frame([(0, m) for m in [*before, b"reset", *after]])
    frame.rows["kind"][len(before)] = RawKind.DISCONNECT
    out = venue.process({"raw": frame})
    assert "dead_letters" not in out
    return out["events"][["kind", "qty"]].tolist(), out["feed_events"]["kind"].tolist() if "feed_events" in out else []
