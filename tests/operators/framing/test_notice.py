from hypothesis import given
from hypothesis import strategies as st

from operators.framing.mold_output import Lost, Recovered, Repeated
from operators.framing.notice import Began, decode_notice, encode_notice
from operators.framing.refused import Refused

numbers = st.integers(0, 2**63 - 1)
reasons = st.text(st.characters(codec="ascii", exclude_characters="\0"))


@given(
    st.builds(Lost, numbers, numbers)
    | st.builds(Recovered, numbers, numbers)
    | st.builds(Repeated, numbers)
    | st.builds(Refused, reasons, st.binary())
    | st.builds(Began, st.binary(max_size=10), st.integers(0, 2**64 - 1))
)
def test_a_notice_is_what_it_was_encoded_from(notice):
    assert decode_notice(encode_notice(notice)) == notice


@given(st.sampled_from([b"", b"\0gap", b"\0rec", b"\0dup", b"\0bad"]), st.binary(max_size=30))
def test_no_bytes_but_those_of_a_notice_are_one(head, body):
    notice = decode_notice(head + body)
    if head in (b"\0gap", b"\0rec"):
        assert (notice is None) == (len(body) != 16)
    elif head == b"\0dup":
        assert (notice is None) == (len(body) != 8)
    else:
        assert (notice is None) == (head == b"" or b"\0" not in body)


def test_numbers_that_fit_no_column_are_the_largest_that_does():
    assert decode_notice(encode_notice(Lost(5, 2**64 - 1))) == Lost(5, 2**63 - 1)
