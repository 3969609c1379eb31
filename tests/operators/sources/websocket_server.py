"""A venue in a process of its own, replaying a recorded session over a real websocket, and badly:

`python -m tests.operators.sources.websocket_server VENUE DATA SECONDS SEED FAULT…` prints its port. The session is
played once, from the first subscription on, in about SECONDS. Who subscribes later gets a snapshot of the book as it is
then. The faults happen to whoever is connected, at messages chosen by the seed. `GET /state` tells how far it is.
"""

import asyncio
import json
import random
import re
import sys
import time
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from tests.operators.sources.venue_messages import MESSAGES, Book, Told
from tests.operators.sources.venue_recordings import listings, texts

HARMLESS = ("drop", "twice", "cut", "garbage", "binary")
LOSING = ("frame", "abort", "half-close", "stall", "goodbye", "refuse")
"""A message lost, repeated, damaged; text and bytes that are nonsense; a frame that is none; the connection reset,
closed on one side, silent, closed properly, and reset with the next two handshakes refused."""
REST_LOSING = ("rest-error", "rest-stale")
"""The connection is reset, and the next reply over REST is an error; is a snapshot of long ago."""
_SEQUENCE = re.compile(r'"sequence_num":\s*\d+')
_IDLE_EVERY_S = 0.05
_REST_DELAY_S = 0.03
_UNHEARD_MAX = 30
"""Messages that are played though nobody listens; then the session waits: on a slow machine too most is heard."""


class Client:
    def __init__(self, connection: ServerConnection) -> None:
        self.connection, self.subscribed, self.is_deaf, self.count = connection, set[tuple[str, str]](), False, 0

    async def send(self, message: str | bytes) -> None:
        if not self.is_deaf:
            with suppress(ConnectionClosed):
                await self.connection.send(message)

    def numbered(self, message: str) -> str:
        """The message with the next number of the connection, where the venue numbers its messages."""
        if not _SEQUENCE.search(message):
            return message
        self.count += 1
        return _SEQUENCE.sub(f'"sequence_num":{self.count - 1}', message, count=1)


