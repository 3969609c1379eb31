"""What went wrong at the target, in one line, and whether waiting can help."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from clickhouse_connect.driver.exceptions import ClickHouseError, Error

from operators.sinks.address import Address
from schemas.errors import TargetError

_PASSING_CODES = frozenset(
    {
        3,  # UNEXPECTED_END_OF_FILE: the server read a request that was cut off
        159,  # TIMEOUT_EXCEEDED
        202,  # TOO_MANY_SIMULTANEOUS_QUERIES
        203,  # NO_FREE_CONNECTION
        209,  # SOCKET_TIMEOUT
        210,  # NETWORK_ERROR
        225,  # NO_ZOOKEEPER
        236,  # ABORTED: the server is shutting down
        241,  # MEMORY_LIMIT_EXCEEDED
        242,  # TABLE_IS_READ_ONLY: a replica that lost its keeper
        243,  # NOT_ENOUGH_SPACE
        252,  # TOO_MANY_PARTS
        279,  # ALL_CONNECTION_TRIES_FAILED
        285,  # TOO_FEW_LIVE_REPLICAS
        319,  # UNKNOWN_STATUS_OF_INSERT
        394,  # QUERY_WAS_CANCELLED
        439,  # CANNOT_SCHEDULE_TASK
        999,  # KEEPER_EXCEPTION
    }
)
"""ClickHouse's error codes (ErrorCodes.cpp) that a healthy configuration can meet and that go away."""

_HINTS = {
    60: "starting the flow creates its tables",
    81: "create the database on the server first: CREATE DATABASE …",
    193: "user or password is wrong",
    194: "user or password is wrong",
    497: "grant the user SELECT, INSERT, CREATE, ALTER and CREATE VIEW on the database",
    516: "user or password is wrong",
}

_HTTP_STATUS = re.compile(r"HTTP status (\d+)")
_NOISE = re.compile(
    r"\s*\((version|for url) [^()]*(\([^()]*\))?[^()]*\)"  # (version 26.9 (official build))
    r"|[:.]? In scope .*?\.?(?= \(|$)"  # the statement again
    r"|\. Expected one of: .*?(?= \(|$)"  # every token there is
)


class TargetUnavailableError(TargetError):
    """The target does not answer, or not now; trying again later can help."""


@contextmanager
def reported(address: Address) -> Iterator[None]:
    """Turn the client's exceptions into TargetError, or TargetUnavailableError where waiting can help."""
    try:
        yield
    except ClickHouseError as e:
        kind = TargetUnavailableError if _passes(e) else TargetError
        hint = _HINTS.get(getattr(e, "code", None) or 0)
        line = f"ClickHouse at {address.label}: {one_line(e, address)}"
        raise kind(f"{line}; {hint}" if hint else line) from None


def _passes(error: ClickHouseError) -> bool:
    """Whether the error is about the moment, not about what was asked."""
    code = error.code if isinstance(error, Error) else None
    if code is not None:
        return code in _PASSING_CODES
    status = _HTTP_STATUS.search(str(error))
    if status is not None:
        return int(status[1]) >= 500 or int(status[1]) in (408, 429)
    return "executing HTTP request" in str(error)


def one_line(error: Exception, address: Address) -> str:
    """The server's own words without stack, version, address or password."""
    text = str(error)
    if "executing HTTP request" in text and error.__cause__ is not None:
        text = str(error.__cause__)
    text = _NOISE.sub("", text.rpartition("DB::Exception:")[2]).strip()
    text = " ".join(text.split())
    return text.replace(address.secret, "***") if address.secret else text
