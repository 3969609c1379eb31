"""A venue's websocket as a line of a desk: kept connected, subscribed and in step, on a thread of its own."""

import asyncio
import contextlib
import random
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import structlog
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException

from operators.sources.line import Entry, Line
from operators.sources.rest import get_soon
from operators.sources.session_writer import SessionWriter
from operators.sources.websocket_backoff import BackOff
from operators.sources.websocket_heard import Heard
from operators.sources.websocket_pace import Limit, Pace
from operators.sources.websocket_venue import Channel, Venue
from operators.sources.websocket_watch import Watch
from schemas.errors import CaptureError
from schemas.instrument import Instrument
from schemas.market import RawKind

_OPEN_S = 10.0
_SNAPSHOT_S = 30.0
_PROVEN_S = 10.0
"""A connection that held this long starts the back-off over."""
_LOOK_EVERY_S = 0.1
_PING_EVERY_S = 20.0
"""Pings of the protocol, which every server answers; one that does not is gone."""
_MESSAGE_BYTES_MAX = 64 << 20
"""Coinbase tells a whole book in one message, of 7 MB and more."""

_paces: dict[str, Pace] = {}
"""Limits that hold for all connections from here, by what they limit."""
_paces_lock = threading.Lock()
_log = structlog.get_logger()


@dataclass(frozen=True)
class Terms:
    """What a line is to connect to, and how."""

    name: str
    venue: Venue
    instruments: Sequence[Instrument]
    channels: Sequence[Channel]
    depth: int
    url: str
    rest: str
    silence_ns: int
    retry_ns: int
    retry_most_ns: int
    patience_ns: int


class _SilentError(Exception):
    """Nothing came for too long."""


