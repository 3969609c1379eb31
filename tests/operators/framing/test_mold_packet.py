import pytest
from hypothesis import given
from hypothesis import strategies as st

from operators.framing.mold_packet import (
    Packet,
    Request,
    decode_packet,
    decode_request,
    encode_packet,
    encode_request,
    padded,
)
from operators.framing.refused import Refused

HEADER = b"SESSION   " + (7).to_bytes(8, "big")

packets = st.builds(
    Packet,
    st.binary(min_size=10, max_size=10),
    st.integers(0, 2**63),
    st.lists(st.binary(max_size=40), max_size=6),
    st.just(value=False),
)


@given(packets)
def test_a_packet_is_what_it_was_encoded_from(packet):
    assert decode_packet(encode_packet(packet)) == packet


@given(st.binary(max_size=80))
def test_bytes_that_decode_encode_to_themselves(data):
    found = decode_packet(data)
    assert found.data == data if isinstance(found, Refused) else encode_packet(found) == data


def test_bytes_are_those_of_the_specification():
    assert encode_packet(Packet(b"SESSION", 7, [b"ab", b""])) == HEADER + b"\0\2\0\2ab\0\0"
    assert encode_packet(Packet(b"SESSION", 7, ())) == HEADER + b"\0\0"
    assert encode_packet(Packet(b"SESSION", 7, (), is_end=True)) == HEADER + b"\xff\xff"
    assert encode_request(Request(b"SESSION", 7, 3)) == HEADER + b"\0\3"
    assert decode_request(HEADER + b"\0\3") == Request(b"SESSION   ", 7, 3)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "packet: expected at least 20 bytes, came 0"),
        (HEADER + b"\0", "packet: expected at least 20 bytes, came 19"),
        (HEADER + b"\0\2\0\1a", "message count: expected 1 as in the packet's 23 bytes, came 2"),
        (HEADER + b"\0\2\0\1a\0", "message count: expected 1 as in the packet's 24 bytes, came 2"),
        (HEADER + b"\0\1\0\4abc", "message 0, length: expected at most 3, came 4"),
        (HEADER + b"\0\1\0\2abc", "packet: expected 24 bytes for 1 messages, came 25"),
        (HEADER + b"\0\0x", "packet: expected 20 bytes for 0 messages, came 21"),
        (HEADER + b"\xff\xffx", "end of session: expected 20 bytes, came 21"),
        (
            b"SESSION   " + b"\xff" * 8 + b"\0\2\0\0\0\0",
            f"sequence number: expected room for 2 messages, came {2**64 - 1}",
        ),
    ],
)
def test_what_is_no_packet_is_refused_with_its_bytes(data, reason):
    assert decode_packet(data) == Refused(reason, data)


def test_what_is_no_request_is_refused():
    assert decode_request(HEADER) == Refused("request: expected 20 bytes, came 18", HEADER)


def test_what_does_not_fit_is_an_error_of_the_caller():
    with pytest.raises(ValueError, match="at most 10 fit"):
        padded(b"ELEVEN BYTE")
    with pytest.raises(ValueError, match="at most 65534 do"):
        encode_packet(Packet(b"S", 1, [b""] * 65_535))


def test_real_packets_of_another_feed(data_path):
    """Three packets of NASDAQ options, one behind the other; the last lacks its last five bytes."""
    data, found = (data_path / "itch/moldudp64_nasdaq_options_sample.dat").read_bytes(), []
    while data:
        size = _size(data)
        found.append(decode_packet(data[:size]))
        data = data[size:]
    assert [(p.session, p.sequence, len(p.messages)) for p in found[:2]] == [(bytes(10), 1, 15), (bytes(10), 16, 13)]
    assert [message[:1] for message in found[0].messages] == [b"T", b"S", b"T"] + [b"R", b"L"] * 6
    assert [refused.reason for refused in found[2:]] == ["message 12, length: expected at most 20, came 25"]


def _size(data: bytes) -> int:
    size = 20
    for _ in range(int.from_bytes(data[18:20], "big")):
        size += 2 + int.from_bytes(data[size : size + 2], "big")
    return size
