import pytest
from hypothesis import given
from hypothesis import strategies as st

from operators.framing.refused import Refused
from operators.framing.udp import ETHERNET, LINUX_COOKED, LINUX_COOKED_2, RAW_IP, udp_payload
from tests.operators.framing.frames import ethernet, ipv4, ipv6


@pytest.mark.parametrize(
    ("link", "frame"),
    [
        (ETHERNET, ethernet(b"payload")),
        (ETHERNET, ethernet(b"payload") + b"padding"),
        (ETHERNET, ethernet(b"payload", tags=(0x8100,))),
        (ETHERNET, ethernet(b"payload", tags=(0x88A8, 0x8100))),
        (ETHERNET, bytes(12) + b"\x86\xdd" + ipv6(b"payload")),
        (RAW_IP, ipv4(b"payload")),
        (RAW_IP, ipv6(b"payload")),
        (LINUX_COOKED, bytes(14) + b"\x08\x00" + ipv4(b"payload")),
        (LINUX_COOKED_2, b"\x08\x00" + bytes(18) + ipv4(b"payload")),
    ],
)
def test_the_payload_is_found_in_frames_of_many_kinds(link, frame):
    assert udp_payload(link, frame) == b"payload"
    assert udp_payload(link, frame, 26477) == b"payload"
    assert udp_payload(link, frame, 26478) is None


@pytest.mark.parametrize(
    "frame", [b"", bytes(12) + b"\x08\x06" + bytes(28), ethernet(b"tcp", protocol=6), bytes(12) + b"\x08\x00\x20"]
)
def test_other_traffic_is_none_of_ours(frame):
    assert udp_payload(ETHERNET, frame) is None


def test_what_was_captured_in_part_is_given_as_far_as_it_goes():
    assert udp_payload(ETHERNET, ethernet(b"payload")[:-3]) == b"payl"
    assert udp_payload(RAW_IP, ipv4(b"x")[:25]) == Refused(
        "packet: expected a UDP header in 28 bytes, came 25", ipv4(b"x")[:25]
    )


def test_fragments_are_refused():
    for fragment in (0x2000, 1):
        refused = udp_payload(RAW_IP, ipv4(b"x", fragment=fragment))
        assert isinstance(refused, Refused)


@given(st.sampled_from([ETHERNET, RAW_IP, LINUX_COOKED, LINUX_COOKED_2]), st.binary(max_size=70), st.integers(0, 60))
def test_bytes_of_any_kind_never_raise(link, garbage, kept):
    udp_payload(link, garbage)
    udp_payload(ETHERNET, ethernet(b"payload", tags=(0x8100,))[:kept] + garbage)