class WebsocketLine(Line):
    """What a venue says on a connection, as it comes, and where the connection was opened and lost.

    A lost or silent connection is opened anew, after waits that grow, and subscribed to again. A book that
    loses step is asked for again. Snapshots that a venue has over REST alone stand among the messages.
    Times are whole microseconds, as recordings have them. A thread begins with the first `poll`.
    """

    def __init__(
        self, terms: Terms, rng: random.Random, writer: SessionWriter | None = None,
        clock_ns: Callable[[], int] = time.time_ns,
    ) -> None:  # fmt: skip
        self._terms, self._venue = terms, terms.venue
        self._heard = Heard(terms.name, writer, clock_ns)
        self.recording = None if writer is None else writer.path
        """Where it records to."""
        self._silence_s = terms.silence_ns / 1e9
        self._symbols = [instrument.symbol for instrument in terms.instruments]
        self._backoff = BackOff(terms.retry_ns, terms.retry_most_ns, rng)
        self._connections = _shared(f"connections to {terms.url}", self._venue.connections)
        self._snapshots = _shared(f"snapshots from {terms.rest}", self._venue.snapshots)
        self._fetched: set[str] = set()
        """Symbols whose snapshots are being fetched."""
        self.books: Watch | None = None
        """Which books are whole, as far as was looked; None where none are subscribed to."""
        if "book" in terms.channels:
            self.books = Watch(self._venue, terms.instruments, terms.depth, terms.patience_ns / 1e9)
        self._last_s = 0.0
        self._thread: threading.Thread | None = None
        self._failure: BaseException | None = None

    @property
    def is_recording(self) -> bool:
        """Whether all that passes is written down."""
        return self._heard.is_recording

    def poll(self) -> list[Entry]:
        """What has come since it was last asked, without waiting."""
        if self._thread is None:
            self._start()
        if self._failure is not None:
            raise self._failure
        return self._heard.take()

    def follow(self, entry: Entry) -> None:
        """Note how far the clock was; a venue has nothing to go on behind."""
        self._heard.clock = max(self._heard.clock, entry.clock)

    def close(self) -> None:
        """Close the connection, and the recording. What came before can still be polled."""
        if self._thread is not None:
            with contextlib.suppress(RuntimeError):  # where it has ended by itself
                self._loop.call_soon_threadsafe(self._task.cancel)
            self._thread.join()
        self._heard.close()

    def _start(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._task = self._loop.create_task(self._keep())
        self._thread = threading.Thread(target=self._work, name=f"websocket {self._terms.name}", daemon=True)
        self._thread.start()

    def _work(self) -> None:
        try:
            self._loop.run_until_complete(self._task)
        except asyncio.CancelledError:
            pass
        except BaseException as e:
            self._failure = e
        finally:
            self._loop.close()

    async def _keep(self) -> None:
        """Connect, again and again."""
        while True:
            await asyncio.sleep(self._connections.take(time.monotonic()))
            why = await self._connection()
            wait_s = self._backoff.next_s()
            _log.warning("connection lost", feed=self._terms.name, why=why, retry_s=round(wait_s, 3))
            await asyncio.sleep(wait_s)

    async def _connection(self) -> str:
        """Open a connection and look after it until it is lost; says why."""
        try:
            connection = await connect(
                self._terms.url, open_timeout=min(_OPEN_S, self._silence_s), close_timeout=1,
                max_size=_MESSAGE_BYTES_MAX, ping_interval=_PING_EVERY_S, ping_timeout=_PING_EVERY_S,
                user_agent_header="pairflow",
            )  # fmt: skip
        except (OSError, WebSocketException, TimeoutError) as e:
            return f"not opened: {e}"
        why = "the line was closed"
        self._requests = self._pace_of_requests()
        self._turn(RawKind.CONNECT, self._terms.url)
        self._last_s = opened_s = time.monotonic()
        try:
            async with asyncio.TaskGroup() as tasks:
                self._answered = asyncio.Event()
                tasks.create_task(self._receive(connection))
                tasks.create_task(self._subscribe(connection, tasks))
                tasks.create_task(self._look_after(connection, tasks, opened_s))
                if self._venue.ping is not None:
                    tasks.create_task(self._ping(connection, self._venue.ping))
        except* (ConnectionClosed, OSError, _SilentError) as lost:
            why = str(lost.exceptions[0])
            connection.transport.abort()
        finally:
            self._turn(RawKind.DISCONNECT, why)
            await connection.close()
        return why

    def _turn(self, kind: RawKind, text: str) -> None:
        """The connection was opened, or lost: no book is whole."""
        self._heard.add(kind, text.encode())
        if self.books is not None:
            self.books.restart(time.monotonic())
        self._heard.unwatched()
        self._fetched.clear()

    def _pace_of_requests(self) -> Pace:
        limit = self._venue.requests
        return _shared(f"requests to {self._terms.url}", limit) if self._venue.are_requests_shared else Pace(limit)

    async def _receive(self, connection: ClientConnection) -> None:
        while True:
            message = await connection.recv(decode=False)
            self._heard.add(RawKind.MESSAGE, message)
            self._answered.set()
            self._last_s = time.monotonic()
            while self._heard.is_full:
                await asyncio.sleep(_LOOK_EVERY_S / 10)
                self._last_s = time.monotonic()

    async def _subscribe(self, connection: ClientConnection, tasks: asyncio.TaskGroup) -> None:
        await self._ask(connection, self._venue.opening())
        wanted = self._venue.ask("subscribe", self._terms.channels, self._symbols, self._terms.depth)
        await self._ask(connection, wanted)
        await self._answered.wait()  # a snapshot of before the changes that are sent would join none of them
        if self.books is not None:
            for symbol in self._symbols:
                self._fetch(symbol, tasks)

    async def _look_after(self, connection: ClientConnection, tasks: asyncio.TaskGroup, opened_s: float) -> None:
        """Notice silence, and books that have lost step."""
        while True:
            await asyncio.sleep(_LOOK_EVERY_S)
            now_s = time.monotonic()
            if now_s - self._last_s > self._silence_s:
                raise _SilentError(f"nothing came for {now_s - self._last_s:.1f} s")
            if now_s - opened_s >= _PROVEN_S:
                self._backoff.reset()
            self._heard.tend()
            entries = self._heard.unwatched()
            if self.books is None:
                continue
            self.books.follow(entries, now_s)
            for symbol in self.books.due(now_s):
                _log.warning("book asked for again", feed=self._terms.name, symbol=symbol)
                if not self._fetch(symbol, tasks):
                    tasks.create_task(self._ask(connection, self._venue.again(symbol, self._terms.depth)))

    async def _ping(self, connection: ClientConnection, ping: str) -> None:
        while True:
            await asyncio.sleep(self._venue.ping_every_s)
            await self._send(connection, ping)

    async def _ask(self, connection: ClientConnection, requests: Iterable[str]) -> None:
        for request in requests:
            await asyncio.sleep(self._requests.take(time.monotonic()))
            await self._send(connection, request)

    async def _send(self, connection: ClientConnection, text: str) -> None:
        await connection.send(text)
        self._heard.sent(text)

    def _fetch(self, symbol: str, tasks: asyncio.TaskGroup) -> bool:
        """Have the snapshot of a book come over REST, if that is where the venue has it; once at a time."""
        path = self._venue.snapshot(symbol)
        if path is not None and symbol not in self._fetched:
            self._fetched.add(symbol)
            tasks.create_task(self._snapshot(symbol, self._terms.rest + path))
        return path is not None

    async def _snapshot(self, symbol: str, url: str) -> None:
        await asyncio.sleep(self._snapshots.take(time.monotonic()))
        try:
            async with asyncio.timeout(_SNAPSHOT_S):
                self._heard.add(RawKind.MESSAGE, await get_soon(url))
        except (CaptureError, TimeoutError) as e:
            _log.warning("no snapshot", feed=self._terms.name, why=str(e) or "it took too long")
        finally:
            self._fetched.discard(symbol)


def _shared(name: str, limit: Limit) -> Pace:
    """The pace of what all lines do together."""
    with _paces_lock:
        return _paces.setdefault(name, Pace(limit))
