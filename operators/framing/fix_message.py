"""FIX messages, tag=value: checked and taken apart, and put together.

The authority is the FIX Trading Community's "FIX Session Layer" and, for its versions 4.4 and FIXT.1.1, the
encoding they share: fields end with SOH; 8, 9 and 35 come first; 9 counts the bytes from behind itself to 10; 10
is the sum of all bytes before it, modulo 256.
"""

import re
from collections.abc import Iterable
from zlib import adler32

from operators.framing import fix_tags as tags
from operators.framing.refused import Refused

SOH = b"\x01"
TRAILER_BYTES = 7
"""`10=ddd` and what ends it."""

Field = tuple[str, str]
"""Tag and value, as written; values are Latin-1 text, so that no byte is lost."""

_HEAD = re.compile(rb"8=([^\x01]{1,20})\x019=(\d{1,7})\x01(?=35=)")
_TRAILER = re.compile(rb"10=(\d{3})\x01")
_FIELD = re.compile(r"(\d+)=([^\x01]+)\x01", re.ASCII)
_FIELDS = re.compile(r"(?:\d+=[^\x01]+\x01)+", re.ASCII)
_WHOLE = re.compile(r"\d+=.+", re.ASCII | re.DOTALL)
_SUMMED_AT_ONCE = 256
_DATA_TAGS = {
    "90": "91", "93": "89", "95": "96", "212": "213", "348": "349", "350": "351", "352": "353", "354": "355",
    "356": "357", "358": "359", "360": "361", "362": "363", "364": "365", "445": "446", "618": "619", "621": "622",
    "1277": "1278", "1280": "1281", "1282": "1283", "1397": "1398", "1401": "1402", "1403": "1404", "1468": "1469",
    "1525": "1527", "1578": "1579", "1620": "1621", "1664": "1665", "1678": "1697", "1733": "1734",
}  # fmt: skip
"""Fields that say how long the next one is, which may hold any byte."""


def check_sum(data: bytes) -> int:
    """The sum of all bytes, modulo 256."""
    if len(data) <= _SUMMED_AT_ONCE:
        return adler32(data, 0) & 0xFF  # its lower half is their sum modulo 65521, which so few do not reach
    return sum(data) & 0xFF


def decode(data: bytes) -> list[Field] | Refused:
    """The fields of one whole message, without 9 and 10; the first is 8, the second 35."""
    head = _HEAD.match(data)
    if head is None:
        return Refused("message: expected 8=, 9= and 35= first, came " + shown(data[:30]), data)
    trailer = _TRAILER.fullmatch(data, len(data) - TRAILER_BYTES)
    if trailer is None:
        return Refused("CheckSum: expected 10= and three digits last, came " + shown(data[-10:]), data)
    length = len(data) - TRAILER_BYTES - head.end()
    if int(head[2]) != length:
        return Refused(f"BodyLength: expected {length}, which is what there is, came {shown(head[2])}", data)
    found = check_sum(data[:-TRAILER_BYTES])
    if int(trailer[1]) != found:
        return Refused(f"CheckSum: expected {found:03d}, which is what the bytes give, came {shown(trailer[1])}", data)
    body = data[head.end() : -TRAILER_BYTES].decode("latin-1")
    fields: list[Field] = _FIELD.findall(body)
    has_data = not _DATA_TAGS.keys().isdisjoint([tag for tag, _ in fields])
    if has_data:
        fields = list(_with_data(body))
        is_whole = all(tag.isdecimal() and value for tag, value in fields)
    else:
        is_whole = _FIELDS.fullmatch(body) is not None
    if not is_whole:
        texts = [f"{tag}={value}" for tag, value in fields] if has_data else body.split("\x01")
        wrong = next(text for text in texts if not _WHOLE.fullmatch(text))
        return Refused("field: expected number=value, came " + shown(wrong.encode("latin-1")), data)
    return [(tags.BEGIN_STRING, head[1].decode("latin-1")), *fields]


def encode(begin_string: str, fields: Iterable[tuple[str, str | int]]) -> bytes:
    """A whole message of the fields from 35 on. Raises ValueError for a value that would end its field early."""
    pairs = [(tag, str(value)) for tag, value in fields]
    if wrong := [tag for tag, value in pairs if not value or "\x01" in value]:
        raise ValueError(f"the value of field {wrong[0]} is empty, or has an SOH in it")
    body = "".join(f"{tag}={value}\x01" for tag, value in pairs).encode("latin-1")
    data = b"8=%b\x019=%d\x01%b" % (begin_string.encode("latin-1"), len(body), body)
    return b"%b10=%03d\x01" % (data, check_sum(data))


def shown(data: bytes) -> str:
    """Bytes as reasons quote them."""
    return repr(data[:60])[1:].replace("\\x01", "|")


def _with_data(body: str) -> Iterable[Field]:
    """The fields where some hold data, whose length the field before says."""
    at, length, data_tag = 0, 0, ""
    while at < len(body):
        tag, equals, _ = body[at:].partition("=")
        start = at + len(tag) + len(equals)
        end = body.find("\x01", start)
        if tag == data_tag and body[start + length : start + length + 1] == "\x01":
            end = start + length
        value = body[start:end]
        yield tag if equals else "", value
        data_tag = _DATA_TAGS.get(tag, "")
        length = int(value) if data_tag and value.isdecimal() and len(value) < len("1000000") else 0
        at = end + 1
