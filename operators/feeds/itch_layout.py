"""The messages of NASDAQ TotalView-ITCH 5.0: their lengths, and where the fields we read lie.

Source: "Nasdaq TotalView-ITCH 5.0", section 4 (23 message types, `O` being the latest). Offsets count from the
type byte. All integers are unsigned and big-endian; every message starts with the same eleven bytes:
type (1), stock locate (2), tracking number (2), nanoseconds since midnight (6).
"""

from dataclasses import astuple, dataclass, fields

import numpy as np

from schemas.market import EventKind

LOCATE, TIMESTAMP, HEADER_LENGTH = 1, 5, 11

DAY_NS = 24 * 3600 * 10**9
"""Timestamps are below this."""

PRICE_UNITS = 10**4
"""Prices have four implied decimals."""

PRICE_MAX = 200_000 * PRICE_UNITS
"""The largest price the specification allows."""

LOCATES = 1 << 16
"""Stock locates that can be told apart."""

DIRECTORY = EventKind.SYNC
"""`R` makes a stock known; for a stock we follow that is where its book starts whole."""


@dataclass(frozen=True)
class Layout:
    """One message type. An offset of 0 says that the type has no such field (offset 0 is the type itself)."""

    code: int
    length: int
    kind: int = 0  # the EventKind it becomes, 0 for types we check and skip
    order: int = 0
    order_new: int = 0
    side: int = 0
    shares: int = 0
    stock: int = 0
    price: int = 0
    state: int = 0


_E = EventKind
MESSAGES = (
    Layout(ord("S"), 12),  # system event
    Layout(ord("R"), 39, DIRECTORY, stock=11),
    Layout(ord("H"), 25, _E.STATUS, stock=11, state=19),  # stock trading action
    Layout(ord("Y"), 20),  # Reg SHO restriction
    Layout(ord("L"), 26),  # market participant position
    Layout(ord("V"), 35),  # market-wide circuit breaker: decline levels
    Layout(ord("W"), 12),  # market-wide circuit breaker: status
    Layout(ord("K"), 28),  # IPO quoting period update
    Layout(ord("J"), 35),  # LULD auction collar
    Layout(ord("h"), 21),  # operational halt
    Layout(ord("A"), 36, _E.ADD, order=11, side=19, shares=20, stock=24, price=32),
    Layout(ord("F"), 40, _E.ADD, order=11, side=19, shares=20, stock=24, price=32),  # with attribution
    Layout(ord("E"), 31, _E.EXECUTE, order=11, shares=19),
    Layout(ord("C"), 36, _E.EXECUTE, order=11, shares=19, price=32),  # at another price than the order's
    Layout(ord("X"), 23, _E.CANCEL, order=11, shares=19),
    Layout(ord("D"), 19, _E.DELETE, order=11),
    Layout(ord("U"), 35, _E.REPLACE, order=11, order_new=19, shares=27, price=31),
    Layout(ord("P"), 44, _E.TRADE, order=11, side=19, shares=20, stock=24, price=32),  # non-displayed order
    Layout(ord("Q"), 40),  # cross trade
    Layout(ord("B"), 19),  # broken trade
    Layout(ord("I"), 50),  # net order imbalance indicator
    Layout(ord("N"), 20),  # retail price improvement indicator
    Layout(ord("O"), 48),  # direct listing with capital raise
)
"""Every type of the specification, in its order."""

BY_CODE = {layout.code: layout for layout in MESSAGES}

LAYOUT = np.dtype([(field.name, "i4") for field in fields(Layout)])
"""A `Layout` as kernels see it."""


def layout_table() -> np.ndarray[tuple[int], np.dtype[np.void]]:
    """256 rows of LAYOUT, by type byte; length 0 marks bytes that are no message type."""
    rows = np.zeros(256, LAYOUT)
    for layout in MESSAGES:
        rows[layout.code] = astuple(layout)
    return rows
