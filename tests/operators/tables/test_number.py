from decimal import Decimal, localcontext
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from operators.tables.number import EMPTY, FINE, NOT_A_NUMBER, TOO_FINE, TOO_LARGE, read_number
from operators.tables.ratios import ratios

SCALES = [Decimal(1), Decimal(10_000), Decimal(32), Decimal("0.01"), Decimal(10**9)]


def read(text, scale=Decimal(1), is_rounded=False):
    block = np.frombuffer(b"," + text.encode() + b",", np.uint8)
    return read_number(block, 1, len(block) - 1, ratios(scale), is_rounded)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1", 10**9), ("0", 0), ("-0", 0), ("007.10", 7_100_000_000), ("61837.63000000", 61_837_630_000_000),
        ("+1.5", 1_500_000_000), ("-0.25", -250_000_000), (".5", 500_000_000), ("5.", 5_000_000_000),
        ("1e-05", 10_000), ("2.5E3", 2_500_000_000_000), ("1e0", 10**9), ("0.000000001", 1),
        ("0.100000000000000000000000000000", 100_000_000), ("9223372036.854775799", 9223372036854775799),
    ],
)  # fmt: skip
def test_decimals_are_exact(text, expected):
    assert read(text) == (FINE, expected)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", EMPTY), (" ", NOT_A_NUMBER), ("-", NOT_A_NUMBER), (".", NOT_A_NUMBER), ("1.2.3", NOT_A_NUMBER),
        ("1,5", NOT_A_NUMBER), ("1 ", NOT_A_NUMBER), ("1e", NOT_A_NUMBER), ("1e+", NOT_A_NUMBER), ("e5", NOT_A_NUMBER),
        ("1e1234", NOT_A_NUMBER), ("nan", NOT_A_NUMBER), ("inf", NOT_A_NUMBER), ("0x10", NOT_A_NUMBER),
        ("1_000", NOT_A_NUMBER), ("9223372036.854775808", TOO_FINE), ("9223372037", TOO_LARGE),
        ("99999999999999999999", TOO_LARGE),
        ("1e30", TOO_LARGE), ("0.0000000001", TOO_FINE), ("1.00000000000000000001", TOO_FINE), ("1e-30", TOO_FINE),
    ],
)  # fmt: skip
def test_what_is_no_such_number_is_told_apart(text, why):
    assert read(text)[0] == why


def test_scales_divide_exactly():
    assert read("494100", Decimal(10_000)) == (FINE, 49_410_000_000)
    assert read("1", Decimal(32)) == (FINE, 31_250_000)
    assert read("1", Decimal(3))[0] == TOO_FINE


def test_times_are_rounded_down_to_the_nanosecond():
    assert read("1723161254123456789", Decimal(10**9), is_rounded=True) == (FINE, 1723161254123456789)
    assert read("34200.0174596179", is_rounded=True) == (FINE, 34_200_017_459_617)
    assert read("1.00000000000000000000001", is_rounded=True) == (FINE, 10**9)


plain = st.decimals(min_value=-(10**10), max_value=10**10, allow_nan=False, places=None).map(lambda d: f"{d:f}")
exponents = st.tuples(plain, st.integers(-25, 25)).map(lambda t: f"{t[0]}e{t[1]}")
padded = st.tuples(plain.filter(lambda t: "." in t), st.integers(1, 30)).map(lambda t: t[0] + t[1] * "0")


@given(st.one_of(plain, exponents, padded), st.sampled_from(SCALES))
@example("9223372036.8547758070", Decimal(1))
@example("0.00000000010e1", Decimal(1))
def test_what_is_read_is_what_the_text_means(text, scale):
    with localcontext(prec=200):
        meant = Fraction(Decimal(text)) * 10**9 / Fraction(scale)
    why, found = read(text, scale)
    assert why != FINE or found == meant


@given(st.integers(-9 * 10**17, 9 * 10**17), st.sampled_from([Decimal(1), Decimal(100), Decimal(10_000)]))
def test_every_price_of_nine_places_is_read(nanos, scale):
    assert read(f"{Decimal(nanos).scaleb(-9) * scale:f}", scale) == (FINE, nanos)
