"""Saying what was wrong with a rejected ITCH message: the field, what was expected, what came."""

from enum import IntEnum

from operators.feeds.itch_layout import (
    BY_CODE,
    DAY_NS,
    LOCATE,
    PRICE_MAX,
    PRICE_UNITS,
    SHARES_MAX,
    TIMESTAMP,
)
from operators.feeds.itch_message import decode
from operators.feeds.itch_types import BY_TYPE, HEADER_LENGTH
from schemas.instrument import Instrument


class Reason(IntEnum):
    """Why a message was rejected: the first thing wrong with it. The last three reject nothing: see `itch_remark`."""

    EMPTY = 1
    TYPE = 2
    LENGTH = 3
    CLOCK = 4  # a timestamp of 24 hours or more
    UNDEFINED = 5  # no stock directory message has defined its locate
    REDEFINED = 6  # a stock directory message contradicts an earlier one
    STOCK = 7
    SIDE = 8
    SHARES = 9
    LOT = 10
    PRICE = 11
    TICK = 12
    CODE = 13
    REMARK = 14  # it becomes a feed event
    NOTICE = 15  # it is what a source says of messages that did not come
    RECONNECT = 16  # it is no message: the feed's connection was opened anew


def is_truncated(reason: int, message: bytes) -> bool:
    """Whether the message ends before its type says it should."""
    return reason == Reason.EMPTY or (reason == Reason.LENGTH and len(message) < BY_CODE[message[0]].length)


def explain(reason: int, message: bytes, instrument: Instrument | None) -> str:
    """`type, field: expected …, came …`. `instrument` is the one concerned, where one is."""
    if reason == Reason.EMPTY:
        return "message: expected at least a type, came 0 bytes"
    layout = BY_CODE.get(message[0])
    if layout is None:
        return f"type: expected one of {_TYPES}, came {message[:1]!r}"
    code = chr(layout.code)
    if reason == Reason.LENGTH:
        return f"{code}, length: expected {layout.length} bytes, came {len(message)}"
    return f"{code}, {_body(Reason(reason), message, instrument)}"


_TYPES = " ".join(chr(code) for code in BY_CODE)


def _body(reason: Reason, message: bytes, instrument: Instrument | None) -> str:
    layout = BY_CODE[message[0]]
    locate = _number(message, LOCATE, 2)
    match reason:
        case Reason.CLOCK:
            return f"timestamp: expected less than {DAY_NS} ns, came {_number(message, TIMESTAMP, 6)}"
        case Reason.UNDEFINED:
            return f"stock locate: expected one that a stock directory message defined, came {locate}"
        case Reason.REDEFINED:
            stock = _text(message, HEADER_LENGTH)
            return f"stock locate: expected one stock per locate and one locate per stock, came {locate} for {stock}"
        case Reason.STOCK:
            return f"stock: expected printable ASCII, came {_text(message, layout.stock)}"
        case Reason.SIDE:
            return f"side: expected B or S, came {message[layout.side : layout.side + 1]!r}"
        case Reason.SHARES:
            shares = _number(message, layout.shares, 8 if layout.wide else 4)
            return f"shares: expected more than 0 and at most {SHARES_MAX}, came {shares}"
        case Reason.LOT:
            lot = instrument and instrument.lot
            return f"shares: expected a multiple of the lot {lot}, came {_number(message, layout.shares, 4)}"
        case Reason.PRICE:
            price = _price(message, layout.price)
            return f"price: expected more than 0 and at most {PRICE_MAX // PRICE_UNITS}, came {price}"
        case Reason.TICK:
            tick = instrument and instrument.tick
            return f"price: expected a multiple of the tick {tick}, came {_price(message, layout.price)}"
        case Reason.CODE:
            found = decode(message)
            name = found.unknown_codes[0]
            known = next(field.codes for field in BY_TYPE[found.code].fields if field.name == name)
            return f"{name.replace('_', ' ')}: expected one of {' '.join(known)}, came {found.fields[name]!r}"
    raise ValueError(f"{reason!r} is not a reason about a message's body")


def _number(message: bytes, offset: int, size: int) -> int:
    return int.from_bytes(message[offset : offset + size], "big")


def _price(message: bytes, offset: int) -> str:
    whole, fraction = divmod(_number(message, offset, 4), PRICE_UNITS)
    return f"{whole}.{fraction:04d}"


def _text(message: bytes, offset: int) -> str:
    return repr(message[offset : offset + 8])
