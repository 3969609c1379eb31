"""A process that journals a live feed until it is over or killed: `python -m … mold|soup journal server [line]`."""

import sys
import time
from pathlib import Path

from operators.framing.mold_output import Ended
from operators.framing.mold_receiver import MoldReceiver
from operators.framing.soup_client import SessionEnded, SoupClient
from operators.sources.journal import Journal
from operators.sources.mold_socket import MoldSocket
from operators.sources.soup_socket import SoupSocket
from tests.operators.sources.servers import LOCALHOST

PATIENT = 60 * 10**9


def record_mold(path: Path, server: int, line: int) -> None:
    journal = Journal(path)
    receiver = MoldReceiver(journal.session or None, journal.sequence, patience_ns=PATIENT, ask_every_ns=2_000_000)
    source = MoldSocket(receiver, [(LOCALHOST, line)], (LOCALHOST, server))
    print("listening", flush=True)
    is_over = False
    while not is_over:
        out = source.poll(0.2)
        journal.append(receiver.session or b"", out, time.time_ns())
        is_over = any(isinstance(item, Ended) for item in out)


def record_soup(path: Path, server: int) -> None:
    journal = Journal(path)
    client = SoupClient("pair", "secret", journal.session.decode(), journal.sequence)
    source = SoupSocket(client, (LOCALHOST, server), retry_s=0.05)
    print("listening", flush=True)
    is_over = False
    while not is_over:
        out = source.poll(0.2)
        journal.append(client.session.encode(), out, time.time_ns())
        is_over = any(isinstance(item, SessionEnded) for item in out)


if __name__ == "__main__":
    kind, path, *ports = sys.argv[1:]
    {"mold": record_mold, "soup": record_soup}[kind](Path(path), *map(int, ports))
