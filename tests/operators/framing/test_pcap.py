import contextlib
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operators.framing.pcap import RECORD_MAX, Captured, captured
from operators.framing.refused import Refused
from operators.framing.udp import ETHERNET, LINUX_COOKED, RAW_IP
from tests.operators.framing import frames

TS = 1_692_712_024_000_059_094


def read(capture: bytes) -> list[Captured | Refused]:
    return list(captured(io.BytesIO(capture).read))


records = st.lists(st.tuples(st.integers(0, 2**32 * 10**9 - 1), st.binary(max_size=50)), max_size=6)


@given(records, st.sampled_from("<>"), st.booleans())
def test_a_classic_capture_gives_its_frames_to_the_nanosecond(packets, order, nanoseconds):
    found = read(frames.classic(packets, order, nanoseconds))
    unit = 1 if nanoseconds else 1000
    assert found == [Captured(ts // unit * unit, ETHERNET, frame) for ts, frame in packets]


@given(records, st.sampled_from("<>"))
def test_a_capture_of_the_next_generation_gives_the_same(packets, order):
    assert read(frames.nanosecond_sections(packets, order)) == [Captured(ts, ETHERNET, f) for ts, f in packets]


def test_interfaces_have_their_own_links_and_clocks():
    order = ">"
    offset = b"\0\x0e\0\x08" + (60).to_bytes(8, "big")
    capture = frames.section(order)
    capture += frames.interface(order)  # microseconds, since nothing is said
    capture += frames.interface(order, 113, frames.resolution(order, 0x80 | 10) + offset)  # 1/1024 s
    capture += frames.enhanced(order, 1, 1536, b"cooked")
    capture += frames.block(order, 5, b"statistics: of no concern")
    capture += frames.enhanced(order, 0, TS // 1000, b"odd")
    capture += frames.block(order, 3, (6).to_bytes(4, "big") + b"simple")
    capture += frames.section("<") + frames.interface("<", 101) + frames.enhanced("<", 0, 7, b"x")
    assert read(capture) == [
        Captured(61_500_000_000, LINUX_COOKED, b"cooked"),
        Captured(TS // 1000 * 1000, ETHERNET, b"odd"),
        Captured(0, ETHERNET, b"simple"),
        Captured(7000, RAW_IP, b"x"),
    ]


@pytest.mark.parametrize("write", [frames.classic, frames.nanosecond_sections])
def test_a_capture_cut_anywhere_gives_what_there_is_of_it(write):
    packets = [(TS, b"first"), (TS + 1, b"second")]
    whole = write(packets)
    ends = {len(write(packets[:n])): n for n in range(3)}
    for size in range(4, len(whole)):
        found = read(whole[:size])
        frames_found = [item for item in found if isinstance(item, Captured)]
        complete = max((n for end, n in ends.items() if end <= size), default=0)
        assert frames_found == [Captured(ts, ETHERNET, frame) for ts, frame in packets[:complete]]
        assert found[:complete] == frames_found
        assert len(found) <= complete + 1
    assert [type(item) for item in read(whole[:-1])] == [Captured, Refused]


@pytest.mark.parametrize(
    ("capture", "reason"),
    [
        (
            frames.classic([]) + bytes(8) + b"\xff\xff\xff\x7f" + bytes(4),
            f"expected at most {RECORD_MAX} bytes, came a",
        ),
        (frames.section() + b"\6\0\0\0\xff\xff\xff\xff", "block: expected a length of at most"),
        (frames.section() + frames.block("<", 6, bytes(8)), "packet: expected at least 20 bytes, came 8"),
        (frames.section() + frames.enhanced("<", 0, 1, b"x"), "packet: expected one of 0 interfaces, came 0"),
        (frames.section() + frames.block("<", 3, bytes(8)), "simple packet: expected a length, and an interface"),
    ],
)
def test_what_is_damaged_is_refused(capture, reason):
    (refused,) = read(capture)
    assert reason in refused.reason


@pytest.mark.parametrize(
    ("capture", "message"),
    [
        (b"", "starts with the magic number of pcap or pcapng, not with b''"),
        (b"\x1f\x8b\x08\x00" * 9, "not with"),
        (frames.classic([], link=105), "link type 105 is not understood"),
        (frames.section() + frames.interface(link=105), "link type 105 is not understood"),
    ],
)
def test_what_is_no_capture_is_an_error(capture, message):
    with pytest.raises(ValueError, match=message):
        read(capture)


@given(st.binary(max_size=200), st.booleans(), st.booleans())
def test_bytes_of_any_kind_are_read_or_refused(garbage, classic, headed):
    head = frames.classic([]) if classic else frames.section() + (frames.interface() if headed else b"")
    with contextlib.suppress(ValueError):  # a link that is not understood
        assert all(isinstance(item, Captured | Refused) for item in read(head + garbage))
