"""What a row of a file becomes in the input log: a record of fixed size, and behind it the row as it stands there.

Prices and quantities are in units of 1e-9, whatever the instrument's tick and lot: those are the decoder's to know.
"""

from enum import IntEnum, IntFlag
from typing import Any

import numpy as np

from schemas.market import EventKind

ROW = np.dtype(
    [
        ("kind", "<i4"),  # an EventKind, or a RowKind
        ("told", "<i4"),  # bits of Told
        ("ts_event", "<i8"),  # ns UTC
        ("symbol", "<i8"),  # first eight bytes of the symbol, where the table has one; see `words`
        ("symbol_rest", "<i8"),
        ("order", "<i8"),
        ("price", "<i8"),  # of a quote the bid
        ("qty", "<i8"),
        ("ask", "<i8"),
        ("ask_qty", "<i8"),
    ]
)
"""The record. Not aligned, since it stands anywhere in the log; little-endian."""

TEXT_MAX = 1 << 16
"""Bytes of a refused row that are passed on; a dead letter needs no more."""

WORDS_LENGTH = 16
"""Bytes of a text that `words` tells apart."""


class RowKind(IntEnum):
    """What a record is that is no EventKind. A row of best prices is QUOTE; here that changes the book."""

    REFUSED = 0  # the row could not be read: behind the record, `order` bytes of reason, then the row
    PASSED = -1  # the table's `only` leaves the row out


class Told(IntFlag):
    """What a record says."""

    BID = 1
    ASK = 2
    SYMBOL = 4
    BUY = 8  # the order's side, or the taker's
    SELL = 16
    AT_STAKE = 32  # a refused row that may have changed a book


def words(text: bytes) -> tuple[int, int]:
    """A text of at most sixteen bytes as two numbers; longer ones are no text's: (-1, -1)."""
    if len(text) > WORDS_LENGTH:
        return -1, -1
    padded = text.ljust(WORDS_LENGTH, b"\0")
    return int.from_bytes(padded[:8], "little", signed=True), int.from_bytes(padded[8:], "little", signed=True)


def encode_row(kind: int, told: int = 0, symbol: bytes = b"", text: bytes = b"", **fields: Any) -> bytes:
    """A record, and the row's text behind it."""
    row = np.zeros(1, ROW)
    row["kind"], row["told"] = kind, told | (Told.SYMBOL if symbol else 0)
    row["symbol"], row["symbol_rest"] = words(symbol)
    for name, value in fields.items():
        row[name] = value
    return row.tobytes() + text


def encode_refused(told: int, symbol: tuple[int, int], reason: str, text: bytes) -> bytes:
    """The record of a row that could not be read."""
    said = reason.encode("ascii", "backslashreplace")
    row = np.zeros(1, ROW)
    row["kind"], row["told"], row["order"] = RowKind.REFUSED, told, len(said)
    row["symbol"], row["symbol_rest"] = symbol
    return row.tobytes() + said + text[:TEXT_MAX]


TABLE_KINDS = {
    "quotes": EventKind.QUOTE,
    "trades": EventKind.TRADE,
    "levels": EventKind.LEVEL,
    "orders": EventKind.ADD,
}
"""What the rows of a table are, where no column says so."""
