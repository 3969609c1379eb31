"""TCP connections that are never waited for, in the clear and encrypted."""

import shutil
import socket
import ssl
import subprocess
import threading
import time

import pytest

from operators.sources.tcp_stream import TcpStream

LOCALHOST = "127.0.0.1"


def until_up(stream):
    deadline = time.monotonic() + 10
    while not stream.is_new:
        assert time.monotonic() < deadline
        assert stream.receive() == b""
    stream.is_new = False


def until_received(stream):
    deadline = time.monotonic() + 10
    while not (data := stream.receive()):
        assert data is not None
        assert time.monotonic() < deadline
        stream.send(b"")
    return data


def test_what_is_sent_early_or_is_long_is_sent_in_time():
    with socket.create_server((LOCALHOST, 0)) as listening:
        stream = TcpStream(listening.getsockname())
        assert stream.send(b"early")
        until_up(stream)
        long = bytes(range(256)) * 40_000
        assert stream.send(long)
        accepted, _ = listening.accept()
        heard = b""
        while len(heard) < len(long) + 5:
            assert stream.send(b"")
            heard += accepted.recv(1 << 20)
        assert heard == b"early" + long
        accepted.sendall(b"answer")
        assert until_received(stream) == b"answer"
        accepted.close()
        while stream.receive() == b"":
            pass
        assert stream.receive() is None
        stream.close()
        assert not stream.send(b"x")


def test_nobody_there_is_told():
    with socket.socket() as sock:
        sock.bind((LOCALHOST, 0))
        stream = TcpStream(sock.getsockname())
        deadline = time.monotonic() + 10
        while stream.receive() is not None:
            assert time.monotonic() < deadline
        stream.close()
    assert TcpStream(("host.invalid", 1)).receive() is None


@pytest.fixture
def certified(tmp_path, monkeypatch):
    """The files of a certificate for 127.0.0.1, which this process trusts."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl to make a certificate with")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1",
         "-subj", "/CN=pairflow", "-addext", f"subjectAltName=IP:{LOCALHOST}", "-keyout", key, "-out", certificate],
        check=True, capture_output=True,
    )  # fmt: skip
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    return certificate, key


def served(listening, files):
    """An encrypted echo of one message, in a thread."""

    def serve():
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*files)
        accepted, _ = listening.accept()
        try:
            with context.wrap_socket(accepted, server_side=True) as secure:
                secure.sendall(secure.recv(100).upper())
                secure.recv(100)
        except OSError:
            accepted.close()

    thread = threading.Thread(target=serve)
    thread.start()
    return thread


def test_an_encrypted_connection_is_with_whom_the_certificate_says(certified):
    with socket.create_server((LOCALHOST, 0)) as listening:
        thread = served(listening, certified)
        stream = TcpStream(listening.getsockname(), tls=True)
        until_up(stream)
        assert stream.send(b"hello")
        assert until_received(stream) == b"HELLO"
        stream.close()
        thread.join()


def test_a_certificate_that_nobody_vouches_for_breaks_the_connection(certified, monkeypatch):
    monkeypatch.delenv("SSL_CERT_FILE")
    with socket.create_server((LOCALHOST, 0)) as listening:
        thread = served(listening, certified)
        stream = TcpStream(listening.getsockname(), tls=True)
        deadline = time.monotonic() + 10
        while stream.receive() is not None:
            assert time.monotonic() < deadline
        stream.close()
        thread.join()
