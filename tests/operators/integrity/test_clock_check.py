"""Clocks that are off are found, by how much, and named; those that are right are left alone."""

from decimal import Decimal

import numpy as np
import pytest
from pydantic import ValidationError

from operators.integrity.clock_check import ClockCheck
from operators.integrity.clock_check_example import EARLY_NS, clock_example
from operators.operator import Desk, Feed
from schemas.errors import ConfigError, InvariantError
from schemas.instrument import Instrument, Pair
from schemas.market import QUOTES, BookState, FeedEventKind

SECOND = 10**9
START = 1_400_000_400 * SECOND
TERMS = {"venue": "t", "tick": Decimal("0.01"), "lot": Decimal(1), "currency": "USD"}
DESK = Desk(
    id="d",
    instruments=tuple(Instrument(id=name, symbol=name, **TERMS) for name in "XYZ"),
    pairs=(Pair(id="p", y="Y", x="X"),),
    feeds=(Feed("fx", ("X",)), Feed("fy", ("Y",)), Feed("fz", ("Z",))),
)
QUICK = {"bar": "1s", "every": "10s", "window": "100s", "step": "5s", "reach": "20s", "least": 20}


def operator(desk=DESK, **parameters):
    return ClockCheck(ClockCheck.Parameters.model_validate(QUICK | parameters), desk)


def tape(shift_s, seconds=200, seed=1, sign=1, noise=0):
    """A quote of X and one of Y every second, Y's stamps `shift_s` early."""
    rng = np.random.default_rng(seed)
    walk = 10_000 + np.cumsum(rng.integers(-5, 6, seconds + 100))
    quotes = np.zeros(2 * seconds, QUOTES.dtype)
    quotes["cause"] = 1 + np.arange(2 * seconds)
    quotes["ts"] = START + np.arange(2 * seconds) // 2 * SECOND
    quotes["instrument"] = np.arange(2 * seconds) % 2
    at = np.arange(seconds) + 50
    quotes["bid"][0::2] = walk[at]
    quotes["bid"][1::2] = 20_000 + sign * (walk[at + shift_s] - 10_000) + rng.integers(-noise, noise + 1, seconds)
    quotes["ask"] = quotes["bid"] + 2
    return quotes


