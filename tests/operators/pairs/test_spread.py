import math

import numpy as np
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from operators.operator import Desk
from operators.pairs.spread import Spread
from schemas.errors import ConfigError, InvariantError
from schemas.instrument import Pair
from schemas.signal import SPREAD_QUOTES, SPREADS
from tests.operators.pairs.oracle import expected_rows
from tests.operators.pairs.tape import (
    DESK,
    PARAMETERS,
    SECOND,
    START,
    TWO,
    instrument,
    measure,
    measure_in_pieces,
    pieces,
    quote,
    spread,
    tape,
    tapes,
)

EXACT = ["cause", "ts", "pair", "state"]
CUTS = st.lists(st.integers(0, 80), max_size=6)
ROLLING_2 = {"type": "rolling", "window": 2}


@settings(max_examples=400)
@given(PARAMETERS, tapes())
def test_rows_are_the_oracles(parameters, quotes):
    got = measure(spread(**parameters), quotes)
    names = ["cause", "ts", "pair", "spread", "hedge", "intercept", "mean", "deviation", "z", "state"]
    expected = expected_rows(parameters, DESK, quotes)
    assert got[EXACT].tolist() == [(r[0], r[1], r[2], r[9]) for r in expected]
    for state in np.unique(got["state"]):
        event(f"state {state}")
    for k, name in enumerate(names[3:9], 3):
        np.testing.assert_allclose(got[name], [r[k] for r in expected], rtol=1e-7, atol=1e-9, err_msg=name)


@given(PARAMETERS, tapes(), CUTS, st.booleans())
def test_neither_the_cut_nor_a_restart_matters(parameters, quotes, cuts, reborn):
    whole = measure(spread(**parameters), quotes)
    assert measure_in_pieces(parameters, quotes, cuts, reborn).tobytes() == whole.tobytes()


@given(PARAMETERS, tapes(), tapes(), st.integers(0, 60))
def test_the_future_does_not_change_the_past(parameters, quotes, others, cause):
    kept = quotes[quotes["cause"] <= cause]
    later = others[others["cause"] > cause]
    whole = measure(spread(**parameters), quotes)
    changed = measure(spread(**parameters), np.concatenate([kept, later]))
    assert changed[changed["cause"] <= cause].tobytes() == whole[whole["cause"] <= cause].tobytes()


def test_quotes_are_left_alone():
    quotes = Spread.example(3).frames["quotes"]
    before = quotes.tobytes()
    measure(Spread(Spread.Parameters(**Spread.example(3).parameters), Spread.example(3).desk), quotes)
    assert quotes.tobytes() == before


