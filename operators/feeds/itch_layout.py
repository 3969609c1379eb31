"""The messages of ITCH 5.0 as the kernel sees them: their lengths, what they become, and where the fields we read lie.

Offsets count from the type byte; they follow from `itch_types`.
"""

from dataclasses import astuple, dataclass, fields

import numpy as np

from operators.feeds.itch_types import BY_TYPE, MESSAGE_TYPES
from schemas.market import EventKind
from schemas.record import Frame

LOCATE, TIMESTAMP = 1, 5

DAY_NS = 24 * 3600 * 10**9
"""Timestamps are below this."""

PRICE_UNITS = 10**4
"""Prices have four implied decimals."""

PRICE_MAX = 200_000 * PRICE_UNITS
"""The largest price the specification allows."""

SHARES_MAX = (1 << 32) - 1
"""The most shares we take from a field of eight bytes; those of four hold no more."""

LOCATES = 1 << 16
"""Stock locates that can be told apart."""

DIRECTORY = EventKind.SYNC
"""`R` makes a stock known; for a stock we follow that is where its book starts whole."""

REMARK = -1
"""Kind of the types that become a feed event and no market event."""

_E = EventKind
_KINDS: dict[str, tuple[int, str]] = {
    "R": (DIRECTORY, "stock"),
    "H": (_E.STATUS, "stock state"),
    "h": (_E.STATUS, "stock market action"),
    "A": (_E.ADD, "order side shares stock price"),
    "F": (_E.ADD, "order side shares stock price"),
    "E": (_E.EXECUTE, "order shares"),
    "C": (_E.EXECUTE, "order shares price"),
    "X": (_E.CANCEL, "order shares"),
    "D": (_E.DELETE, "order"),
    "U": (_E.REPLACE, "order order_new shares price"),
    "P": (_E.TRADE, "order side shares stock price"),
    "Q": (_E.TRADE, "shares stock price"),
    "B": (REMARK, ""),
    "W": (REMARK, ""),
}
"""Type -> what it becomes, and the fields that matter for that. The other types are checked and skipped."""

_CHECKED = "SHYLWKhQINO"
"""Types whose codes are checked. In a directory message they only describe the stock, and new ones appear; the side of
an order is checked where it is read, and whether a print counts in statistics changes no book."""


@dataclass(frozen=True)
class Layout:
    """One message type. An offset of 0 says that the type has no such field (offset 0 is the type itself)."""

    code: int
    length: int
    kind: int = 0  # the EventKind it becomes, REMARK, or 0 for types we check and skip
    order: int = 0
    order_new: int = 0
    side: int = 0
    shares: int = 0
    stock: int = 0
    price: int = 0
    state: int = 0
    market: int = 0
    action: int = 0
    wide: int = 0  # 1 where shares has eight bytes
    coded: int = 0  # the first row of `code_table` that speaks of the type
    codes: int = 0  # how many do


@dataclass(frozen=True)
class Coded:
    """A coded field: its offset, and the codes it may have, bit c of (low, high) standing for character c < 128."""

    type: int
    offset: int
    low: int
    high: int


def _coded_fields() -> list[Coded]:
    rows = []
    for code in _CHECKED:
        for field in BY_TYPE[code].fields:
            if field.codes:
                bits = sum(1 << ord(known) for known in field.codes)
                rows.append(Coded(ord(code), BY_TYPE[code].offsets[field.name], bits & 2**64 - 1, bits >> 64))
    return rows


CODED = _coded_fields()


def _layout(code: str) -> Layout:
    kind, names = _KINDS.get(code, (0, "stock"))
    offsets = {name: at for name, at in BY_TYPE[code].offsets.items() if name in names.split()}
    own = [i for i, coded in enumerate(CODED) if coded.type == ord(code)]
    is_wide = any(field == ("shares", "Q", "") for field in BY_TYPE[code].fields)
    return Layout(
        ord(code), BY_TYPE[code].length, kind, **offsets, wide=int(is_wide), coded=own[0] if own else 0, codes=len(own)
    )


MESSAGES = tuple(_layout(kind.code) for kind in MESSAGE_TYPES)
"""Every type of the specification, in its order."""

BY_CODE = {layout.code: layout for layout in MESSAGES}

LAYOUT = np.dtype([(field.name, "i4") for field in fields(Layout)])
"""A `Layout` as kernels see it."""

CODE = np.dtype([("type", "i8"), ("offset", "i8"), ("low", "u8"), ("high", "u8")])
"""A `Coded` as kernels see it."""


_PLAIN = "AFECXDUP"
"""Types that are nothing but fields: all of them become an event without a look at what is known of the stock."""

_FIELDS = ("order", "order_new", "side", "shares", "stock", "price")

PLAIN = np.dtype(
    [("length", "i4"), ("kind", "i4")]
    + [(name, "i4") for name in _FIELDS]
    + [(f"{name}_mask", "i8") for name in _FIELDS],
    align=True,
)
"""A type as the kernel reads it without asking what it has: offsets, and masks that are 0 for fields it lacks."""


def plain_table() -> Frame:
    """256 rows of PLAIN, by type byte; length -1 for bytes that are no plain type."""
    rows = np.zeros(256, PLAIN)
    rows["length"] = -1
    for layout in (BY_CODE[ord(code)] for code in _PLAIN):
        offsets = [getattr(layout, name) for name in _FIELDS]
        rows[layout.code] = (layout.length, layout.kind, *offsets, *(-1 if offset else 0 for offset in offsets))
    return rows


def layout_table() -> Frame:
    """256 rows of LAYOUT, by type byte; length 0 marks bytes that are no message type."""
    rows = np.zeros(256, LAYOUT)
    for layout in MESSAGES:
        rows[layout.code] = astuple(layout)
    return rows


def code_table() -> Frame:
    """A row of CODE per coded field that is checked."""
    return np.array([astuple(coded) for coded in CODED], CODE)
