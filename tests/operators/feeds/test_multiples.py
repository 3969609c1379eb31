from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operators.feeds.multiples import MalformedError, Multiples, shown

TICK = 10**7  # 0.01


def multiples(step_nanos=TICK, is_total=False):
    return Multiples("price", "tick", step_nanos, is_total)


@pytest.mark.parametrize(
    ("text", "steps"),
    [("61837.63000000", 6183763), ("0.01", 1), ("0", 0), ("0.00000000", 0), ("7", 700), ("007.10", 710), ("1e", None),
     ("10000000000", 10**12), ("0.0100000000000000000000", 1)],
)  # fmt: skip
def test_decimals_are_exact_steps(text, steps):
    if steps is None:
        with pytest.raises(MalformedError):
            multiples()[text]
    else:
        assert multiples()[text] == steps


@pytest.mark.parametrize(
    "value",
    ["", ".", "1.", ".5", "-1", "+1", "1e5", "1_000", " 1", "1 ", "1\n", "1.2.3", "NaN", "inf", "0x10", "١", "²",
     "1" * 41, 1, 1.5, None, True, ("1",)],
)  # fmt: skip
def test_anything_but_a_plain_decimal_string_is_rejected(value):
    with pytest.raises(MalformedError, match="price: expected a plain decimal string, not negative, came "):
        multiples()[value]


def test_a_price_between_ticks_is_rejected_with_the_tick():
    with pytest.raises(MalformedError, match=r"price: expected a multiple of the tick 0\.01, came '1\.005'"):
        multiples()["1.005"]
    with pytest.raises(MalformedError, match=r"multiple of the tick 0\.01"):
        multiples()["0.0100000000000000000001"]
    with pytest.raises(MalformedError, match=r"multiple of the tick 1000, came '999'"):
        multiples(1000 * 10**9)["999"]


def test_totals_are_rounded_down_but_never_to_nothing():
    totals = multiples(10**4, is_total=True)  # 0.00001
    assert totals["25.42618900"] == 2542618
    assert totals["0.00000900"] == 1
    assert totals["0.00000000"] == 0


def test_absurd_numbers_are_rejected():
    with pytest.raises(MalformedError, match="at most 1e12 ticks"):
        multiples()["10000000000.01"]


def test_what_is_remembered_is_bounded_and_right():
    prices = multiples()
    for _ in range(2):
        for cents in range(20_000):
            assert prices[f"{cents // 100}.{cents % 100:02d}"] == cents
    assert len(prices) <= 8192


def test_rejected_strings_are_not_remembered():
    prices = multiples()
    for _ in range(2):
        with pytest.raises(MalformedError):
            prices["1.005"]
    assert not prices


@given(
    st.from_regex(r"[0-9]{1,12}(\.[0-9]{1,12})?", fullmatch=True),
    st.sampled_from([1, 10, 10**4, TICK, 25 * 10**6, 10**9]),
)
def test_every_decimal_agrees_with_fractions(text, step_nanos):
    steps = Fraction(text) / Fraction(step_nanos, 10**9)
    if steps > 10**12:
        with pytest.raises(MalformedError):
            multiples(step_nanos)[text]
        return
    assert multiples(step_nanos, is_total=True)[text] == (max(int(steps), 1) if steps else 0)
    if steps.denominator == 1:
        assert multiples(step_nanos)[text] == steps
    else:
        with pytest.raises(MalformedError):
            multiples(step_nanos)[text]


@given(st.from_regex(r"[0-9]{1,9}(\.[0-9]{1,14})?", fullmatch=True), st.sampled_from([1, 10**4, TICK, 25 * 10**6]))
def test_what_is_computed_goes_to_the_nearest_step_and_halves_go_up(text, step_nanos):
    steps = Fraction(text) / Fraction(step_nanos, 10**9)
    if steps + Fraction(1, 2) >= 10**12 + 1:
        with pytest.raises(MalformedError):
            multiples(step_nanos).nearest(text)
        return
    assert multiples(step_nanos).nearest(text) == int(steps + Fraction(1, 2))


def test_reasons_quote_values_in_brief():
    assert shown("x") == "'x'"
    assert len(shown("x" * 1000)) == 60
