"""A FIX venue in a process of its own, to be killed: `python -m …fix_venue SEED PORT FIRST FAULTS`.

It serves the market of its seed from step FIRST on to whoever asks. With FAULTS it leaves messages out, damages
them, says them twice, skips numbers and drops connections. It prints its port, then serves until it is killed.
"""

import contextlib
import random
import select
import socket
import subprocess
import sys
import time

from operators.framing.fix_outgoing import utc
from operators.framing.fix_output import Ended, Heard
from operators.framing.fix_session import FixSession
from operators.framing.fix_terms import FixTerms
from tests.conftest import ROOT

LOCALHOST = "127.0.0.1"
TERMS = FixTerms("VENUE", "DESK", heartbeat_s=1, username="me", password="secret")
SYMBOLS = ("X", "Y")
START_NS = 1_700_000_000 * 10**9
S = 10**9
STEPS = 900
_PRICES = 30


class Market:
    """Two books that change by the seed, one level of one of them per step."""

    def __init__(self, seed: int) -> None:
        self._rng = random.Random(seed)
        self.step = 0
        self.books: dict[str, dict[tuple[int, int], int]] = {symbol: {} for symbol in SYMBOLS}

    def next(self) -> list[tuple[str, str | int]]:
        """The entry of an incremental refresh that tells what the next step changes."""
        rng, self.step = self._rng, self.step + 1
        symbol, side = rng.choice(SYMBOLS), rng.randrange(2)
        ticks = 1000 + rng.randrange(1, _PRICES) * (1 if side else -1)
        book, lots = self.books[symbol], rng.randrange(1, 1000) * rng.randrange(2)
        action = 2 if not lots else 1 if (side, ticks) in book else 0
        book.pop((side, ticks), None)
        if lots:
            book[side, ticks] = lots
        return [("279", action), ("55", symbol), *_entry(side, ticks, lots)]

    def whole(self, symbol: str) -> list[tuple[str, str | int]]:
        """The entries of a full refresh."""
        levels = self.books[symbol].items()
        return [field for (side, ticks), lots in levels for field in _entry(side, ticks, lots)]


def _entry(side: int, ticks: int, lots: int) -> list[tuple[str, str | int]]:
    return [("269", side), ("270", f"{ticks // 10}.{ticks % 10}"), ("271", f"{lots // 1000}.{lots % 1000:03d}")]


class Venue:
    """Serves one market over one session, which outlives its connections."""

    def __init__(self, seed: int, first: int, has_faults: bool) -> None:
        self._rng, self._market = random.Random(f"{seed} {first}"), Market(seed)
        self._session = FixSession(TERMS, is_initiator=False, resent={"W", "X"})
        self._has_faults, self._is_asked = has_faults, False
        while self._market.step < first:
            self._market.next()

    def serve(self, sock: socket.socket) -> None:
        """Serve one connection until it breaks."""
        self._is_asked, session = False, self._session
        session.connect(time.time_ns())
        while True:
            out = session.tick(time.time_ns())
            if select.select([sock], [], [], 0.001)[0]:
                data = sock.recv(4096)
                if not data:
                    return
                out += session.receive(data, time.time_ns())
            for item in out:
                if isinstance(item, Heard) and item.fields[1] == ("35", "V"):
                    self._answer(dict(item.fields))
            sock.sendall(session.pull())
            if any(isinstance(item, Ended) for item in out):
                return
            if self._is_asked and self._market.step < STEPS and not self._go_on(sock):
                return

    def _answer(self, request: dict[str, str]) -> None:
        self._is_asked = request["263"] == "1"
        if self._is_asked:
            for symbol in SYMBOLS:
                entries = self._market.whole(symbol)
                count = sum(tag == "269" for tag, _ in entries)
                self._send("W", [("55", symbol), ("60", self._time()), ("268", count), *entries])

    def _go_on(self, sock: socket.socket) -> bool:
        """One step, and what may go wrong with it; false where the connection is dropped."""
        fate = self._rng.random() if self._has_faults else 1.0
        if fate < 0.01:  # numbers are skipped, and the steps are never told
            for _ in range(3):
                self._market.next()
            number = self._session.outgoing.number
            self._send("4", [("36", number + 4)])
            self._session.outgoing.number = number + 4
        entry = self._market.next()
        self._send("X", [("60", self._time()), ("268", 1), *entry])
        message = self._session.pull()
        if fate < 0.04:
            message = b""
        elif fate < 0.07:
            at = self._rng.randrange(len(message))
            message = message[:at] + b"?" + message[at + 1 :]
        elif fate < 0.09:
            message += b"8=FIXnoise\x0110=1\x01"
        elif fate < 0.12:
            last = self._session.outgoing.number - 1
            self._session.outgoing.resend(max(last - 3, 1), last, time.time_ns())
            message += self._session.pull()
        elif fate < 0.125:
            message = message[: len(message) // 2]
        sock.sendall(message)
        return not 0.12 <= fate < 0.13

    def _time(self) -> str:
        return utc(START_NS + self._market.step * S)

    def _send(self, kind: str, body: list[tuple[str, str | int]]) -> None:
        self._session.send(kind, body, time.time_ns())


def started(seed: int, port: int, first: int, has_faults: bool) -> tuple["subprocess.Popen[str]", int]:
    """A venue's process and the port it serves at."""
    command = [sys.executable, "-m", "tests.operators.sources.fix_venue", str(seed), str(port), str(first)]
    process = subprocess.Popen([*command, str(int(has_faults))], stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert process.stdout is not None
    return process, int(process.stdout.readline())


if __name__ == "__main__":
    seed, port, first, has_faults = map(int, sys.argv[1:])
    venue = Venue(seed, first, bool(has_faults))
    with socket.create_server((LOCALHOST, port), reuse_port=True) as listening:
        print(listening.getsockname()[1], flush=True)
        while True:
            accepted, _ = listening.accept()
            with accepted, contextlib.suppress(OSError):  # a client that went away
                venue.serve(accepted)
