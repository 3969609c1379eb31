"""SoupBinTCP off the network: one stream of messages over as many connections as it takes."""

import select
import socket
import time

from operators.framing.soup_client import Output, Rejected, SessionEnded, SoupClient

_PIECE_BYTES = 1 << 16


class SoupSocket:
    """Keeps `client` connected to the server at `address`, until the session ends or the server lets nobody in.

    A connection that breaks, or falls silent, is made anew after `retry_s`; the client then goes on behind the last
    message it passed on.
    """

    def __init__(self, client: SoupClient, address: tuple[str, int], retry_s: float = 1.0) -> None:
        self.is_over = False
        self._client, self._address, self._retry_s = client, address, retry_s
        self._socket: socket.socket | None = None
        self._retry_at = 0.0

    def poll(self, timeout_s: float) -> list[Output]:
        """What has come within `timeout_s`; returns as soon as there is something."""
        out: list[Output] = []
        deadline = time.monotonic() + timeout_s
        while not out and not self.is_over and (left := deadline - time.monotonic()) > 0:
            if self._socket is None:
                self._connect(left)
            else:
                self._receive(self._socket, min(left, 1.0), out)
        if any(isinstance(item, SessionEnded | Rejected) for item in out):
            self.is_over = True
            self.close()
        return out

    def send(self, data: bytes) -> bool:
        """Send an unsequenced message; false where there is no connection that takes it."""
        return self._send(self._client.send(data, time.monotonic_ns()))

    def close(self) -> None:
        """Log out, and give the connection back."""
        self._send(self._client.logout())
        self._break()

    def _connect(self, timeout_s: float) -> None:
        wait_s = min(max(self._retry_at - time.monotonic(), 0.0), timeout_s)
        if wait_s:
            time.sleep(wait_s)
            return
        self._retry_at = time.monotonic() + self._retry_s
        try:
            self._socket = socket.create_connection(self._address, timeout=timeout_s)
        except OSError:
            return
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
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
            out += self._client.receive(data, now)
        if self._client.is_silent(now):
            self._break()
        elif heartbeat := self._client.heartbeat(now):
            self._send(heartbeat)

    def _send(self, data: bytes) -> bool:
        if self._socket is None:
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
            self._socket = None
