"""FIX market data messages in few words. The venue numbers them itself: `venue.message(…)` is the next one."""

from typing import Any

from operators.framing.fix_message import encode

Fields = dict[int, Any]
TIME = "20240809-00:00:01.500"
TIME_NS = 1_723_161_601_500_000_000


def bid(price: str, size: str, **more: Any) -> Fields:
    return {269: 0, 270: price, 271: size} | numbered(more)


def offer(price: str, size: str, **more: Any) -> Fields:
    return {269: 1, 270: price, 271: size} | numbered(more)


def new(entry: Fields, symbol: str | None = "X") -> Fields:
    return {279: 0, **({} if symbol is None else {55: symbol}), **entry}


def change(entry: Fields, symbol: str | None = "X") -> Fields:
    return new(entry, symbol) | {279: 1}


def delete(entry: Fields, symbol: str | None = "X") -> Fields:
    return new(entry, symbol) | {279: 2}


def numbered(more: dict[str, Any]) -> Fields:
    """`_83=5` is field 83."""
    return {int(tag[1:]): value for tag, value in more.items()}


class Venue:
    """Writes what a venue sends, with MsgSeqNum from 1 on."""

    def __init__(self, begin_string: str = "FIXT.1.1", number: int = 0) -> None:
        self.begin_string, self.number = begin_string, number

    def message(self, kind: str, body: Fields | None = None, entries: list[Fields] | None = None, **more: Any) -> bytes:
        """The next message; fields set to `...` are left out."""
        self.number += 1
        fields = {35: kind, 49: "V", 56: "D", 34: self.number, 52: TIME} | numbered(more) | (body or {})
        told = [(tag, value) for tag, value in fields.items() if value is not ...]
        if entries is not None:
            told.append((268, len(entries)))
            told += [(tag, value) for entry in entries for tag, value in entry.items() if value is not ...]
        return encode(self.begin_string, [(str(tag), value) for tag, value in told])

    def whole(self, *entries: Fields, symbol: str = "X", **more: Any) -> bytes:
        return self.message("W", {55: symbol}, list(entries), **more)

    def changes(self, *entries: Fields, **more: Any) -> bytes:
        return self.message("X", None, list(entries), **more)
