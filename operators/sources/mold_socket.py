"""MoldUDP64 off the network: the lines of a feed, and the server that sends again what both of them lost."""

import selectors
import socket
import struct
import time
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from ipaddress import ip_address

from operators.framing.mold_output import Output
from operators.framing.mold_packet import encode_request
from operators.framing.mold_receiver import MoldReceiver

Address = tuple[str, int]

_DATAGRAM_MAX = 1 << 16
_AT_ONCE = 256
"""Datagrams taken from one socket before the others have their turn."""

_BUFFER_BYTES = 8 << 20
"""What the kernel may keep for us between two polls, if it is allowed to."""


class MoldSocket:
    """Listens on `lines` (group or local address, and port) for what `receiver` puts in order.

    `server` is asked for what is missing; without one, gaps wait for the other line or for the receiver's patience.
    `interface` is the local address through which multicast groups are joined. Raises OSError where an address
    cannot be had.
    """

    def __init__(
        self,
        receiver: MoldReceiver,
        lines: Sequence[Address],
        server: Address | None = None,
        interface: str = "0.0.0.0",
    ) -> None:
        self.server = server
        self._receiver = receiver
        with ExitStack() as opened:
            self._selector = opened.enter_context(selectors.DefaultSelector())
            self._asking = opened.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            self._sockets = [self._asking]
            for line in lines:
                self._sockets.append(opened.enter_context(_listening(line, interface)))
            for sock in self._sockets:
                sock.setblocking(False)
                self._selector.register(sock, selectors.EVENT_READ)
            self._opened = opened.pop_all()

    @property
    def ports(self) -> list[int]:
        """The local port of each line."""
        return [sock.getsockname()[1] for sock in self._sockets[1:]]

    def poll(self, timeout_s: float) -> list[Output]:
        """What has come, or was given up, within `timeout_s`; returns as soon as there is something.

        With 0 it does not wait.
        """
        out: list[Output] = []
        now = time.monotonic_ns()
        deadline = now + int(timeout_s * 1e9)
        while True:
            out += self._receiver.expire(now)
            self._ask(now)
            due = (self._receiver.expires_ns, self._receiver.asks_ns if self.server else None)
            wait_ns = 0 if out else min(at for at in (deadline, *due) if at is not None) - now
            for key, _ in self._selector.select(max(wait_ns, 0) / 1e9):
                assert isinstance(key.fileobj, socket.socket)
                self._take(key.fileobj, out)
            now = time.monotonic_ns()
            if out or now >= deadline:
                return out

    def close(self) -> None:
        """Give the sockets back."""
        self._opened.close()

    def _take(self, sock: socket.socket, out: list[Output]) -> None:
        for _ in range(_AT_ONCE):
            try:
                data = sock.recv(_DATAGRAM_MAX)
            except OSError:  # nothing more, or: the server was not there for a request
                return
            out += self._receiver.receive(data, time.monotonic_ns())

    def _ask(self, now_ns: int) -> None:
        if self.server is not None:
            with suppress(OSError):  # there is no way to the server now: it is asked again
                for request in self._receiver.requests(now_ns):
                    self._asking.sendto(encode_request(request), self.server)


def _listening(line: Address, interface: str) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER_BYTES)
        sock.bind(line)
        if ip_address(line[0]).is_multicast:
            group = struct.pack("4s4s", socket.inet_aton(line[0]), socket.inet_aton(interface))
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, group)
    except OSError:
        sock.close()
        raise
    return sock
