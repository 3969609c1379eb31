"""A TCP connection, encrypted or not, that is never waited for."""

import select
import socket
import ssl

_PIECE_BYTES = 1 << 16


class TcpStream:
    """Connects, shakes hands, sends and receives as far as that goes at once. `is_new` until the owner has seen it up.

    `send` and `receive` tell of a connection that is broken, or could not be made, by False and None.
    """

    def __init__(self, address: tuple[str, int], tls: bool = False) -> None:
        self.is_new = False
        self._is_connected = self._is_broken = False
        self._unsent = b""
        self._socket: socket.socket | None = None
        self._host, self._tls = address[0], tls
        try:
            family, kind, protocol, _, where = socket.getaddrinfo(*address, type=socket.SOCK_STREAM)[0]
            self._socket = socket.socket(family, kind, protocol)
            self._socket.setblocking(False)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._socket.connect_ex(where)
        except OSError:
            self._is_broken = True

    def send(self, data: bytes) -> bool:
        """Send what can be sent now, and the rest with the next call."""
        self._unsent += data
        sock = self._socket
        if self._is_broken or sock is None:
            return False
        if not self._is_connected or not self._unsent:
            return True
        try:
            self._unsent = self._unsent[sock.send(self._unsent) :]
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            pass
        except OSError:
            self._is_broken = True
        return not self._is_broken

    def receive(self) -> bytes | None:
        """What has come, if anything."""
        if not self._is_connected and not self._is_broken:
            self._go_on_connecting()
        sock = self._socket
        if self._is_broken or sock is None:
            return None
        if not self._is_connected or self.is_new:
            return b""
        try:
            data = sock.recv(_PIECE_BYTES)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return b""
        except OSError:
            return None
        return data or None

    def close(self) -> None:
        """Give the connection back."""
        if self._socket is not None:
            self._socket.close()
        self._socket, self._is_broken = None, True

    def _go_on_connecting(self) -> None:
        sock = self._socket
        assert sock is not None
        try:
            if not isinstance(sock, ssl.SSLSocket):
                if not select.select([], [sock], [], 0)[1]:
                    return
                if sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                    self._is_broken = True
                    return
                if self._tls:
                    context = ssl.create_default_context()
                    sock = self._socket = context.wrap_socket(
                        sock, server_hostname=self._host, do_handshake_on_connect=False
                    )
            if isinstance(sock, ssl.SSLSocket):
                sock.do_handshake()
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return
        except (OSError, ValueError):
            self._is_broken = True
            return
        self._is_connected = self.is_new = True
