import math

import numpy as np
import pytest

from operators.pairs.universe import Universe
from schemas.errors import InvariantError
from tests.operators.pairs.tape import SECOND, START, TWO, quote, tape


def looks(universe: Universe, quotes: np.ndarray, missing: float = 0.1) -> list:
    """(cause, log mids from the window's first sample, whole instruments) whenever one is due."""
    found, i = [], 0
    while (i := universe.advance(quotes, i, "test")) < len(quotes):
        levels, is_whole = universe.window(missing)
        found.append((int(quotes["cause"][i]), levels - levels[0], is_whole.tolist()))
    return found


def universe(window: int = 3, step: int = 1, max_age: int | None = None) -> Universe:
    return Universe(TWO, SECOND, window, step, max_age)


def seconds(*prices: tuple[int, int], state: int = 0) -> np.ndarray:
    """Each second a quote of both instruments."""
    rows = []
    for k, (y, x) in enumerate(prices):
        ts = START + k * SECOND
        rows += [quote(2 * k + 1, ts, 0, y, y, state), quote(2 * k + 2, ts + 5, 1, x, x)]
    return tape(*rows)


def test_a_bar_is_sampled_as_it_stood_before_the_next_quote():
    found = looks(universe(), seconds((100, 50), (101, 51), (102, 52), (103, 53), (99, 99)))
    assert [cause for cause, *_ in found] == [7, 9]
    wanted = [[math.log(y / 100), math.log(x / 50)] for y, x in ((100, 50), (101, 51), (102, 52))]
    np.testing.assert_allclose(found[0][1], wanted, atol=1e-14)
    assert [whole for *_, whole in found] == [[True, True]] * 2


def test_steps_are_counted_from_the_first_full_window():
    quotes = seconds(*[(100 + k, 50) for k in range(12)])
    assert [cause for cause, *_ in looks(universe(step=4), quotes)] == [7, 15, 23]


def test_bars_without_quotes_give_no_samples():
    quotes = seconds(*[(100 + k, 50) for k in range(5)])
    quotes["ts"][4:] += 100 * SECOND
    assert [cause for cause, *_ in looks(universe(), quotes)] == [7, 9]


def test_one_that_was_not_seen_or_does_not_trade_is_not_whole():
    quotes = seconds(*[(100 + k, 50) for k in range(10)])
    late = quotes[(quotes["instrument"] == 0) | (quotes["cause"] > 6)]  # x comes in the fourth second
    assert [whole for *_, whole in looks(universe(), late)] == [[True, False]] * 3 + [[True, True]] * 4
    quotes["state"][(quotes["instrument"] == 1) & (quotes["cause"] == 8)] = 2
    assert [whole[1] for *_, whole in looks(universe(), quotes)] == [True, False, False, False, True, True, True]
    assert all(whole[1] for *_, whole in looks(universe(), quotes, missing=0.4))


@pytest.mark.parametrize("price", [0, -5])
def test_a_price_without_a_logarithm_is_missing_and_the_last_one_stands_for_it(price):
    quotes = seconds((100, 50), (101, price), (102, 52), (103, 53))
    (_, levels, whole), *_ = looks(universe(), quotes, missing=0.4)
    np.testing.assert_allclose(levels[:, 1], [0, 0, math.log(52 / 50)], atol=1e-14)
    assert whole == [True, True]
    assert looks(universe(), quotes)[0][2] == [True, False]


def test_one_that_is_silent_for_too_long_is_missing():
    quotes = seconds(*[(100 + k, 50) for k in range(10)])
    quotes = quotes[(quotes["instrument"] == 0) | (quotes["cause"] <= 6)]
    assert [whole[1] for *_, whole in looks(universe(max_age=3 * SECOND), quotes)] == [True] * 3 + [False] * 4
    assert all(whole[1] for *_, whole in looks(universe(), quotes))


def test_a_quote_of_no_instrument_is_a_broken_invariant():
    with pytest.raises(InvariantError, match=r"'two', test, input 9: .* 0 to 1, got one of number 2"):
        universe().advance(tape(quote(9, START, 2, 1, 2)), 0, "test")