def skews(produced):
    return [
        (int(e["cause"]), int(e["feed"]), int(e["instrument"]), int(e["first"]) // SECOND)
        for e in produced.get("feed_events", ()) if e["kind"] == FeedEventKind.CLOCK_SKEW
    ]  # fmt: skip


@pytest.mark.parametrize("shift_s", [-20, -5, 5, 10, 20])
@pytest.mark.parametrize("sign", [1, -1])
def test_a_clock_that_is_off_is_named_once_with_what_to_add(shift_s, sign):
    out = operator().process({"quotes": tape(shift_s, sign=sign)})
    [(_, feed, instrument, first)] = skews(out)
    assert (feed, instrument, first) == (1, 1, shift_s)
    last = out["checks"][-1]
    assert last["shift_ns"] == shift_s * SECOND
    assert last["correlation"] * sign > 0.98
    assert abs(last["unshifted"]) < 0.3
    assert out["feed_events"]["last"][0] == shift_s // 60


@pytest.mark.parametrize("shift_s", [0, 7, 22])
def test_clocks_that_agree_or_differ_by_something_else_are_left_alone(shift_s):
    assert skews(operator().process({"quotes": tape(shift_s)})) == []


def test_instruments_that_do_not_move_together_are_left_alone():
    for seed in range(20):
        checker = operator(window="500s", least=300)
        assert skews(checker.process({"quotes": tape(0, seconds=900, noise=500, seed=seed)})) == []


def test_checks_count_only_with_enough_bars_in_which_both_moved():
    assert "checks" not in operator(least=500).process({"quotes": tape(10)})
    first = operator(least=20).process({"quotes": tape(10)})["checks"][0]
    assert first["bars"] >= 20


def test_a_check_knows_what_came_before_it_and_no_more():
    quotes = tape(10)
    out = operator().process({"quotes": quotes})
    changed = quotes.copy()
    cut = len(quotes) // 2
    changed["bid"][cut:] += 500
    again = operator().process({"quotes": changed})
    before = quotes["cause"][cut]
    for port in ("checks", "feed_events"):
        assert np.array_equal(out[port][out[port]["cause"] < before], again[port][again[port]["cause"] < before])


def test_correlation_is_numpys():
    quotes = tape(5, noise=3)
    check = operator(window="50s").process({"quotes": quotes})["checks"][-1]
    at = int(np.flatnonzero(quotes["cause"] == check["cause"])[0])
    mids = np.log(quotes["bid"] + quotes["ask"])
    returns = [np.diff(mids[leg:at:2]) for leg in (0, 1)]  # the last bar of each is the one before the check
    for shift, found in ((5, check["correlation"]), (0, check["unshifted"])):
        x, y = returns[0][-50:], returns[1][: len(returns[1]) - shift][-50:]
        assert found == pytest.approx(np.corrcoef(x, y)[0, 1], abs=1e-12)


def test_quotes_that_cannot_be_traded_on_move_nothing_unless_they_are_but_crossed():
    quotes = tape(10)
    halted = quotes.copy()
    halted["state"] = BookState.HALTED
    assert operator().process({"quotes": halted}) == {}
    crossed = quotes.copy()
    crossed["state"] = BookState.CROSSED
    assert len(skews(operator().process({"quotes": crossed}))) == 1


def test_a_long_silence_is_bars_without_returns():
    quotes = tape(10)
    quotes["ts"][200:] += 10_000 * SECOND
    out = operator().process({"quotes": quotes})
    assert out["checks"]["ts"][out["checks"]["ts"] > quotes["ts"][200]].min() >= quotes["ts"][200]
    assert len(skews(out)) == 1


def test_groups_name_whose_clock_is_believed():
    desk = Desk("d", DESK.instruments, feeds=DESK.feeds)
    parameters = {"groups": [["Y", "X"]]}
    assert [s[1:] for s in skews(operator(desk, **parameters).process({"quotes": tape(10)}))] == [(0, 0, -10)]
    assert skews(operator(desk, groups=[["Z", "X", "Y"]]).process({"quotes": tape(10)})) == []


def test_the_example_is_half_an_hour_off():
    example = clock_example(5)
    found = ClockCheck(ClockCheck.Parameters.model_validate(example.parameters), example.desk).process(example.frames)
    assert [s[1:] for s in skews(found)] == [(2, 2, EARLY_NS // SECOND)]


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"groups": [["X"]]}, "is no group; name two instruments or more"),
        ({"groups": [["X", "Y"], ["Z", "Y"]]}, "the clock of 'Y' would be checked twice"),
        ({"groups": [["X", "X"]]}, "'X' would be checked twice"),
        ({"every": "1500ms"}, "every is not a whole number of bars"),
        ({"step": "30s"}, "reach is shorter than step"),
        ({"window": "2000000s"}, "more than a million bars"),
        ({"above": 0}, "greater than 0"),
    ],
)
def test_parameters_that_cannot_work_are_refused(parameters, message):
    with pytest.raises(ValidationError, match=message):
        operator(**parameters)


def test_a_desk_that_does_not_fit_is_refused():
    with pytest.raises(ConfigError, match="has no pairs; name `groups` of instruments instead"):
        operator(Desk("d", DESK.instruments, feeds=DESK.feeds))
    with pytest.raises(ConfigError, match="desk 'd' has no instrument 'W'; known: X, Y, Z"):
        operator(groups=[["X", "W"]])


def test_a_quote_of_no_instrument_is_a_broken_invariant():
    quotes = tape(0)
    quotes["instrument"][3] = 3
    with pytest.raises(InvariantError, match="input 4: expected a quote of one of 3 instruments, got one of number 3"):
        operator().process({"quotes": quotes})
