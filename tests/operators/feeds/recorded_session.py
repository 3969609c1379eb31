"""Recorded websocket sessions put through a venue's operator and the books, and what comes out of them."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from backports import zstd

from operators.book.book import Book
from operators.feeds.venue_feed import VenueFeed
from operators.operator import Desk, Feed
from operators.sources.desk_input import DeskInput
from operators.sources.feed import feed_config
from schemas.instrument import Instrument
from schemas.market import QUOTES, EventKind, RawKind


def records(data_path: Path, name: str) -> list[dict[str, Any]]:
    """The lines of a session."""
    content = zstd.decompress((data_path / "websocket" / f"{name}.jsonl.zst").read_bytes())
    return [json.loads(line) for line in content.splitlines() if line]


def bodies(data_path: Path, name: str, url: str) -> list[bytes]:
    """Replies to requests whose address holds `url`."""
    return [r["data"].encode() for r in records(data_path, name) if r["t"] == "http" and url in r["url"]]


class Replayed:
    """All rows of a session: `rows[port]`, the message of every cause and its connection, and the books' quotes."""

    def __init__(
        self, data_path: Path, name: str, cls: type[VenueFeed], feeds: Mapping[str, Sequence[Instrument]],
        **parameters: Any,
    ) -> None:  # fmt: skip
        """`feeds` gives for every connection the instruments it speaks of."""
        path = data_path / "websocket" / f"{name}.jsonl.zst"
        self.instruments = tuple(dict.fromkeys(i for listed in feeds.values() for i in listed))
        desk_feeds = tuple(Feed(conn, tuple(i.id for i in listed)) for conn, listed in feeds.items())
        desk = Desk("d", self.instruments, feeds=desk_feeds)
        configs = [feed_config(id=c, format="session", path=path.name, connection=c) for c in feeds]
        source = DeskInput([(config, path) for config in configs], 1000, None)
        operator, book = cls(cls.Parameters(feeds=tuple(feeds), **parameters), desk), Book(Book.Parameters(), desk)
        self.messages: dict[int, bytes] = {}
        self.connections: dict[int, str] = {}
        found: dict[str, list[Any]] = {"events": [], "dead_letters": [], "feed_events": [], "quotes": [], "book": []}
        while (frame := source.next()) is not None:
            for i, (cause, kind, feed) in enumerate(frame.rows[["cause", "kind", "feed"]].tolist()):
                if kind == RawKind.MESSAGE:
                    self.connections[cause] = configs[feed].id
                    self.messages[cause] = frame.message(i)
            produced = operator.process({"raw": frame})
            told = book.process({"events": produced["events"]}) if "events" in produced else {}
            for port, rows in [*produced.items(), ("quotes", told.get("quotes")), ("book", told.get("feed_events"))]:
                if rows is not None:
                    found[port].append(rows.copy())
        source.close()
        self.rows = {port: np.concatenate(frames) if frames else QUOTES.empty for port, frames in found.items()}

    def kinds(self, port: str) -> list[int]:
        """`kind` of every row."""
        return self.rows[port]["kind"].tolist() if len(self.rows[port]) else []

    def best(self) -> dict[int, list[tuple[int, int, tuple[int, int, int, int]]]]:
        """The venue's own best prices by instrument: (cause, ts_event, (bid, its lots, ask, its lots))."""
        rows = self.rows["events"][self.rows["events"]["kind"] == EventKind.QUOTE]
        found: dict[int, list[Any]] = {}
        for bid, ask in zip(rows[::2].tolist(), rows[1::2].tolist(), strict=True):
            found.setdefault(bid[7], []).append((bid[0], bid[2], (bid[5], bid[6], ask[5], ask[6])))
        return found

    def tops(self) -> dict[int, list[tuple[int, int, tuple[int, int, int, int]]]]:
        """The same of the rebuilt books, while they can be traded on."""
        found: dict[int, list[Any]] = {}
        for q in self.rows["quotes"]:
            if q["state"] == 0:
                top = tuple(int(q[c]) for c in ("bid", "bid_qty", "ask", "ask_qty"))
                found.setdefault(int(q["instrument"]), []).append((int(q["cause"]), int(q["ts_event"]), top))
        return found
