"""SoupBinTCP off the network: one stream of messages over as many connections as it takes."""

import errno
import select
import socket
import time

from operators.framing.refused import Refused
from operators.framing.soup_client import Accepted, Output, Rejected, SessionEnded, SoupClient

_PIECE_BYTES = 1 << 16
_UNDER_WAY = (0, errno.EINPROGRESS, errno.EWOULDBLOCK)


class SoupSocket:
    """Keeps `client` connected to the server at `address`, until the session ends.

    A connection that cannot be made, breaks, falls silent or is refused, is made anew after `retry_s`; the client then
    goes on behind the last message it passed on.
    """

    def __init__(self, client: SoupClient, address: tuple[str, int], retry_s: float = 1.0) -> None:
        self.is_over = False
        self._client, self._address, self._retry_s = client, address, retry_s
        self._socket: socket.socket | None = None
        self._is_open = self._is_in = False
        self._retry_at = 0.0

    def poll(self, timeout_s: float) -> list[Output]:
        """What has come within `timeout_s`; returns as soon as there is something. With 0 it does not wait."""
        out: list[Output] = []
        deadline = time.monotonic() + timeout_s
        while not self.is_over:
            left = max(deadline - time.monotonic(), 0.0)
            if self._socket is None:
                self._connect(left)
            elif not self._is_open:
                self._open(self._socket, left)
            else:
                self._receive(self._socket, min(left, 1.0), out)
            if out or left == 0.0:
                break
        return out

    def send(self, data: bytes) -> bool:
        """Send an unsequenced message; false where there is no connection that takes it."""
        return self._send(self._client.send(data, time.monotonic_ns()))

    def close(self) -> None:
        """Log out, and give the connection back."""
        self._send(self._client.logout())
        self._break()

    def _connect(self, timeout_s: float) -> None:
        """Begin to connect, once it is time."""
        wait_s = self._retry_at - time.monotonic()
        if wait_s > 0:
            time.sleep(min(wait_s, timeout_s))
            return
        self._retry_at = time.monotonic() + self._retry_s
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._socket.setblocking(False)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._socket.connect_ex(self._address) not in _UNDER_WAY:
            self._break()

    def _open(self, sock: socket.socket, timeout_s: float) -> None:
        """Log in, once the connection is there."""
        if not select.select([], [sock], [], timeout_s)[1]:
            return
        if sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            self._break()
            return
        self._is_open = True
        self._send(self._client.connect(time.monotonic_ns()))

    def _receive(self, sock: socket.socket, timeout_s: float, out: list[Output]) -> None:
        readable, _, _ = select.select([sock], [], [], timeout_s)
        now = time.monotonic_ns()
        if readable:
            try:
                data = sock.recv(_PIECE_BYTES)
            except OSError:
                data = b""
            if not data:
                self._break()
                return
            self._note(self._client.receive(data, now), out)
        if self._client.is_silent(now):
            self._break()
        elif heartbeat := self._client.heartbeat(now):
            self._send(heartbeat)

    def _note(self, said: list[Output], out: list[Output]) -> None:
        """Take what came, up to what leaves no use for the connection."""
        for item in said:
            out.append(item)
            self._is_in = self._is_in or isinstance(item, Accepted)
            self.is_over = isinstance(item, SessionEnded)
            if self.is_over or isinstance(item, Rejected) or (isinstance(item, Refused) and not self._is_in):
                self.close()
                return

    def _send(self, data: bytes) -> bool:
        if self._socket is None or not self._is_open:
            return False
        try:
            self._socket.sendall(data)
        except OSError:
            self._break()
            return False
        return True

    def _break(self) -> None:
        if self._socket is not None:
            self._socket.close()
        self._socket, self._is_open, self._is_in = None, False, False
