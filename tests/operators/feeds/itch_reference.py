"""An ITCH 5.0 decoder written from the specification with `struct`, to hold the compiled one against.

It shares no table and no code with `operators.feeds`: formats are whole messages, arithmetic is `Fraction`.
"""

import struct
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

from operators.operator import Desk
from schemas.market import EventKind as Kind

FORMATS = {
    "S": ">cHH6sc",
    "R": ">cHH6s8sccIcc2scccccIc",
    "H": ">cHH6s8scc4s",
    "Y": ">cHH6s8sc",
    "L": ">cHH6s4s8sccc",
    "V": ">cHH6sQQQ",
    "W": ">cHH6sc",
    "K": ">cHH6s8sIcI",
    "J": ">cHH6s8sIIII",
    "h": ">cHH6s8scc",
    "A": ">cHH6sQcI8sI",
    "F": ">cHH6sQcI8sI4s",
    "E": ">cHH6sQIQ",
    "C": ">cHH6sQIQcI",
    "X": ">cHH6sQI",
    "D": ">cHH6sQ",
    "U": ">cHH6sQQII",
    "P": ">cHH6sQcI8sIQ",
    "Q": ">cHH6sQ8sIQc",
    "B": ">cHH6sQ",
    "I": ">cHH6sQQc8sIIIcc",
    "N": ">cHH6s8sc",
    "O": ">cHH6s8scIIIQII",
}
LENGTHS = {code: struct.calcsize(layout) for code, layout in FORMATS.items()}
DECODED = "RHhAFECXDUPQ"
REMARKED = "BW"

CODES = {
    "S": {4: b"OSQMEC"},
    "H": {5: b"HPQT"},
    "Y": {5: b"012"},
    "L": {6: b"YN", 7: b"NPSRL", 8: b"AEWSD"},
    "W": {4: b"123"},
    "K": {6: b"AC"},
    "h": {5: b"QBX", 6: b"HT"},
    "Q": {8: b"OCHIA"},
    "I": {6: b"BSNOP", 11: b"OCHIA", 12: b"L123456789ABC "},
    "N": {5: b"BSAN"},
    "O": {5: b"YN"},
}
"""Type -> position of the field in FORMATS -> codes it may have."""

STOCK_AT = {"Y": 4, "L": 5, "K": 4, "J": 4, "I": 7, "N": 4, "O": 4}
"""Position of the stock in the types that become nothing."""


class Decoded(NamedTuple):
    """Events as tuples in the order of the EVENTS schema; rejects as (cause, field); truncated and ignored causes;
    remarks as (cause, instrument, kind, number).
    """

    events: list[tuple[int, ...]]
    rejects: list[tuple[int, str]]
    truncated: list[tuple[int, int]]
    ignored: list[int]
    remarks: list[tuple[int, int, int, int]]


class FieldError(Exception):
    """The field of the message that is wrong."""


