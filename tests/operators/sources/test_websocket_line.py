"""A line and servers that behave one way each; whole sessions are in test_websocket_faults."""

import asyncio
import contextlib
import itertools
import random
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from websockets.asyncio.server import serve

from operators.sources import websocket_heard
from operators.sources.line import Entry
from operators.sources.websocket_backoff import BackOff
from operators.sources.websocket_line import Terms, WebsocketLine
from operators.sources.websocket_pace import Limit
from operators.sources.websocket_venues import BybitSpot
from schemas.market import RawKind
from tests.operators.feeds.venue_session import instruments

LONGEST_S = 10.0
MS = 10**6


class Venue(BybitSpot):
    ping_every_s = 0.05
    requests = Limit(1000, 1)
    connections = Limit(1000, 1)


class Serving:
    """A server on a thread: a websocket served by `handler`, or plain TCP by `raw`."""

    def __init__(self, handler=None, raw=None):
        self.opened, self.heard, self._serving = [], [], set()
        self._handler, self._raw = handler, raw
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._main()))

    async def _main(self):
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        if self._raw is None:
            server = await serve(self._websocket, "127.0.0.1", 0, process_request=self._note, compression=None)
        else:
            server = await asyncio.start_server(self._tcp, "127.0.0.1", 0)
        self.url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        self._ready.set()
        await self._stop.wait()
        server.close()
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)
        await server.wait_closed()

    def _note(self, connection, request):
        self.opened.append(time.monotonic())

    async def _websocket(self, connection):
        hearing = asyncio.create_task(self._hear(connection))
        await self._handler(connection)
        hearing.cancel()

    async def _hear(self, connection):
        async for message in connection:
            self.heard.append((time.monotonic(), message))

    async def _tcp(self, reader, writer):
        self.opened.append(time.monotonic())
        self._serving.add(asyncio.current_task())
        try:
            await self._raw(reader, writer)
        finally:
            writer.transport.abort()

    def __enter__(self):
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(self, *_):
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()


def line_to(url, venue=None, writer=None, seed=1, clock_ns=time.time_ns, **changes):
    terms = {
        "name": "f",
        "venue": venue or Venue(),
        "instruments": instruments("X"),
        "channels": ("trades",),
        "depth": 200,
        "url": url,
        "rest": "",
        "silence_ns": 5000 * MS,
        "retry_ns": 50 * MS,
        "retry_most_ns": 200 * MS,
        "patience_ns": 1000 * MS,
    }
    return WebsocketLine(Terms(**(terms | changes)), random.Random(seed), writer, clock_ns)


@contextlib.contextmanager
def closing(line):
    try:
        yield line
    finally:
        began = time.monotonic()
        line.close()
        assert time.monotonic() - began < 3


def until(line, condition):
    found, deadline = [], time.monotonic() + LONGEST_S
    while not condition(found):
        assert time.monotonic() < deadline, found[-3:]
        found += line.poll()
        time.sleep(0.002)
    return found


def messages(found):
    return [entry.data for entry in found if entry.kind is RawKind.MESSAGE]


async def hold(connection):
    await connection.wait_closed()


async def hang_up(reader, writer):
    pass


async def say_nothing(reader, writer):
    await asyncio.sleep(0.5)


def test_reconnects_wait_as_the_backoff_says():
    with Serving(raw=hang_up) as server, closing(line_to(server.url, seed=5)) as line:
        until(line, lambda _: len(server.opened) >= 6)
        assert line.poll() == []
    drawn = BackOff(50 * MS, 200 * MS, random.Random(5))
    gaps = [b - a for a, b in itertools.pairwise(server.opened)][:5]
    for gap in gaps:
        wait_s = drawn.next_s()
        assert wait_s <= gap < wait_s + 1.0


def test_a_handshake_that_is_not_answered_is_given_up():
    with Serving(raw=say_nothing) as server, closing(line_to(server.url, silence_ns=100 * MS)) as line:
        until(line, lambda _: len(server.opened) >= 2)


def test_an_address_nobody_listens_at_is_tried_again():
    line = line_to("ws://127.0.0.1:9/")
    with closing(line):
        for _ in range(50):
            assert line.poll() == []
            time.sleep(0.005)


