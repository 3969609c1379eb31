"""encode(decode(data)) == data, of every type, on real and on random messages."""

import struct
from collections import Counter

import pytest
from hypothesis import given, settings

from operators.feeds import itch_encode as itch
from operators.feeds.itch_message import Message, decode, encode
from operators.feeds.itch_types import MESSAGE_TYPES
from tests.operators.feeds.itch_messages import random_messages
from tests.operators.feeds.itch_reference import CODES, FORMATS, split


@settings(max_examples=500)
@given(random_messages())
def test_a_random_message_encodes_to_what_it_was_decoded_from(data):
    message = decode(data)
    assert encode(message) == data
    assert [message.locate, message.tracking, *message.fields.values()] == [
        value for i, value in enumerate(struct.unpack(FORMATS[message.code], data)) if i not in (0, 3)
    ]
    assert message.ts == int.from_bytes(data[5:11], "big")


def test_the_start_of_a_real_day_encodes_to_itself(data_path):
    *whole, tail = split((data_path / "itch/nasdaq_real_first_1MiB.itch50").read_bytes())
    decoded = [decode(data) for data in whole]
    assert [encode(message) for message in decoded] == whole
    assert len(whole) == 35_581
    assert Counter(message.code for message in decoded) == {"S": 1, "R": 8713, "H": 8707, "Y": 8707, "L": 9453}
    assert [name for message in decoded for name in message.unknown_codes] == []
    with pytest.raises(ValueError, match="came 0 bytes"):
        decode(tail)


def test_codes_are_those_of_the_specification():
    checked = {kind.code: {f.name: f.codes.encode() for f in kind.fields if f.codes} for kind in MESSAGE_TYPES}
    assert {code: list(codes.values()) for code, codes in checked.items() if code in CODES} == {
        code: list(codes.values()) for code, codes in CODES.items()
    }
    assert decode(itch.order_executed_with_price(1, 2, 3, 4, 5, 6, printable=b"?")).unknown_codes == ["printable"]


def test_fields_have_names():
    assert decode(itch.cross_trade(7, 9, 100, "AAPL", 1_502_500, 5, cross=b"C", tracking=2)) == Message(
        "Q", 7, 2, 9, {"shares": 100, "stock": b"AAPL    ", "price": 1_502_500, "match": 5, "cross": b"C"}
    )


@pytest.mark.parametrize("data", [b"", b"A", b"z" * 36, b"A" * 37])
def test_what_is_no_message_is_an_error(data):
    with pytest.raises(ValueError, match=r"ITCH 5\.0: expected"):
        decode(data)


def test_what_a_field_cannot_hold_is_an_error():
    with pytest.raises(struct.error):
        encode(Message("B", 1, 2, 2**48, {"match": 1}))
    with pytest.raises(KeyError):
        encode(Message("B", 1, 2, 3, {}))