class Reference:
    """Decodes whole logs of (cause, ts, message)."""

    def __init__(self, desk: Desk, feed: int, midnight: int) -> None:
        names = desk.feeds[feed].instruments or [inst.id for inst in desk.instruments]
        self.desk, self.midnight = desk, midnight
        self.index = {desk.instruments[desk.index[name]].symbol.ljust(8).encode(): desk.index[name] for name in names}
        self.locates: dict[int, int | None] = {}
        self.halts: set[tuple[int, str]] = set()

    def decode(self, log: Sequence[tuple[int, int, bytes]]) -> Decoded:
        out = Decoded([], [], [], [], [])
        for cause, ts, message in log:
            blamed = self._instrument(message)
            try:
                event = self._event(message)
            except FieldError as bad:
                field, *contradicted = bad.args
                blamed = contradicted[0] if contradicted else blamed
                out.rejects.append((cause, field))
                if not message or len(message) < LENGTHS.get(chr(message[0]), 0):
                    out.truncated.append((cause, -1 if blamed is None else blamed))
                code = chr(message[0]) if message else ""
                if blamed is not None and (code in "RHhAFECXDU" or code not in FORMATS):
                    clock = 0 if field in ("type", "length", "timestamp") else self._clock(message)
                    out.events.append((cause, ts, clock, 0, 0, 0, 0, blamed, Kind.SYNC, 0, 1))
                continue
            if event is None:
                out.ignored.append(cause)
            elif len(event) == 3:
                out.remarks.append((cause, *event))
            else:
                out.events.append((cause, ts, self._clock(message), *event, 1))
        return out

    def _clock(self, message: bytes) -> int:
        return self.midnight + int.from_bytes(message[5:11], "big")

    def _instrument(self, message: bytes) -> int | None:
        return self.locates.get(int.from_bytes(message[1:3], "big")) if len(message) >= 3 else None

    def _event(self, message: bytes) -> tuple[int, ...] | None:
        """(order, order_new, price, qty, instrument, kind, side), a remark, or None for nothing to tell."""
        if not message:
            raise FieldError("message")
        code = chr(message[0])
        if code not in FORMATS:
            raise FieldError("type")
        if len(message) != LENGTHS[code]:
            raise FieldError("length")
        _, locate, _, clock, *fields = struct.unpack(FORMATS[code], message)
        if int.from_bytes(clock, "big") >= 86_400_000_000_000:
            raise FieldError("timestamp")
        if code not in DECODED:
            return self._skipped(code, locate, fields)
        if code == "R":
            return self._define(locate, fields[0])
        if locate not in self.locates:
            raise FieldError("stock locate")
        i = self.locates[locate]
        return None if i is None else self._body(code, fields, i)

    def _skipped(self, code: str, locate: int, fields: Sequence[Any]) -> tuple[int, ...] | None:
        self._coded(code, fields)
        if code in STOCK_AT:
            self._ascii(fields[STOCK_AT[code] - 4])
        if code not in REMARKED:
            return None
        i = self.locates.get(locate, -2 if locate else -1)
        if i == -2:
            raise FieldError("stock locate")
        if i is None:
            return None
        return (i, 14, _signed(fields[0])) if code == "B" else (i, 15, int(fields[0]))

    def _coded(self, code: str, fields: Sequence[Any]) -> None:
        for position, known in CODES.get(code, {}).items():
            if fields[position - 4] not in known:
                raise FieldError("code")

    def _define(self, locate: int, stock: bytes) -> tuple[int, ...] | None:
        self._ascii(stock)
        i = self.index.get(stock)
        if locate in self.locates:
            known = self.locates[locate]
            if known != i:
                raise FieldError("stock locate", i if known is None else known)
            return None
        if i is not None and i in self.locates.values():
            raise FieldError("stock locate", i)
        self.locates[locate] = i
        return None if i is None else (0, 0, 0, 1, i, Kind.SYNC, 0)

    def _body(self, code: str, fields: Sequence[Any], i: int) -> tuple[int, ...]:
        if code in "AFP":
            order, side, shares, stock, price = fields[:5]
            bid_or_ask, qty = self._side(side), self._lots(shares, i)
            self._ascii(stock)
            kind = Kind.TRADE if code == "P" else Kind.ADD
            return _signed(order), 0, self._ticks(price, i), qty, i, kind, bid_or_ask
        self._coded(code, fields)
        if code == "Q":
            if fields[0] == 0:
                return None
            if fields[0] > 2**32 - 1:
                raise FieldError("shares")
            qty = self._lots(fields[0], i)
            self._ascii(fields[1])
            return 0, 0, self._ticks(fields[2], i), qty, i, Kind.TRADE, 0
        if code in "Hh":
            self._ascii(fields[0])
            if code == "h" and fields[1] != b"Q":
                return None
            trades = fields[-1] == b"T" if code == "h" else fields[1] == b"T"
            (self.halts.discard if trades else self.halts.add)((i, code))
            return 0, 0, 0, int(not self.halts & {(i, "H"), (i, "h")}), i, Kind.STATUS, 0
        if code == "U":
            qty = self._lots(fields[2], i)
            return _signed(fields[0]), _signed(fields[1]), self._ticks(fields[3], i), qty, i, Kind.REPLACE, 0
        kind = {"E": Kind.EXECUTE, "C": Kind.EXECUTE, "X": Kind.CANCEL, "D": Kind.DELETE}[code]
        qty = 0 if code == "D" else self._lots(fields[1], i)
        return _signed(fields[0]), 0, self._ticks(fields[4], i) if code == "C" else 0, qty, i, kind, 0

    def _side(self, side: bytes) -> int:
        if side not in (b"B", b"S"):
            raise FieldError("side")
        return int(side == b"S")

    def _lots(self, shares: int, i: int) -> int:
        lots = Fraction(shares) / Fraction(self.desk.instruments[i].lot)
        if shares == 0 or lots.denominator != 1:
            raise FieldError("shares")
        return int(lots)

    def _ticks(self, price: int, i: int) -> int:
        ticks = Fraction(price, 10_000) / Fraction(self.desk.instruments[i].tick)
        if not 0 < price <= 2_000_000_000 or ticks.denominator != 1:
            raise FieldError("price")
        return int(ticks)

    def _ascii(self, stock: bytes) -> None:
        if not all(32 <= byte < 127 for byte in stock):
            raise FieldError("stock")


def _signed(order: int) -> int:
    return order - (1 << 64) if order >= 1 << 63 else order


def split(stream: bytes, by_type: bool = False) -> Iterator[bytes]:
    """Messages behind 2-byte lengths, the last one as far as it goes; `by_type` where the prefix says nothing."""
    at = 0
    while at < len(stream):
        size = LENGTHS[chr(stream[at + 2])] if by_type else int.from_bytes(stream[at : at + 2], "big")
        yield stream[at + 2 : at + 2 + size]
        at += 2 + size
