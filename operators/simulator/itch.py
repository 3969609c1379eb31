"""Writing NASDAQ TotalView-ITCH 5.0, framed as in its BinaryFILE: a 2-byte big-endian length before each message.

Offsets are those of the specification; every message starts with type (1 byte), stock locate (2), tracking
number (2, always 0 here) and ns since midnight (6). Kernels write one message at `at` and return the offset after it.
"""

import struct

import numpy as np

from operators.kernel import kernel
from schemas.record import Frame

LONGEST = 2 + 44
"""Bytes of the longest order message with its frame (P)."""

MPIDS = (b"ALFA", b"BRVO", b"CHRL", b"DLTA")
"""Market participants that attribute their orders (message F)."""

_PRICE_PER_TICK = 100  # prices have four implied decimals, a tick is 0.01
_HEADER = struct.Struct(">HcHH")
_MPIDS = tuple(int.from_bytes(m, "big") for m in MPIDS)
_LENGTHS = np.zeros(128, np.int64)
for _kind, _length in {"A": 36, "F": 40, "E": 31, "C": 36, "X": 23, "D": 19, "U": 35, "P": 44}.items():
    _LENGTHS[ord(_kind)] = _length
_BUY, _SELL = ord("B"), ord("S")


def system_event(ts: int, code: bytes) -> bytes:
    """S: O, S, Q start messages, system hours, market hours; M, E, C end them in turn."""
    return _framed(b"S", 0, ts, code)


def stock_directory(locate: int, ts: int, symbol: str) -> bytes:
    """R: an ordinary common stock of the NASDAQ Global Select Market, round lots of 100."""
    #      market category, financial status, round lot, round lots only, classification, sub-type, authenticity,
    #      short sale threshold, IPO, LULD tier, ETP, ETP leverage, inverse
    listing = struct.pack(">ccIcc2scccccIc", b"Q", b"N", 100, b"N", b"C", b"Z ", b"P", b"N", b"N", b"1", b"N", 0, b"N")
    return _framed(b"R", locate, ts, symbol.ljust(8).encode() + listing)


def trading_action(locate: int, ts: int, symbol: str) -> bytes:
    """H: the stock trades."""
    return _framed(b"H", locate, ts, symbol.ljust(8).encode() + b"T" + b" " + b"    ")


def _framed(kind: bytes, locate: int, ts: int, body: bytes) -> bytes:
    header = _HEADER.pack(11 + len(body), kind, locate, 0)
    return header + ts.to_bytes(6, "big") + body


@kernel
def _put(out: Frame, at: int, width: int, value: int) -> int:
    for i in range(width):
        out[at + i] = (value >> (8 * (width - 1 - i))) & 0xFF
    return at + width


@kernel
def _start(out: Frame, at: int, kind: int, locate: int, ts: int) -> int:
    at = _put(out, at, 2, _LENGTHS[kind])
    at = _put(out, at, 1, kind)
    at = _put(out, at, 2, locate)
    at = _put(out, at, 2, 0)
    return _put(out, at, 6, ts)


@kernel
def put_add(
    out: Frame, at: int, locate: int, ts: int, ref: int, side: int, qty: int, stock: int, price: int, mpid: int
) -> int:
    """A, or F where `mpid` is the number of a participant and not -1."""
    at = _start(out, at, ord("A") if mpid < 0 else ord("F"), locate, ts)
    at = _put(out, at, 8, ref)
    at = _put(out, at, 1, _BUY if side == 0 else _SELL)
    at = _put(out, at, 4, qty)
    at = _put(out, at, 8, stock)
    at = _put(out, at, 4, price * _PRICE_PER_TICK)
    return at if mpid < 0 else _put(out, at, 4, _MPIDS[mpid])


@kernel
def put_executed(out: Frame, at: int, locate: int, ts: int, ref: int, qty: int, match: int) -> int:
    """E."""
    at = _start(out, at, ord("E"), locate, ts)
    at = _put(out, at, 8, ref)
    at = _put(out, at, 4, qty)
    return _put(out, at, 8, match)


@kernel
def put_executed_with_price(
    out: Frame, at: int, locate: int, ts: int, ref: int, qty: int, match: int, price: int
) -> int:
    """C, printable."""
    at = _start(out, at, ord("C"), locate, ts)
    at = _put(out, at, 8, ref)
    at = _put(out, at, 4, qty)
    at = _put(out, at, 8, match)
    at = _put(out, at, 1, ord("Y"))
    return _put(out, at, 4, price * _PRICE_PER_TICK)


@kernel
def put_cancel(out: Frame, at: int, locate: int, ts: int, ref: int, qty: int) -> int:
    """X: `qty` shares leave the order."""
    at = _start(out, at, ord("X"), locate, ts)
    at = _put(out, at, 8, ref)
    return _put(out, at, 4, qty)


@kernel
def put_delete(out: Frame, at: int, locate: int, ts: int, ref: int) -> int:
    """D."""
    at = _start(out, at, ord("D"), locate, ts)
    return _put(out, at, 8, ref)


@kernel
def put_replace(out: Frame, at: int, locate: int, ts: int, ref: int, ref_new: int, qty: int, price: int) -> int:
    """U."""
    at = _start(out, at, ord("U"), locate, ts)
    at = _put(out, at, 8, ref)
    at = _put(out, at, 8, ref_new)
    at = _put(out, at, 4, qty)
    return _put(out, at, 4, price * _PRICE_PER_TICK)


@kernel
def put_trade(out: Frame, at: int, locate: int, ts: int, qty: int, stock: int, price: int, match: int) -> int:
    """P: against a hidden order, whose reference is always 0 and side always B."""
    at = _start(out, at, ord("P"), locate, ts)
    at = _put(out, at, 8, 0)
    at = _put(out, at, 1, _BUY)
    at = _put(out, at, 4, qty)
    at = _put(out, at, 8, stock)
    at = _put(out, at, 4, price * _PRICE_PER_TICK)
    return _put(out, at, 8, match)
