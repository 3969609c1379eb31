"""FIX messages taken apart and put together, against simplefix and byte by byte."""

import random

import pytest
import simplefix
from hypothesis import given
from hypothesis import strategies as st

from operators.framing.fix_message import check_sum, decode, encode
from operators.framing.refused import Refused
from tests.operators.framing.fix_talk import from_venue

TAGS = st.integers(1, 9999).map(str).filter(lambda tag: tag not in PLACED)
PLACED = {"8", "9", "10", "35", *map(str, simplefix.data.RAW_LEN_TAGS), *map(str, simplefix.data.RAW_DATA_TAGS)}
VALUES = st.text(st.characters(min_codepoint=2, max_codepoint=255), min_size=1, max_size=400)
MESSAGE = from_venue(7, "X", ("55", "BTC"), ("270", "1.5"))


@given(st.lists(st.tuples(TAGS, VALUES), max_size=8))
def test_messages_are_those_of_simplefix(fields):
    fields = [("35", "X"), *fields]
    data = encode("FIX.4.4", fields)
    theirs = simplefix.FixMessage()
    theirs.append_pair(8, "FIX.4.4", header=True)
    for tag, value in fields:
        theirs.append_pair(int(tag), value.encode("latin-1"))
    assert data == theirs.encode()
    parser = simplefix.FixParser()
    parser.append_buffer(data)
    pairs = [(tag.decode(), value.decode("latin-1")) for tag, value in parser.get_message().pairs]
    assert decode(data) == [pair for pair in pairs if pair[0] not in ("9", "10")]


@given(st.binary(max_size=600))
def test_the_checksum_is_the_sum_of_the_bytes(data):
    assert check_sum(data) == sum(data) % 256


def test_data_may_hold_anything_where_its_length_says_so():
    fields = [("8", "FIX.4.4"), ("35", "B"), ("95", "7"), ("96", "a\x01b=c\x01d"), ("58", "x")]
    body = "".join(f"{tag}={value}\x01" for tag, value in fields[1:]).encode()
    data = b"8=FIX.4.4\x019=%d\x01%b" % (len(body), body)
    data += b"10=%03d\x01" % (sum(data) % 256)
    assert decode(data) == fields
    refused = decode(encode("FIX.4.4", [("35", "B"), ("95", "x"), ("96", "a"), ("b", "c")]))
    assert isinstance(refused, Refused)
    assert refused.reason == "field: expected number=value, came 'b=c'"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "message: expected 8=, 9= and 35= first, came ''"),
        (MESSAGE[1:], "message: expected 8=, 9= and 35= first"),
        (MESSAGE.replace(b"35=X", b"36=X"), "message: expected 8=, 9= and 35= first"),
        (MESSAGE[:-1], "CheckSum: expected 10= and three digits last"),
        (MESSAGE.replace(b"\x019=", b"\x019=1"), "BodyLength: expected 67, which is what there is, came '167'"),
        (MESSAGE.replace(b"1.5", b"1.6"), "CheckSum: expected"),
        (encode("FIX.4.4", [("35", "X"), ("a", "b")]), "field: expected number=value, came 'a=b'"),
    ],
)
def test_what_is_wrong_is_said(data, reason):
    found = decode(data)
    assert isinstance(found, Refused)
    assert found.reason.startswith(reason), found.reason
    assert found.data == data


@pytest.mark.parametrize("value", ["", "a\x01b"])
def test_a_value_that_would_end_its_field_early_is_refused(value):
    with pytest.raises(ValueError, match="SOH"):
        encode("FIX.4.4", [("35", "B"), ("58", value)])


def test_no_single_byte_can_be_changed_unnoticed():
    rng = random.Random(1)
    for at in range(len(MESSAGE)):
        changed = bytes([(MESSAGE[at] + rng.randrange(1, 256)) % 256])
        found = decode(MESSAGE[:at] + changed + MESSAGE[at + 1 :])
        assert isinstance(found, Refused) or found[0] != ("8", "FIXT.1.1")
