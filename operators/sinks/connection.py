"""One client per address for the whole life of the process.

Letting bytewax drop a client of the embedded engine inside a worker hangs the flow, and one process can
open one directory at a time. So clients live here, and are never closed.
"""

import fcntl
import logging
import os
import threading
from pathlib import Path
from typing import IO

import clickhouse_connect
from clickhouse_connect.driver.client import Client

from operators.sinks.address import Address
from operators.sinks.faults import reported
from schemas.errors import ConfigError, TargetError

_CONNECT_SECONDS = 5
_ANSWER_SECONDS = 120
"""Seconds to wait for a connection and for an answer; a DSN may say otherwise (`?send_receive_timeout=30`)."""

_guard = threading.Lock()
_clients: dict[tuple[str, bool], Client] = {}
_held: dict[Path, IO[str]] = {}

# What the client has to say about a target that is away, we say ourselves, once and in words.
for _name in ("clickhouse_connect", "urllib3"):
    logging.getLogger(_name).setLevel(logging.CRITICAL)


def client(address: Address, *, readonly: bool = False) -> Client:
    """The process's client for `address`; safe to use from several threads.

    A `readonly` client can only read, and reads each row once whatever is still unmerged.

    Raises TargetError where the target refuses or the directory is another process's,
    TargetUnavailableError where it does not answer, and ConfigError for an unknown option of the address.
    """
    with _guard:
        key = (address.dsn, readonly)
        if key not in _clients:
            if address.directory is not None:
                _hold(address.directory)
            with reported(address):
                _clients[key] = _connect(address, readonly)
        return _clients[key]


def _connect(address: Address, readonly: bool) -> Client:
    settings = {"final": 1, "readonly": 1} if readonly else {}
    if address.directory is not None:
        return clickhouse_connect.get_client(dsn=address.dsn, settings=settings)
    try:
        return clickhouse_connect.get_client(
            dsn=address.dsn,
            secure=address.secure,
            settings=settings,
            connect_timeout=_CONNECT_SECONDS,
            send_receive_timeout=_ANSWER_SECONDS,
            query_retries=0,  # the sink retries, and looks first at what arrived
            autogenerate_session_id=False,  # a session admits one request at a time
        )
    except TypeError as e:  # an option becomes an argument of the client
        raise ConfigError(f"ClickHouse at {address.label}: the address has an option that is none ({e})") from None


def _hold(directory: Path) -> None:
    """Take the directory for this process until it ends, however it ends.

    The lock is the kernel's, so a killed process leaves none behind. Raises TargetError where another
    process has it, or this one already opened another directory.
    """
    if directory in _held:
        return
    if _held:
        other = next(iter(_held))
        raise TargetError(
            f"this process already opened chdb://{other}; the embedded ClickHouse opens one directory per process, "
            f"so chdb://{directory} needs a process of its own, or use a clickhouse:// server"
        )
    try:
        directory.mkdir(parents=True, exist_ok=True)
        file = (directory / "pairflow.lock").open("a+")
    except OSError as e:
        raise TargetError(f"chdb://{directory} cannot be opened: {e.strerror}; choose another directory") from None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        holder = file.read().strip() or "unknown"
        file.close()
        raise TargetError(
            f"chdb://{directory} is held by process {holder}; wait for it to end, "
            "or use a clickhouse:// server, which several processes can share"
        ) from None
    file.truncate(0)
    file.write(f"{os.getpid()}\n")
    file.flush()
    _held[directory] = file