class Exchange:
    """Plays the session, keeps its books, serves subscriptions and snapshots."""

    def __init__(self, venue: str, data_path: Path, seconds: float, seed: int, faults: list[str]) -> None:
        self.form, self.rng = MESSAGES[venue](), random.Random(seed)
        self.session = [told for text in texts(data_path, venue) if (told := self.form.read(text)) is not None]
        self.listings = listings(data_path, venue)
        self.seconds, self.books = seconds, dict[str, Book]()
        step = len(self.session) // (len(faults) + 1)
        places = [step * (i + 1) - self.rng.randrange(step // 2) for i in range(len(faults))]
        self.faults = list(zip(places, self.rng.sample(faults, len(faults)), strict=True))
        self.clients: set[Client] = set()
        self.refusing, self.rest_fault, self.is_done = 0, "", False
        self.opened: list[float] = []
        self.requests: list[str] = []
        self.first = asyncio.Event()
        self.stale = ""

    async def play(self) -> None:
        await self.first.wait()
        pause, due, unheard = self.seconds / len(self.session), time.monotonic(), 0
        for i, told in enumerate(self.session):
            due = max(due + pause, time.monotonic() - 0.1)
            if due > time.monotonic():
                await asyncio.sleep(due - time.monotonic())
            unheard = 0 if self.is_heard() else unheard + 1
            while unheard > _UNHEARD_MAX and not self.is_heard():
                await asyncio.sleep(0.01)
            if told.channel == "book":
                book = self.books.setdefault(told.symbol, Book(self.form.depth))
                book.apply(told, self.form.price, self.form.quantity)
                self.stale = self.stale or self.form.whole(told.symbol, book)
            fault = self.fault(i, told)
            for client in list(self.clients):
                await self.tell(client, told, fault)
        self.is_done = True

    def is_heard(self) -> bool:
        return any(client.subscribed and not client.is_deaf for client in self.clients)

    def fault(self, i: int, told: Told) -> str:
        """What befalls message `i`: the next fault, once its place is reached and somebody is there to hear it."""
        is_heard = any(told[:2] in client.subscribed and not client.is_deaf for client in self.clients)
        return self.faults.pop(0)[1] if self.faults and self.faults[0][0] <= i and is_heard else ""

    async def tell(self, client: Client, told: Told, fault: str) -> None:
        transport = client.connection.transport
        client.is_deaf = client.is_deaf or fault in (*LOSING, *REST_LOSING)
        if fault in ("abort", *REST_LOSING):
            self.rest_fault = fault if fault in REST_LOSING else ""
            transport.abort()
        elif fault == "half-close":
            transport.write_eof()
        elif fault == "goodbye":
            await client.connection.close(1001)
        elif fault == "refuse":
            self.refusing = 2
            transport.abort()
        elif fault == "frame":
            transport.write(b"\xf7\xff\xff\xff\xff")
        elif fault == "garbage":
            await client.send("".join(chr(self.rng.randrange(1, 0xD800)) for _ in range(100)))
        elif fault == "binary":
            await client.send(self.rng.randbytes(100))
        if told[:2] not in client.subscribed or (told.is_snapshot and self.form.snapshot_path):
            return  # or comes over REST alone
        text = client.numbered(told.text)
        if fault != "drop":
            await client.send(text[: len(text) // 2] if fault == "cut" else text)
        if fault == "twice":
            await client.send(text)

    async def serve(self, connection: ServerConnection) -> None:
        client = Client(connection)
        self.opened.append(time.monotonic())
        self.clients.add(client)
        idle = asyncio.create_task(self.idle(client))
        try:
            async for text in connection:
                self.requests.append(str(text))
                asked = self.form.asked(str(text))
                for answer in self.form.answers(str(text)):
                    await client.send(client.numbered(answer))
                if asked is not None:
                    await self.subscribe(client, *asked)
                    self.first.set()
        except ConnectionClosed:
            pass
        finally:
            idle.cancel()
            self.clients.discard(client)

    async def subscribe(self, client: Client, is_on: bool, channels: list[tuple[str, str]]) -> None:
        for channel, symbol in channels:
            (client.subscribed.add if is_on else client.subscribed.discard)((channel, symbol))
            book = self.books.get(symbol)
            if is_on and channel == "book" and book is not None and book.is_known and not self.form.snapshot_path:
                await client.send(client.numbered(self.form.whole(symbol, book)))

    async def idle(self, client: Client) -> None:
        while True:
            await asyncio.sleep(_IDLE_EVERY_S)
            await client.send(client.numbered(self.form.idle))

    async def http(self, connection: ServerConnection, request: Request) -> Response | None:
        """Answer what is no websocket, or not to be one."""
        path = request.path
        if path.startswith("/state"):
            state = {"is_done": self.is_done, "opened": self.opened, "requests": self.requests}
            return reply(HTTPStatus.OK, json.dumps(state))
        if self.form.snapshot_path and self.form.snapshot_path in path:
            return await self.snapshot(path.rsplit("=")[-1])
        if request.headers.get("Upgrade") is None:
            return reply(HTTPStatus.OK, self.listings[min(len(self.listings) - 1, "SWAP" in path)].decode())
        if self.refusing:
            self.refusing -= 1
            self.opened.append(time.monotonic())
            return reply(HTTPStatus.SERVICE_UNAVAILABLE, "busy")
        return None

    async def snapshot(self, symbol: str) -> Response:
        while symbol not in self.books:
            await asyncio.sleep(0.01)
        fault, self.rest_fault = self.rest_fault, ""
        body = self.stale if fault == "rest-stale" else self.form.whole(symbol, self.books[symbol])
        await asyncio.sleep(_REST_DELAY_S)
        return reply(HTTPStatus.INTERNAL_SERVER_ERROR if fault == "rest-error" else HTTPStatus.OK, body)


def reply(status: HTTPStatus, body: str) -> Response:
    content = body.encode()
    headers = Headers({"Content-Length": str(len(content)), "Connection": "close"})
    return Response(status.value, status.phrase, headers, content)


async def main(venue: str, data: str, seconds: str, seed: str, *faults: str) -> None:
    exchange = Exchange(venue, Path(data), float(seconds), int(seed), list(faults))
    server: Server
    async with serve(exchange.serve, "127.0.0.1", 0, process_request=exchange.http, ping_interval=None) as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        await exchange.play()
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
