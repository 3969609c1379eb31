"""Plays a recorded ITCH session to whoever listens: over MoldUDP64, and to those who log in over SoupBinTCP.

For trying a live desk out, and for tests. What was played can be asked for again, from the first message on, until
the player is closed.
"""

import contextlib
import random
import selectors
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from operators.framing.mold_sender import MoldSender
from operators.framing.soup_server import SoupConnection, SoupServer
from operators.sources.endpoint import Endpoint

_PIECE_BYTES = 1 << 16
_AT_ONCE = 500
"""Messages played, or sent to one client, before others have their turn."""

_PATIENCE_S = 5
"""A client that takes nothing for so long is dropped."""

_IDLE_NS = 1_000_000_000
"""Without messages, the lines are told this often which comes next."""

Timed = tuple[int, bytes]
"""When a message was sent, in ns, and the message."""


def itch_messages(path: Path) -> Iterator[Timed]:
    """The messages of a BinaryFILE (each behind its length, two bytes, big-endian) with their own timestamps."""
    with path.open("rb") as file:
        while len(size := file.read(2)) == 2:
            message = file.read(int.from_bytes(size, "big"))
            yield int.from_bytes(message[5:11], "big"), message


class Player:
    """Sends the messages of a session at `speed` times their pace; 0 is as fast as it goes.

    `lines` are where MoldUDP64 packets go, each of which is lost on a line with probability `loss`; `interface` is the
    local address from which multicast groups are sent to. Requests for packets are answered at `replies`. `soup` is
    where clients log in, with `passwords` by username; they are sent all that has been played. Raises OSError where an
    address cannot be had.
    """

    def __init__(
        self,
        messages: Iterator[Timed],
        session: str,
        speed: float = 1.0,
        *,
        lines: Sequence[Endpoint] = (),
        replies: Endpoint | None = None,
        soup: Endpoint | None = None,
        passwords: dict[str, str] | None = None,
        interface: str = "127.0.0.1",
        loss: float = 0.0,
        seed: int = 0,
    ) -> None:
        self._messages, self._lines = messages, list(lines)
        self.speed = speed
        self._next = next(messages, None)
        self._begin = self._next[0] if self._next else 0
        self._began_ns = self._spoke_ns = time.monotonic_ns()
        self._loss, self._rng = loss, random.Random(seed)
        self._mold = MoldSender(session.encode(), kept_max=1 << 40)
        self._soup = SoupServer(session, passwords or {})
        self._clients: dict[socket.socket, SoupConnection] = {}
        with ExitStack() as opened:
            self._selector = opened.enter_context(selectors.DefaultSelector())
            self._udp = opened.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            self._udp.setblocking(False)
            self._udp.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(interface))
            if replies is not None:
                self._udp.bind(replies)
                self._selector.register(self._udp, selectors.EVENT_READ)
            self._tcp: socket.socket | None = None
            if soup is not None:
                self._tcp = opened.enter_context(socket.create_server(soup))
                self._tcp.setblocking(False)
                self._selector.register(self._tcp, selectors.EVENT_READ)
            self._opened = opened.pop_all()

    @property
    def played(self) -> int:
        """Messages played so far."""
        return len(self._soup.messages)

    @property
    def is_over(self) -> bool:
        """Whether all have been."""
        return self._next is None

    @property
    def ports(self) -> tuple[int, int]:
        """The local ports of `replies` and `soup`, 0 where there is none."""
        return self._udp.getsockname()[1], self._tcp.getsockname()[1] if self._tcp else 0

    def step(self, timeout_s: float) -> None:
        """Play what is due, and answer; returns after `timeout_s` at the latest, where there is nothing to do."""
        now = time.monotonic_ns()
        due = self._due(now)
        self._soup.messages += due
        self._soup.is_over = self.is_over
        self._speak(due, now)
        wait_s = 0.0 if due or self._is_behind() else timeout_s
        for key, _ in self._selector.select(wait_s):
            if key.fileobj is self._udp:
                self._answer()
            elif key.fileobj is self._tcp:
                self._accept(now)
            else:
                assert isinstance(key.fileobj, socket.socket)
                self._hear(key.fileobj, now)
        for client in list(self._clients):
            self._serve(client, now)

    def close(self) -> None:
        """Give the sockets back."""
        for client in list(self._clients):
            self._drop(client)
        self._opened.close()

    def _due(self, now_ns: int) -> list[bytes]:
        found: list[bytes] = []
        until = self._begin + (now_ns - self._began_ns) * self.speed if self.speed else float("inf")
        while self._next is not None and self._next[0] <= until and len(found) < _AT_ONCE:
            found.append(self._next[1])
            self._next = next(self._messages, None)
        return found

    def _speak(self, due: list[bytes], now_ns: int) -> None:
        packets = self._mold.send(due)
        if not due and now_ns - self._spoke_ns >= _IDLE_NS:
            packets = [self._mold.end() if self.is_over else self._mold.heartbeat()]
        if packets:
            self._spoke_ns = now_ns
        for packet in packets:
            for line in self._lines:
                if self._rng.random() >= self._loss:
                    with contextlib.suppress(OSError):  # a full buffer loses packets as a network does
                        self._udp.sendto(packet, line)

    def _is_behind(self) -> bool:
        return any(client.is_behind for client in self._clients.values())

    def _answer(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                data, client = self._udp.recvfrom(_PIECE_BYTES)
                reply = self._mold.reply(data)
                if isinstance(reply, bytes):
                    self._udp.sendto(reply, client)

    def _accept(self, now_ns: int) -> None:
        assert self._tcp is not None
        with contextlib.suppress(OSError):
            client, _ = self._tcp.accept()
            client.settimeout(_PATIENCE_S)
            self._clients[client] = self._soup.connection(now_ns)
            self._selector.register(client, selectors.EVENT_READ)

    def _hear(self, client: socket.socket, now_ns: int) -> None:
        try:
            data = client.recv(_PIECE_BYTES)
        except OSError:
            data = b""
        if data:
            self._clients[client].receive(data, now_ns)
        else:
            self._drop(client)

    def _serve(self, client: socket.socket, now_ns: int) -> None:
        connection = self._clients[client]
        try:
            client.sendall(connection.pull(now_ns, _AT_ONCE))
        except OSError:
            connection.is_open = False
        if not connection.is_open:
            self._drop(client)

    def _drop(self, client: socket.socket) -> None:
        self._selector.unregister(client)
        del self._clients[client]
        client.close()
