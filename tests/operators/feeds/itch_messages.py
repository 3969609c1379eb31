"""Random messages of any type, with codes that are mostly known."""

from hypothesis import strategies as st

from operators.feeds.itch_message import Message, encode
from operators.feeds.itch_types import BY_TYPE, Field

_DAY_NS = 86_400_000_000_000
_BITS = {"H": 16, "I": 32, "Q": 64}


def random_messages(codes: str = "".join(BY_TYPE)) -> st.SearchStrategy[bytes]:
    """Messages of the given types, every field any value that it can hold."""
    return st.sampled_from(codes).flatmap(_of_type).map(encode)


def _of_type(code: str) -> st.SearchStrategy[Message]:
    fields = st.fixed_dictionaries({field.name: _value(field) for field in BY_TYPE[code].fields})
    numbers = st.integers(0, 2**16 - 1)
    return st.builds(Message, st.just(code), numbers, numbers, st.integers(0, _DAY_NS - 1), fields)


def _value(field: Field) -> st.SearchStrategy[int | bytes]:
    if field.codes:
        known = st.sampled_from([code.encode() for code in field.codes])
        return known | known | known | st.binary(min_size=1, max_size=1)
    if field.form in _BITS:
        return st.integers(0, 2 ** _BITS[field.form] - 1)
    if field.name == "stock":
        return st.sampled_from([b"AAPL    ", b"MSFT    ", b"A\0      "])
    size = int(field.form[:-1] or 1)
    return st.binary(min_size=size, max_size=size)
