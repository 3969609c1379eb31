"""Every message type of NASDAQ TotalView-ITCH 5.0, field by field: the declaration that all else is made from.

Source: "Nasdaq TotalView-ITCH 5.0", section 4 (23 message types, `O` being the latest). All integers are unsigned and
big-endian, text is ASCII padded with spaces on the right. Every message starts with the same eleven bytes: type (1),
stock locate (2), tracking number (2), nanoseconds since midnight (6).
"""

import struct
from functools import cached_property
from itertools import accumulate
from typing import NamedTuple

HEADER_LENGTH = 11


class Field(NamedTuple):
    """One field: its name, its form as `struct` has it, and of a coded field the codes that are known."""

    name: str
    form: str
    codes: str = ""


class MessageType:
    """One message type; `fields` are those behind the header."""

    def __init__(self, code: str, name: str, *fields: Field) -> None:
        self.code, self.name, self.fields = code, name, fields

    @cached_property
    def body(self) -> struct.Struct:
        """What is behind the header."""
        return struct.Struct(">" + "".join(field.form for field in self.fields))

    @property
    def length(self) -> int:
        """Bytes of a message."""
        return HEADER_LENGTH + self.body.size

    @cached_property
    def offsets(self) -> dict[str, int]:
        """Field name -> offset from the type byte."""
        sizes = (struct.calcsize(">" + field.form) for field in self.fields)
        return dict(zip((field.name for field in self.fields), accumulate(sizes, initial=HEADER_LENGTH), strict=False))


def _coded(name: str, codes: str) -> Field:
    return Field(name, "c", codes)


def _shares(name: str = "shares") -> Field:
    return Field(name, "I")


def _price(name: str = "price") -> Field:
    """Four implied decimals."""
    return Field(name, "I")


_STOCK, _ORDER, _MATCH = Field("stock", "8s"), Field("order", "Q"), Field("match", "Q")
_SIDE = _coded("side", "BS")
_CROSS = _coded("cross", "OCHIA")  # opening, closing, halted or IPO, intraday (until 2015), extended trading close

_ADDED = (_ORDER, _SIDE, _shares(), _STOCK, _price())

MESSAGE_TYPES = (
    MessageType("S", "system event", _coded("event", "OSQMEC")),
    MessageType(
        "R",
        "stock directory",
        _STOCK,
        _coded("market_category", "QGSNAPZV "),
        _coded("financial_status", "DEQSGHJKCN "),
        Field("round_lot", "I"),
        _coded("round_lots_only", "YN"),
        _coded("classification", "ABCFILNOPQRSTUVW"),
        Field("sub_type", "2s"),
        _coded("authenticity", "PT"),
        _coded("short_sale_threshold", "YN "),
        _coded("ipo", "YN "),
        _coded("luld_tier", "12 "),
        _coded("etp", "YN "),
        Field("etp_leverage", "I"),
        _coded("inverse", "YN"),
    ),
    MessageType("H", "trading action", _STOCK, _coded("state", "HPQT"), Field("reserved", "c"), Field("reason", "4s")),
    MessageType("Y", "Reg SHO restriction", _STOCK, _coded("action", "012")),
    MessageType(
        "L",
        "market participant position",
        Field("participant", "4s"),
        _STOCK,
        _coded("primary", "YN"),
        _coded("mode", "NPSRL"),
        _coded("state", "AEWSD"),
    ),
    # market-wide circuit breaker: index levels with eight implied decimals
    MessageType("V", "MWCB decline levels", Field("level_1", "Q"), Field("level_2", "Q"), Field("level_3", "Q")),
    MessageType("W", "MWCB status", _coded("level", "123")),
    # the release time is in seconds since midnight
    MessageType("K", "IPO quoting period update", _STOCK, Field("release_s", "I"), _coded("qualifier", "AC"), _price()),
    MessageType(
        "J",
        "LULD auction collar",
        _STOCK,
        _price("reference_price"),
        _price("upper_price"),
        _price("lower_price"),
        Field("extension", "I"),
    ),
    MessageType("h", "operational halt", _STOCK, _coded("market", "QBX"), _coded("action", "HT")),
    MessageType("A", "add order", *_ADDED),
    MessageType("F", "add order, attributed", *_ADDED, Field("participant", "4s")),
    MessageType("E", "order executed", _ORDER, _shares(), _MATCH),
    MessageType("C", "order executed with price", _ORDER, _shares(), _MATCH, _coded("printable", "YN"), _price()),
    MessageType("X", "order cancel", _ORDER, _shares()),
    MessageType("D", "order delete", _ORDER),
    MessageType("U", "order replace", _ORDER, Field("order_new", "Q"), _shares(), _price()),
    MessageType("P", "trade, non-displayed order", *_ADDED, _MATCH),
    MessageType("Q", "cross trade", Field("shares", "Q"), _STOCK, _price(), _MATCH, _CROSS),
    MessageType("B", "broken trade", _MATCH),
    MessageType(
        "I",
        "net order imbalance",
        Field("paired_shares", "Q"),
        Field("imbalance_shares", "Q"),
        _coded("direction", "BSNOP"),
        _STOCK,
        _price("far_price"),
        _price("near_price"),
        _price("reference_price"),
        _CROSS,
        _coded("variation", "L123456789ABC "),
    ),
    MessageType("N", "retail price improvement", _STOCK, _coded("interest", "BSAN")),
    MessageType(
        "O",
        "direct listing with capital raise",
        _STOCK,
        _coded("eligibility", "YN"),
        _price("minimum_price"),
        _price("maximum_price"),
        _price("near_price"),
        Field("near_ns", "Q"),
        _price("lower_price"),
        _price("upper_price"),
    ),
)
"""Every type of the specification, in its order."""

BY_TYPE = {kind.code: kind for kind in MESSAGE_TYPES}
