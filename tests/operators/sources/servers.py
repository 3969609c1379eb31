"""Servers that run as processes of their own, to be killed: `python -m tests.operators.sources.servers mold|soup …`.

They serve the messages that their seed gives, so that one that is started again serves the same session. A server
prints its port, then serves until it is killed.
"""

import contextlib
import random
import select
import socket
import subprocess
import sys
import time

from operators.framing.mold_sender import MoldSender
from operators.framing.soup_server import SoupConnection, SoupServer
from tests.conftest import ROOT
from tests.operators.framing.lossy import messages_of

SESSION = "20191230A"
LOCALHOST = "127.0.0.1"
COUNT = 2000


def session_messages(seed: int) -> list[bytes]:
    return messages_of(random.Random(seed), COUNT)


def started(*arguments: object) -> tuple["subprocess.Popen[str]", int]:
    """A server process and the port it serves at."""
    command = [sys.executable, "-m", "tests.operators.sources.servers", *map(str, arguments)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert process.stdout is not None
    return process, int(process.stdout.readline())


def stopped(process: "subprocess.Popen[str]") -> None:
    """Killed without warning, and gone."""
    process.kill()
    process.communicate()


def serve_mold(seed: int, port: int, first: int, loss: float, *lines: int) -> None:
    """Send messages from `first` on to two lossy lines, say which is next, and answer requests on `port`."""
    rng, sender = random.Random(seed + first), MoldSender(SESSION.encode(), payload_max=200)
    messages = session_messages(seed)
    sender.send(messages[: first - 1])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((LOCALHOST, port))
        print(sock.getsockname()[1], flush=True)
        while True:
            batch = messages[sender.sequence - 1 :][: rng.randrange(1, 40)]
            for packet in sender.send(batch) or [sender.end()]:
                for line in lines:
                    if rng.random() >= loss:
                        sock.sendto(packet, (LOCALHOST, line))
            while select.select([sock], [], [], 0.003)[0]:
                data, client = sock.recvfrom(2048)
                reply = sender.reply(data)
                if isinstance(reply, bytes):
                    sock.sendto(reply, client)


def serve_soup(seed: int, port: int, pieces: int) -> None:
    """Serve the session over TCP, `pieces` messages at a time."""
    server = SoupServer(SESSION, {"pair": "secret"}, session_messages(seed), is_over=True)
    with socket.create_server((LOCALHOST, port), reuse_port=True) as listening:
        print(listening.getsockname()[1], flush=True)
        while True:
            accepted, _ = listening.accept()
            with accepted, contextlib.suppress(OSError):  # a client that was killed
                serve_one(accepted, server.connection(time.monotonic_ns()), pieces)


def serve_one(accepted: socket.socket, connection: SoupConnection, pieces: int) -> None:
    while connection.is_open:
        if select.select([accepted], [], [], 0.001)[0]:
            data = accepted.recv(4096)
            if not data:
                return
            connection.receive(data, time.monotonic_ns())
        accepted.sendall(connection.pull(time.monotonic_ns(), pieces))


if __name__ == "__main__":
    kind, *rest = sys.argv[1:]
    if kind == "mold":
        seed, port, first, loss, *lines = rest
        serve_mold(int(seed), int(port), int(first), float(loss), *map(int, lines))
    else:
        serve_soup(*map(int, rest))