def test_silence_ends_a_connection():
    async def speak_once(connection):
        await connection.send("once")
        await connection.wait_closed()

    with Serving(speak_once) as server, closing(line_to(server.url, silence_ns=200 * MS)) as line:
        found = until(line, lambda found: len(messages(found)) == 2)
    kinds = [entry.kind for entry in found]
    assert kinds == [RawKind.CONNECT, RawKind.MESSAGE, RawKind.DISCONNECT, RawKind.CONNECT, RawKind.MESSAGE]
    assert found[2].data.startswith(b"nothing came for 0.")
    assert found[2].clock - found[1].clock >= 200 * MS


def test_pings_are_sent_and_subscriptions_first():
    with Serving(hold) as server, closing(line_to(server.url)) as line:
        until(line, lambda _: len(server.heard) >= 3)
    assert [text for _, text in server.heard][:3] == [
        '{"op":"subscribe","args":["publicTrade.X"]}',
        '{"op":"ping"}',
        '{"op":"ping"}',
    ]


def test_requests_keep_to_the_limit():
    class Slow(Venue):
        requests = Limit(2, 0.2)
        ping = None
        _AT_ONCE = 1

    names = tuple("ABCDEF")
    chosen = {"instruments": instruments(*names)}
    with Serving(hold) as server, closing(line_to(server.url, Slow(), **chosen)) as line:
        until(line, lambda _: len(server.heard) == len(names))
    times = [at for at, _ in server.heard]
    assert times[5] - times[0] >= 0.38


def test_a_slow_snapshot_is_not_fetched_twice_and_snapshots_keep_to_the_limit():
    class OverRest(Venue):
        snapshots = Limit(1, 0.4)
        ping = None

        def snapshot(self, symbol):
            return f"/{symbol}"

    asked = []

    class Slow(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(time.monotonic())
            time.sleep(0.3)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_):
            pass

    async def speak(connection):
        await connection.send("hello")
        await connection.wait_closed()

    rest = ThreadingHTTPServer(("127.0.0.1", 0), Slow)
    thread = threading.Thread(target=rest.serve_forever)
    thread.start()
    chosen = {"channels": ("book",), "rest": f"http://127.0.0.1:{rest.server_port}", "patience_ns": 20 * MS}
    with Serving(speak) as server, closing(line_to(server.url, OverRest(), **chosen)) as line:
        found = until(line, lambda found: len(messages(found)) == 4)  # hello, and three replies that do not help
    rest.shutdown()
    thread.join()
    rest.server_close()
    assert messages(found) == [b"hello", b"{}", b"{}", b"{}"]
    assert all(b - a >= 0.39 for a, b in itertools.pairwise(asked))


def test_a_slow_desk_slows_the_venue_and_loses_nothing(monkeypatch):
    monkeypatch.setattr(websocket_heard, "WAITING_MAX", 100)
    count, sent = 5000, [0]
    text = "x" * 4000

    async def flood(connection):
        for i in range(count):
            await connection.send(f"{i} {text}")
            sent[0] = i + 1
        await connection.wait_closed()

    with Serving(flood) as server, closing(line_to(server.url, silence_ns=300 * MS)) as line:
        found = until(line, lambda found: len(found) > 1)
        time.sleep(0.5)  # longer than silence may last
        assert sent[0] < count
        found += until(line, lambda more: len(found) + len(more) > count)
    assert [int(data.split()[0]) for data in messages(found)] == list(range(count))


def test_the_clock_of_an_earlier_life_is_not_gone_behind():
    with Serving(hold) as server:
        line = line_to(server.url, clock_ns=lambda: 5_000_000_000)
        line.follow(Entry(6_500_000_000, RawKind.MESSAGE, b""))
        line.follow(Entry(6_000_000_000, RawKind.MESSAGE, b""))
        with closing(line):
            [opened] = until(line, lambda found: len(found) == 1)
    assert opened.clock == 6_500_000_000


def test_a_fault_of_our_own_is_raised():
    class Broken(Venue):
        def ask(self, *_):
            raise RuntimeError("a bug")

    with Serving(hold) as server, closing(line_to(server.url, Broken())) as line:
        with pytest.raises(ExceptionGroup) as raised:
            until(line, lambda _: False)
        assert raised.group_contains(RuntimeError, match="a bug")


def test_a_line_that_was_never_polled_is_closed():
    line_to("ws://127.0.0.1:9/").close()