def test_a_bar_is_sampled_as_the_pair_stood_before_the_next_quote():
    """Bars of 1 s: the samples are y - x/2 = 6, 7 and 11; quotes inside a bar leave no trace in them."""
    quotes = tape(
        quote(1, START, 1, 800, 800),  # x = 8
        quote(2, START, 0, 900, 900),  # y = 9
        quote(3, START + SECOND // 2, 0, 1000, 1000),  # y = 10: how bar 0 ends, residual 6
        quote(4, START + SECOND, 0, 1300, 1300),  # bar 1; y = 13
        quote(5, START + 2 * SECOND - 1, 0, 1100, 1100),  # y = 11: how bar 1 ends, residual 7
        quote(6, START + 9 * SECOND, 0, 1300, 1300),  # bar 9: bar 1 is sampled, bars 2 to 8 were silent
        quote(7, START + 9 * SECOND, 1, 400, 400),  # x = 4: how bar 9 ends, residual 11
        quote(8, START + 10 * SECOND, 0, 1100, 1100),
    )
    rows = measure(spread(TWO, zscore=ROLLING_2, every="1s"), quotes)
    assert rows["cause"].tolist() == [2, 3, 4, 5, 6, 7, 8]
    assert rows["spread"].tolist() == [5.0, 6.0, 9.0, 7.0, 9.0, 11.0, 9.0]
    assert rows["state"].tolist() == [1, 1, 1, 1, 0, 0, 0]
    np.testing.assert_allclose(rows["mean"], [0, 0, 0, 0, 6.5, 6.5, 9.0])
    np.testing.assert_allclose(rows["deviation"], [0, 0, 0, 0, 0.5**0.5, 0.5**0.5, 8**0.5])
    np.testing.assert_allclose(rows["z"], [0, 0, 0, 0, 2.5 / 0.5**0.5, 4.5 / 0.5**0.5, 0], atol=1e-12)


def test_an_event_is_measured_against_the_samples_before_it():
    quotes = tape(
        quote(1, START, 1, 800, 800), *(quote(2 + k, START, 0, y, y) for k, y in enumerate([900, 1000, 1400]))
    )
    rows = measure(spread(TWO, zscore=ROLLING_2, every="event"), quotes)
    assert rows["state"].tolist() == [1, 1, 0]
    assert (rows["spread"][2], rows["mean"][2]) == (10.0, 5.5)
    assert rows["z"][2] == pytest.approx(4.5 / 0.5**0.5)


def test_a_change_makes_a_sample_of_what_it_ends():
    prices = [900, 900, 900, 1000, 1000, 1400, 1400]
    quotes = tape(quote(1, START, 1, 800, 800), *(quote(2 + k, START, 0, y, y) for k, y in enumerate(prices)))
    rows = measure(spread(TWO, zscore=ROLLING_2, every="change"), quotes)
    assert rows["state"].tolist() == [1, 1, 1, 1, 1, 0, 0]
    np.testing.assert_allclose(rows["mean"][-2:], (5.0 + 6.0) / 2)


def test_a_leg_that_does_not_trade_keeps_its_last_mid_and_stops_the_sampling():
    quotes = tape(
        quote(1, START, 0, 900, 900, state=1),
        quote(2, START, 1, 800, 800),  # y has never traded: no row
        quote(3, START, 0, 900, 900),
        quote(4, START + SECOND, 0, 0, 910, state=8),
        quote(5, START + 2 * SECOND, 1, 1000, 1000),
        quote(6, START + 3 * SECOND, 0, 950, 950),
        quote(7, START + 4 * SECOND, 0, 951, 951),
    )
    rows = measure(spread(TWO, zscore=ROLLING_2, every="1s"), quotes)
    assert rows[["cause", "spread", "state"]].tolist() == [(3, 5, 1), (4, 5, 3), (5, 4, 3), (6, 4.5, 1), (7, 4.51, 0)]
    assert rows["mean"][4] == pytest.approx((5.0 + 4.5) / 2)


def test_a_spread_that_never_moves_is_degenerate():
    quotes = tape(quote(1, START, 1, 800, 800), *(quote(k, START, 0, 900, 900) for k in range(2, 9)))
    rows = measure(spread(TWO, zscore=ROLLING_2, every="event"), quotes)
    assert rows["state"].tolist() == [1, 1, 4, 4, 4, 4, 4]
    assert not rows["z"].any()
    assert rows["mean"][-1] == 5.0


@pytest.mark.parametrize("intercept", [True, False])
def test_rounding_is_not_movement(intercept):
    """y = 2x exactly: what a regression leaves over is rounding, and must not be traded as a deviation."""
    x = 30_000 + np.cumsum(np.random.default_rng(5).integers(-7, 8, 500))
    quotes = tape(
        *(quote(2 * k + 2 - n, START + k * SECOND, n, p, p) for k, v in enumerate(x) for n, p in ((1, v), (0, 2 * v)))
    )
    hedge = {"type": "rolling", "window": 20, "intercept": intercept}
    rows = measure(spread(TWO, hedge=hedge, zscore={"type": "rolling", "window": 10}), quotes)
    warm = rows[rows["state"] & 1 == 0]
    assert len(warm) > 900
    assert set(warm["state"]) == {4}
    np.testing.assert_allclose(warm["hedge"], 2.0, rtol=1e-12)


@pytest.mark.parametrize("price", ["mid", "log_mid"])
def test_nothing_is_ever_infinite(price):
    """Any int64 prices, at a hedge that overflows."""
    rng = np.random.default_rng(11)
    desk = Desk(id="wild", instruments=TWO.instruments, pairs=(Pair(id="YX", y="Y", x="X", hedge=1e300),))
    extremes = np.array([0, 1, -1, 2**62, -(2**63), 2**63 - 1])
    for hedge in (
        {"type": "static"},
        {"type": "rolling", "window": 3},
        {"type": "rolling", "window": 3, "intercept": False},
        {"type": "tls", "window": 3},
        {"type": "ewls", "half_life": 2},
        {"type": "kalman", "warm_up": 0, "adapt": 5},
    ):
        zscores = [ROLLING_2, {"type": "ewm", "half_life": 1}]
        for zscore in [*zscores, {"type": "innovation"}] if hedge["type"] == "kalman" else zscores:
            prices = rng.choice(extremes, (600, 2))
            quotes = tape(*(quote(k, START, k % 2, int(b), int(a)) for k, (b, a) in enumerate(prices)))
            rows = measure(spread(desk, hedge=hedge, zscore=zscore, price=price, every="event"), quotes)
            assert len(rows) > 10
            assert all(np.isfinite(rows[name]).all() for name in SPREADS.dtype.names)


def test_the_log_of_a_price_that_has_none_makes_the_leg_untradable():
    quotes = tape(*(quote(k, START, k % 2, p, p) for k, p in enumerate([100, 100, -100, 0, 100, 100])))
    rows = measure(spread(TWO, zscore=ROLLING_2, price="log_mid", every="event"), quotes)
    assert rows["state"].tolist() == [1, 3, 3, 3, 1]


def test_a_spread_on_an_old_leg_is_measured_but_not_usable():
    quotes = tape(
        quote(1, START, 1, 800, 800),
        quote(2, START + SECOND, 0, 900, 900),
        quote(3, START + 2 * SECOND, 0, 1000, 1000),
        quote(4, START + 3 * SECOND, 0, 1400, 1400),  # x is 3 s old
        quote(5, START + 4 * SECOND, 0, 1500, 1500),
        quote(6, START + 5 * SECOND, 1, 800, 800),
    )
    rows = measure(spread(TWO, zscore=ROLLING_2, every="1s", max_age="2s"), quotes)
    assert rows["spread"].tolist() == [5, 6, 10, 11, 11]
    assert rows["state"].tolist() == [1, 1, 8, 8, 0]
    assert rows["z"][2] == pytest.approx(4.5 / 0.5**0.5)  # defined for rules that want it
    assert rows["mean"].tolist() == [0, 0, 5.5, 5.5, 5.5]  # and no sample


@pytest.mark.parametrize("hedge", [0.5, -0.5])
@pytest.mark.parametrize("price", ["mid", "log_mid"])
def test_an_executable_spread_crosses_both_legs(price, hedge):
    desk = Desk(
        id="two", instruments=TWO.instruments, pairs=(Pair(id="YX", y="Y", x="X", hedge=hedge, intercept=0.25),)
    )
    quotes = tape(
        quote(1, START, 1, 790, 810),
        quote(2, START + SECOND, 0, 890, 910),
        quote(3, START + 2 * SECOND, 0, 0, 910, state=8),
        quote(4, START + 5 * SECOND, 0, 950, 960),
    )
    operator = spread(desk, zscore=ROLLING_2, price=price, executable=True)
    found = operator.process({"quotes": quotes})
    rows, spreads = found["spread_quotes"], found["spreads"]
    assert [rows[name].tolist() for name in ("cause", "ts", "pair", "state")] == [
        spreads[name].tolist() for name in ("cause", "ts", "pair", "state")
    ]
    assert rows["y_age"].tolist() == pytest.approx([0, 1, 0])
    assert rows["x_age"].tolist() == pytest.approx([1, 2, 5])
    value = math.log if price == "log_mid" else float
    for row, (bid, ask) in zip(rows, [(8.9, 9.1), (8.9, 9.1), (9.5, 9.6)], strict=True):
        sold, bought = (8.1, 7.9) if hedge > 0 else (7.9, 8.1)
        assert row["bid"] == pytest.approx(value(bid) - hedge * value(sold) - 0.25)
        assert row["ask"] == pytest.approx(value(ask) - hedge * value(bought) - 0.25)
    assert (rows["bid"] < spreads["spread"]).all()
    assert (spreads["spread"] < rows["ask"]).all()


def test_an_executable_spread_without_a_logarithm_is_degenerate():
    quotes = tape(quote(1, START, 1, 800, 800), quote(2, START, 0, 0, 900))
    operator = spread(TWO, zscore=ROLLING_2, price="log_mid", executable=True)
    row = operator.process({"quotes": quotes})["spread_quotes"][0]
    assert (row["bid"], row["ask"], row["state"]) == (0, 0, 1 | 4)


@given(PARAMETERS, tapes(), CUTS)
def test_executable_rows_stand_beside_their_spreads(parameters, quotes, cuts):
    whole = spread(**parameters, executable=True).process({"quotes": quotes})
    if whole:
        assert whole["spread_quotes"]["cause"].tolist() == whole["spreads"]["cause"].tolist()
        assert whole["spreads"].tobytes() == measure(spread(**parameters), quotes).tobytes()
    operator, rows = spread(**parameters, executable=True), []
    for piece in pieces(quotes, cuts):
        rows += operator.process({"quotes": piece}).get("spread_quotes", SPREAD_QUOTES.empty).tolist()
    assert rows == whole.get("spread_quotes", SPREAD_QUOTES.empty).tolist()


def test_an_innovation_is_measured_by_the_filters_own_deviation():
    """From hedge 1/2 and intercept 0 as certain: Q is the noise, then noise plus what the walk adds at x."""
    hedge = {"type": "kalman", "delta": 0.5, "noise": 4.0, "warm_up": 0}
    quotes = tape(quote(1, START, 1, 800, 800), quote(2, START, 0, 900, 900), quote(3, START, 0, 1000, 1000))
    rows = measure(spread(TWO, hedge=hedge, zscore={"type": "innovation"}, every="event"), quotes)
    assert rows["state"].tolist() == [0, 0]
    assert rows[["spread", "hedge", "intercept", "mean"]].tolist() == [(5, 0.5, 0, 0), (6, 0.5, 0, 0)]
    np.testing.assert_allclose(rows["deviation"], [2, (8 * 8 + 1 + 4) ** 0.5])
    np.testing.assert_allclose(rows["z"], [2.5, 6 / 69**0.5])


def test_a_window_of_time_forgets_in_silence():
    """Bars of 1 s, a window of 4: after a pause the window holds too few samples to be used."""
    quotes = [quote(1, START, 1, 800, 800)]
    quotes += [quote(2 + k, START + s * SECOND, 0, 900 + 10 * k, 900) for k, s in enumerate([0, 1, 2, 3, 60, 61, 62])]
    rows = measure(spread(TWO, zscore={"type": "rolling", "window": "4s"}, every="1s"), tape(*quotes))
    assert rows["state"].tolist() == [1, 1, 0, 0, 0, 1, 0]


def test_a_window_of_time_that_falls_cold_again_shows_nothing_of_before():
    ms = 10**6
    times = [(1, 0), (2, 100 * ms), (3, 450 * ms), (4, 550 * ms)]
    quotes = tape(quote(1, 0, 1, 95, 95), *(quote(cause, ts, 0, 95, 95) for cause, ts in times))
    rows = measure(
        spread(hedge={"type": "static"}, zscore={"type": "rolling", "window": "300ms"}, every="100ms"), quotes
    )
    assert rows["state"].tolist() == [1, 1, 4, 1]
    assert rows["mean"].tolist() == [0.0, 0.0, rows["spread"][0], 0.0]


def test_frames_of_any_length_fit():
    example = Spread.example(7)
    quotes = np.concatenate([example.frames["quotes"]] * 3)
    small = Spread(Spread.Parameters(**example.parameters), example.desk)
    large = Spread(Spread.Parameters(**example.parameters), example.desk)
    one_by_one = np.concatenate([measure(small, quotes[i : i + 1]) for i in range(len(quotes))])
    assert one_by_one.tobytes() == measure(large, quotes).tobytes()
    assert len(one_by_one) > 4 * 1024


def test_silence_in_silence_out():
    operator = spread(zscore=ROLLING_2)
    assert operator.process({}) == {}
    assert operator.process({"quotes": tape()}) == {}
    assert operator.process({"quotes": tape(quote(1, START, 3, 1, 2))}) == {}


def test_the_example_shows_every_state():
    for seed in range(3):
        example = Spread.example(seed)
        rows = measure(Spread(Spread.Parameters(**example.parameters), example.desk), example.frames["quotes"])
        assert {0, 1, 2, 3, 4} <= set(rows["state"])
        assert set(rows["pair"]) == set(range(20))


@pytest.mark.parametrize("number", [-1, 4])
def test_a_quote_of_no_instrument_is_a_broken_invariant(number):
    quotes = tape(quote(8, START, 0, 1, 2), quote(9, START, number, 1, 2))
    with pytest.raises(
        InvariantError, match=rf"'desk', spread, input 9: expected .* 0 to 3, got one of number {number}"
    ):
        measure(spread(zscore=ROLLING_2), quotes)


def test_static_hedges_must_be_given():
    pairs = (*DESK.pairs, Pair(id="BA", y="B", x="A"), Pair(id="AC", y="A", x="C", hedge=float("nan")))
    desk = Desk(id="desk", instruments=DESK.instruments, pairs=pairs)
    with pytest.raises(ConfigError, match="these lack one: BA, AC; add them, or use hedge type `rolling`"):
        spread(desk, zscore=ROLLING_2)
    spread(desk, zscore=ROLLING_2, hedge={"type": "rolling", "window": 3})


def test_windows_must_fit_in_memory():
    pairs = tuple(Pair(id=f"P{k}", y="A", x="B") for k in range(500))
    desk = Desk(id="desk", instruments=DESK.instruments, pairs=pairs)
    with pytest.raises(ConfigError, match=r"windows of 500 pairs would take 22.4 GiB, .* at most 4 GiB are allowed"):
        spread(desk, hedge={"type": "rolling", "window": 10**6}, zscore=ROLLING_2)


def test_a_desk_needs_pairs():
    with pytest.raises(ConfigError, match="desk 'bare' has no pairs, so no spreads; declare some under `pairs`"):
        spread(Desk(id="bare", instruments=(instrument("A"),)), zscore=ROLLING_2)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({}, "zscore\n.*Field required"),
        ({"zscore": {"type": "rolling", "window": 1}}, "greater than or equal to 2"),
        ({"zscore": {"type": "ewm", "half_life": 0}}, "greater than 0"),
        ({"zscore": {"type": "ewm", "window": 5}}, "half_life\n.*Field required"),
        ({"zscore": {"type": "garch"}}, "'rolling', 'ewm'"),
        ({"zscore": ROLLING_2, "hedge": {"type": "copula"}}, "'static', 'rolling'"),
        ({"zscore": ROLLING_2, "hedge": {"type": "rolling", "window": 2}}, "fits 2 samples exactly; make window 3"),
        ({"zscore": ROLLING_2, "hedge": {"type": "static", "window": 2}}, "Extra inputs are not permitted"),
        ({"zscore": ROLLING_2, "every": "0s"}, "every must be longer than 0 and at most 366d"),
        ({"zscore": ROLLING_2, "every": "400d"}, "every must be longer than 0 and at most 366d"),
        ({"zscore": ROLLING_2, "every": "often"}, "'often' is not a duration"),
        ({"zscore": ROLLING_2, "price": "last"}, "'mid' or 'log_mid'"),
        ({"zscore": ROLLING_2, "max_age": "0s"}, "greater than 0"),
        ({"zscore": {"type": "innovation"}}, "zscore innovation needs a hedge of type kalman, found static"),
        ({"zscore": {"type": "rolling", "window": "2s"}}, "zscore: a window of 2s must be 3 to 1,000,000 bars of"),
        ({"zscore": {"type": "rolling", "window": "1m"}, "every": "event"}, "give the window as a number of samples"),
        ({"zscore": {"type": "rolling", "window": "soon"}}, "'soon' is not a duration"),
        ({"zscore": ROLLING_2, "hedge": {"type": "tls", "window": "20d"}}, "hedge: a window of 20d must be 3 to"),
        ({"zscore": ROLLING_2, "hedge": {"type": "kalman", "delta": 1}}, "less than 1"),
        ({"zscore": ROLLING_2, "hedge": {"type": "kalman", "noise": 0}}, "greater than 0"),
        ({"zscore": ROLLING_2, "hedge": {"type": "ewls", "half_life": 0}}, "greater than 0"),
    ],
)
def test_parameters_that_cannot_be(parameters, message):
    with pytest.raises(ValueError, match=message):
        Spread.Parameters(**parameters)


def test_every_parameter_is_described():
    schema = Spread.Parameters.model_json_schema()
    for model in (schema, *schema["$defs"].values()):
        assert all("description" in field for field in model["properties"].values())
