"""The shapes of a venue's messages, written as the messages are, and compiled for the scanner.

A shape is the text of a message with holes: `{"u":<int order>,"b":[<each>["<price>","<total>"]<level bid><next>]}`.
It matches a message only byte for byte, and a hole only what is plain: digits, a point, no escape, no exponent,
no sign. What a shape does not match is not wrong; it is read by the venue's own rules instead.

- `<symbol>`: a symbol of the feed, the same throughout, but for `<symbol each>`. `<symbol last>` matches nothing: the
  symbol is the last text of the message, `"…"]`.
- `<int N>`, `<signed N>`: a JSON number without fraction, at most 18 digits; kept under the name N, if it has one.
- `<millis N>`, `<seconds N>`, `<moment N>`: a time in ms, in s with a fraction, in ISO 8601 and UTC; kept in ns.
- `<text>`: what a string holds, in ASCII, nothing escaped. `<a|b N>`: the first word that fits, kept as 0, 1, ….
- `<price>`, `<total>`, `<exact>`: whole ticks; lots, rounded down as `Multiples` does; whole lots.
  `<price bare>`, `<total bare>`: the same as a JSON number. `<bid>`, `<bid_qty>`, `<ask>`, `<ask_qty>`: the same of the
  best prices.
- `<each>` … `<next>`, behind a `[`: what stands between, none or more times with commas, and `]`.
- `<level bid>`, `<level ask>`, `<level>`: a row LEVEL of that side, or of the one kept as `side`. `<trade>`: a row
  TRADE of the side kept. `<quote>`: two rows QUOTE. These match nothing.
- `<best>`: members of an object with strings for values. Those that Bybit calls its best prices are kept; which there
  are, is added to `kind`, from bit 1 on.
"""

import re
from collections.abc import Sequence
from enum import IntEnum
from typing import NamedTuple

import numpy as np

from schemas.record import Frame

OP = np.dtype([("code", "i8"), ("a", "i8"), ("b", "i8")])
"""A step of a shape: what to match, and its operands."""

PIECE = np.dtype([("start", "i8"), ("size", "i8")])
"""Where a literal stands in the pool."""

SHAPE = np.dtype([("first", "i8"), ("is_complete", "i8")])
"""A shape's first step; whether its rows need no state, so that they can be written as they are."""


class Code(IntEnum):
    """What a step matches."""

    LITERAL = 0  # the pool's `b` bytes from `a`
    SYMBOL = 1
    SYMBOL_EACH = 2
    INT = 3  # into `a`
    SIGNED = 4
    MILLIS = 5
    SECONDS = 6
    MOMENT = 7
    TEXT = 8
    WORD = 9  # `b // PIECES_MAX` pieces from `b % PIECES_MAX`, into `a`
    PRICE = 10  # into `a`; as a JSON number, if `b`
    TOTAL = 11
    EXACT = 12
    EACH = 13  # to step `a` behind the loop where there is none
    NEXT = 14  # to step `a` where there is one more
    LEVEL = 15  # of side `a`, or -1: of the side kept
    TRADE = 16
    QUOTE = 17
    BEST = 18  # the four pieces from `a`
    END = 19
    SYMBOL_LAST = 20


class Slot(IntEnum):
    """Where what a message states is kept."""

    NOWHERE = 0
    TIME = 1
    ORDER = 2
    PREVIOUS = 3
    CHECKSUM = 4
    KIND = 5
    SIDE = 6
    BID = 7
    BID_QTY = 8
    ASK = 9
    ASK_QTY = 10
    STAMP = 11
    SEQUENCE = 12


SLOTS = len(Slot)
_NUMBERS = {
    "int": Code.INT, "signed": Code.SIGNED, "millis": Code.MILLIS, "seconds": Code.SECONDS, "moment": Code.MOMENT,
}  # fmt: skip
_AMOUNTS = {
    "price": (Code.PRICE, Slot.BID),
    "total": (Code.TOTAL, Slot.BID_QTY),
    "exact": (Code.EXACT, Slot.BID_QTY),
    "bid": (Code.PRICE, Slot.BID),
    "bid_qty": (Code.TOTAL, Slot.BID_QTY),
    "ask": (Code.PRICE, Slot.ASK),
    "ask_qty": (Code.TOTAL, Slot.ASK_QTY),
}
_SYMBOLS = {"": Code.SYMBOL, "each": Code.SYMBOL_EACH, "last": Code.SYMBOL_LAST}
_SIDES = {"bid": 0, "ask": 1, "": -1}
_PLAIN = {"text": Code.TEXT, "trade": Code.TRADE, "quote": Code.QUOTE}
_BEST = ("bid1Price", "bid1Size", "ask1Price", "ask1Size")
PIECES_MAX = 256
"""Words that a venue's shapes may choose among; a choice is packed as count * PIECES_MAX + first."""
_HOLE = re.compile(r"<([^<>]+)>")


class Shape(NamedTuple):
    """A message with holes, and whether its rows need no state."""

    text: str
    is_complete: bool = False


class Compiler:
    """Shapes as tables: steps, pieces, their pool."""

    def __init__(self, shapes: Sequence[Shape]) -> None:
        self._pool = bytearray()
        self._pieces: list[tuple[int, int]] = []
        self._ops: list[tuple[int, int, int]] = []
        self._shapes = []
        for text, is_complete in shapes:
            self._shapes.append((len(self._ops), int(is_complete)))
            self._shape(text)

    def tables(self) -> dict[str, Frame]:
        """Tables by name, as the kernel numbers them."""
        return {
            "shapes": np.array(self._shapes, SHAPE),
            "ops": np.array(self._ops, OP),
            "pieces": np.array([*self._pieces, (0, 0)], PIECE),
            "pool": np.frombuffer(bytes(self._pool), np.uint8),
        }

    def _shape(self, text: str) -> None:
        open_: list[int] = []
        for i, part in enumerate(_HOLE.split(text)):
            if not i % 2:
                if part:
                    self._ops.append((Code.LITERAL, *self._put(part)))
            elif part == "each":
                open_.append(len(self._ops))
                self._ops.append((Code.EACH, 0, 0))
            elif part == "next":
                begin = open_.pop()
                self._ops.append((Code.NEXT, begin + 1, 0))
                self._ops[begin] = (Code.EACH, len(self._ops), 0)
            else:
                self._ops.append(self._hole(part))
        self._ops.append((Code.END, 0, 0))

    def _hole(self, hole: str) -> tuple[int, int, int]:
        name, _, what = hole.partition(" ")
        if name == "symbol":
            return _SYMBOLS[what], 0, 0
        if name in _NUMBERS:
            return _NUMBERS[name], _slot(what), 0
        if name in _AMOUNTS:
            return *_AMOUNTS[name], int(what == "bare")
        if name == "level":
            return Code.LEVEL, _SIDES[what], 0
        if name == "best":
            return Code.BEST, self._words(_BEST) % PIECES_MAX, 0
        if name in _PLAIN:
            return _PLAIN[name], 0, 0
        return Code.WORD, _slot(what), self._words(name.split("|"))

    def _words(self, words: Sequence[str]) -> int:
        first = len(self._pieces)
        assert first < PIECES_MAX, "a venue's shapes have more words than an operand can number"
        self._pieces += map(self._put, words)
        return PIECES_MAX * len(words) + first

    def _put(self, text: str) -> tuple[int, int]:
        start = len(self._pool)
        self._pool += text.encode()
        return start, len(text)


def _slot(name: str) -> Slot:
    return Slot[name.upper()] if name else Slot.NOWHERE
