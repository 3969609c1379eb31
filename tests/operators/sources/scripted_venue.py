"""A line on a scripted venue, what came over it, and what the venue's operator should make of the recording."""

import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterable, Mapping
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from operators.feeds.definitions import bybit_instruments, coinbase_instruments, kraken_instruments, okx_instruments
from operators.sources.feed import feed_config
from operators.sources.line import Entry
from operators.sources.websocket import websocket_line
from operators.sources.websocket_line import WebsocketLine
from operators.sources.websocket_pace import Limit
from operators.sources.websocket_venues import VENUES
from schemas.instrument import Instrument
from schemas.market import RawFrame, RawKind
from tests.conftest import ROOT
from tests.operators.sources.book_states import State, decoded, key, moments, raw
from tests.operators.sources.venue_messages import MESSAGES
from tests.operators.sources.venue_recordings import SESSIONS, listings, texts

LONGEST_S = 90.0
_DEFINED: dict[str, Any] = {
    "kraken": kraken_instruments,
    "kraken_v1": lambda body: kraken_instruments(body, version=1),
    "okx": okx_instruments,
    "coinbase": coinbase_instruments,
    "bybit_linear": bybit_instruments,
}
_BINANCE = {"binance_spot": ("0.01", "0.00001"), "binance_usdm": ("0.1", "0.001")}


def instruments_of(data_path: Path, venue: str) -> list[Instrument]:
    if venue in _BINANCE:
        tick, lot = map(Decimal, _BINANCE[venue])
        return [Instrument(id="BTC", venue="binance", symbol="BTCUSDT", tick=tick, lot=lot, currency="USDT")]
    found = {i.id: i for body in listings(data_path, venue) for i in _DEFINED[venue](body).instruments}
    return [i for i in found.values() if i.symbol in SESSIONS[venue].symbols]


class ScriptedVenue:
    """The server's process, and the line to it."""

    def __init__(
        self, data_path: Path, venue: str, seconds: float, seed: int, faults: list[str], folder: Path, **settings: Any
    ) -> None:
        self.name, self.venue = venue, VENUES[venue]()
        self.instruments = instruments_of(data_path, venue)
        self.depth = 1000 if venue.startswith("kraken") else (self.venue.depths or (0,))[0]
        command = [sys.executable, "-m", "tests.operators.sources.websocket_server", venue, str(data_path)]
        command += [str(seconds), str(seed), *faults]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
        assert self._process.stdout is not None
        self.address = f"127.0.0.1:{int(self._process.stdout.readline())}"
        self.feed = feed_config(
            id=venue,
            format="websocket",
            venue=venue,
            instruments=[i.id for i in self.instruments],
            channels=["book"] if venue == "coinbase" else ["book", "trades", "ticker"],
            depth=self.depth or None,
            url=f"ws://{self.address}/stream",
            rest=f"http://{self.address}",
            record=f"{venue}.jsonl.zst",
            **{"silence": "700ms", "retry": "20ms", "retry_most": "80ms"} | settings,
        )
        patience_ns = 500_000_000 if venue == "coinbase" else 150_000_000
        with pytest.MonkeyPatch.context() as patch:  # connections are lost faster here than in life
            patch.setattr(VENUES[venue], "snapshots", Limit(1000, 60))
            self.line: WebsocketLine = websocket_line(self.feed, self.instruments, seed, folder, patience_ns)
        self.recording = folder / f"{venue}.jsonl.zst"
        self.entries: list[Entry] = []
        self.is_closed = False

    def decoded(self, frames: Iterable[RawFrame]) -> Mapping[str, Any]:
        """All rows that the venue's operator makes of an input log."""
        return decoded(self.venue, self.instruments, self.depth, frames)

    @cached_property
    def rows(self) -> Mapping[str, Any]:
        """The same of what came."""
        return self.decoded([raw(self.entries)])

    def poll(self) -> None:
        self.entries += self.line.poll()

    def state(self) -> dict[str, Any]:
        """How far the venue is: `is_done`, when connections were `opened`, `requests` it got."""
        with urllib.request.urlopen(f"http://{self.address}/state", timeout=5) as reply:
            found: dict[str, Any] = json.load(reply)
            return found

    def is_settled(self) -> bool:
        """Whether all was played and every book is whole."""
        assert self.line.books is not None
        return self.state()["is_done"] and self.line.books.is_whole

    def close(self) -> None:
        if not self.is_closed:
            self.is_closed = True
            self.line.close()
            self.entries += self.line.poll()

    def stop(self) -> None:
        try:
            self.close()
        finally:
            self._process.kill()
            self._process.communicate()


def run(venues: list[ScriptedVenue]) -> None:
    """Poll all lines until each has settled. Fails when that takes too long."""
    deadline, asked_s = time.monotonic() + LONGEST_S, 0.0
    open_venues = list(venues)
    while open_venues:
        for venue in open_venues:
            venue.poll()
        now_s = time.monotonic()
        assert now_s < deadline, f"{[v.name for v in open_venues]} not settled after {LONGEST_S} s"
        if now_s - asked_s > 0.25:
            asked_s = now_s
            for venue in list(open_venues):
                if venue.is_settled():
                    venue.close()
                    open_venues.remove(venue)
        time.sleep(0.005)


class Reference:
    """The books of the recording itself, without faults: after a message, and at the end."""

    def __init__(self, data_path: Path, venue: ScriptedVenue) -> None:
        levels = SESSIONS[venue.name].compared
        messages = [text.encode() for text in texts(data_path, venue.name)]
        log = raw([Entry(i, RawKind.MESSAGE, message) for i, message in enumerate(messages)])
        form = MESSAGES[venue.name]()
        carried = {told.symbol for message in messages if (told := form.read(message.decode())) is not None}
        ignored = sorted(carried - {i.symbol for i in venue.instruments})
        rows = decoded(venue.venue, venue.instruments, venue.depth, [log], ignored)
        self.states: dict[tuple[bytes, int], set[State]] = {}
        self.end: dict[int, State] = {}
        for told in moments(rows["events"], levels):
            assert told.is_whole, "the recording itself is not whole"
            self.states.setdefault((key(messages[told.cause - 1]), told.instrument), set()).add(told.state)
            self.end[told.instrument] = told.state
