import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from operators.operator import Desk
from operators.pairs.pair_statistics import PairStatistics
from schemas.errors import ConfigError, InvariantError
from schemas.record import Frame
from schemas.signal import PAIR_STATISTICS, SPREADS
from tests.operators.pairs.tape import DESK, SECOND, START, TWO, quote, tape
from tests.operators.pairs.test_character import expected_hurst

STILL, DRIFTING = 1, 2


def statistics(desk=TWO, **parameters):
    return PairStatistics(PairStatistics.Parameters(**{"window": 32, "step": 1, "every": "1s"} | parameters), desk)


def measured(cause: int, ts: int, value: float, pair: int = 0, state: int = 0) -> tuple:
    return (cause, ts, value, 1.0, 0.0, 0.0, 1.0, 0.0, pair, state)


def describe(operator, quotes, spreads) -> Frame:
    return operator.process({"quotes": quotes, "spreads": spreads}).get("statistics", PAIR_STATISTICS.empty).copy()


def series(count: int, seed: int = 2) -> tuple[Frame, Frame, list]:
    """Every second first y, then x, then the spread of that cause. (quotes, spreads, [(y, x, spread)])"""
    rng = np.random.default_rng(seed)
    y, x = 5_000 + np.cumsum(rng.integers(-9, 10, (2, count)), axis=1)
    value = rng.standard_normal(count)
    quotes, spreads = [], []
    for k in range(count):
        ts = START + k * SECOND
        quotes += [quote(2 * k + 1, ts, 0, int(y[k]), int(y[k])), quote(2 * k + 2, ts, 1, int(x[k]), int(x[k]))]
        spreads.append(measured(2 * k + 2, ts, value[k]))
    return tape(*quotes), SPREADS.rows(spreads), list(zip(y, x, value, strict=True))


def expected(samples: list) -> tuple[float, ...]:
    y, x, spread = (np.array(column, float) for column in zip(*samples, strict=True))
    together = np.corrcoef(np.diff(np.log(y)), np.diff(np.log(x)))[0, 1]
    phi = np.polyfit(spread[:-1], spread[1:], 1)[0]
    life = -np.log(2) / np.log(phi) if 0 < phi < 1 else 0.0
    return together, phi, life, expected_hurst(spread)


@pytest.mark.parametrize("step", [1, 7])
@pytest.mark.parametrize("every", ["1s", "event", "3s"])
def test_rows_describe_the_last_samples(every, step):
    quotes, spreads, samples = series(150)
    rows = describe(statistics(every=every, step=step), quotes, spreads)
    ends = range(149)  # what the row after it makes a sample of
    if every == "3s":
        ends = [k for k in ends if (START // SECOND + k + 1) % 3 == 0]
    due = [n for n in range(32, len(ends) + 1) if (n - 32) % step == 0]
    assert rows["cause"].tolist() == [2 * (ends[n - 1] + 1) + 2 for n in due]
    for row, n in zip(rows, due, strict=True):
        names = ("correlation", "reversion", "half_life", "hurst")
        wanted = expected([samples[k] for k in ends[n - 32 : n]])
        np.testing.assert_allclose([row[name] for name in names], wanted, rtol=1e-9, atol=1e-12)
        assert row["state"] == (DRIFTING if wanted[1] >= 1 else 0)


def test_by_change_what_shows_nothing_new_is_no_sample():
    quotes, spreads, _ = series(150)
    twice = np.repeat(spreads, 2)
    rows = describe(statistics(every="change", step=7), quotes, twice)
    assert len(rows) > 10
    assert rows.tolist() == describe(statistics(every="event", step=7), quotes, spreads).tolist()


def test_rows_that_must_not_be_acted_on_are_no_samples():
    quotes, spreads, samples = series(80)
    spreads["state"][40:50] = 2
    rows = describe(statistics(), quotes, spreads)
    kept = samples[:40] + samples[50:79]
    np.testing.assert_allclose(rows["correlation"][-1], expected(kept[-32:])[0], rtol=1e-9)
    assert len(rows) == len(kept) - 31


def test_a_spread_that_runs_away_and_one_that_stands_still():
    quotes, spreads, _ = series(60)
    spreads["spread"] = 1.1 ** np.arange(60)
    away = describe(statistics(), quotes, spreads)
    assert set(away["state"]) == {DRIFTING}
    assert not away["half_life"].any()
    np.testing.assert_allclose(away["reversion"], 1.1)
    spreads["spread"] = 0.1
    still = describe(statistics(), quotes, spreads)
    assert set(still["state"]) == {STILL}
    assert not still["reversion"].any()
    assert not still["hurst"].any()
    assert still["correlation"].all()


def test_a_leg_that_never_changes():
    quotes, spreads, _ = series(60)
    quotes["bid"][quotes["instrument"] == 1] = quotes["ask"][quotes["instrument"] == 1] = 777
    rows = describe(statistics(), quotes, spreads)
    assert set(rows["state"]) == {STILL}
    assert not rows["correlation"].any()
    assert rows["hurst"].all()


@settings(max_examples=30)
@given(st.lists(st.integers(0, 330), max_size=6), st.booleans())
def test_neither_the_cut_nor_a_restart_matters(causes, reborn):
    quotes, spreads, _ = series(150)
    operator, parts = statistics(), [PAIR_STATISTICS.empty]
    for edge, after in zip(sorted({*causes, 400}), [0, *sorted({*causes, 400})], strict=False):
        piece = [f[(f["cause"] > after) & (f["cause"] <= edge)] for f in (quotes, spreads)]
        parts.append(describe(operator, *piece))
        if reborn:
            state = pickle.dumps(operator.snapshot())
            describe(operator, *piece)
            operator = statistics()
            operator.restore(pickle.loads(state))
    assert np.concatenate(parts).tolist() == describe(statistics(), quotes, spreads).tolist()


def test_silence_in_silence_out():
    assert statistics().process({}) == {}
    assert statistics().process({"quotes": tape(quote(1, START, 0, 1, 2))}) == {}


def test_a_spread_of_no_pair_is_a_broken_invariant():
    with pytest.raises(InvariantError, match=r"'two', pair_statistics, input 4: .* 0 to 0, got one of number 1"):
        describe(statistics(), tape(), SPREADS.rows([measured(4, START, 0.0, pair=1)]))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"window": 31}, "greater than or equal to 32"),
        ({"step": 0}, "greater than or equal to 1"),
        ({"every": "0s"}, "every must be longer than 0; `event` samples at every row of spreads"),
    ],
)
def test_parameters_that_cannot_be(parameters, message):
    with pytest.raises(ValueError, match=message):
        statistics(**parameters)
    with pytest.raises(ConfigError, match="desk 'bare' has no pairs, so no statistics"):
        statistics(Desk(id="bare", instruments=DESK.instruments))
