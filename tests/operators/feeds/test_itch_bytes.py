import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from operators.feeds.itch_bytes import be8, be16, be32, be64, printable
from operators.kernel import kernel
from schemas.record import Frame


@kernel
def _read(data: Frame, offset: int) -> tuple[int, int, int, int, bool]:
    at = data.ctypes.data + offset
    return be8(at), be16(at), be32(at), be64(at), printable(be64(at))


@given(st.binary(min_size=8, max_size=24), st.integers(0, 16))
def test_big_endian_integers_at_any_alignment(text: bytes, offset: int) -> None:
    offset = min(offset, len(text) - 8)
    word = text[offset : offset + 8]
    unsigned = [int.from_bytes(word[:size], "big") for size in (1, 2, 4)]
    signed = int.from_bytes(word, "big", signed=True)
    assert _read(np.frombuffer(text, np.uint8), offset)[:4] == (*unsigned, signed)


def test_printable_is_printable_ascii_in_each_of_the_eight_bytes() -> None:
    data = np.frombuffer(b"AAPL ~ Z", np.uint8).copy()
    for position in range(8):
        for byte in range(256):
            text = data.copy()
            text[position] = byte
            assert _read(text, 0)[4] == (0x20 <= byte <= 0x7E), (position, byte)


@given(st.binary(min_size=8, max_size=8))
def test_printable_of_any_text(text: bytes) -> None:
    assert _read(np.frombuffer(text, np.uint8), 0)[4] == all(0x20 <= byte <= 0x7E for byte in text)
