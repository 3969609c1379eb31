"""The rolling correlation against pandas, on samples taken by bars, events and changes."""

import numpy as np
import pandas as pd
import pytest

from operators.operator import Desk
from operators.pairs.correlation import Correlation
from schemas.errors import ConfigError, InvariantError
from schemas.record import Frame
from schemas.signal import CORRELATIONS
from tests.operators.pairs.tape import DESK, SECOND, START, TWO, quote, tape

COLD, LEG, DEGENERATE = 1, 2, 4


def correlate(quotes: Frame, desk: Desk = TWO, **parameters) -> Frame:
    operator = Correlation(Correlation.Parameters(**{"window": 20, "every": "1s"} | parameters), desk)
    return operator.process({"quotes": quotes}).get("correlations", CORRELATIONS.empty).copy()


def series(count: int, scale: float = 1.0, seed: int = 2) -> tuple[Frame, Frame, Frame]:
    """Every second first y, then x; mids that jump once, of legs that move together."""
    rng = np.random.default_rng(seed)
    x = np.cumsum(rng.integers(-90, 91, count))
    y = 500_000 + x + np.cumsum(rng.integers(-90, 91, count))
    x[count // 2 :] += 200_000
    x = ((300_000 + x) * scale).astype(np.int64)
    y = (y * scale).astype(np.int64)
    rows = []
    for k in range(count):
        ts = START + k * SECOND
        rows += [quote(2 * k + 1, ts, 0, int(y[k]), int(y[k])), quote(2 * k + 2, ts, 1, int(x[k]), int(x[k]))]
    return tape(*rows), y, x


def pandas_correlation(y: Frame, x: Frame, window: int) -> Frame:
    return pd.Series(np.diff(np.log(y))).rolling(window).corr(pd.Series(np.diff(np.log(x)))).to_numpy()


@pytest.mark.parametrize("window", [3, 20, 200])
@pytest.mark.parametrize("scale", [1.0, 1e9])
def test_bars_are_correlated_as_by_pandas(window, scale):
    quotes, y, x = series(500, scale)
    rows = correlate(quotes, window=window)
    wanted = pandas_correlation(y, x, window)
    of_y = rows[1::2]  # that of second k holds the samples of seconds up to k - 1
    assert of_y["cause"].tolist() == [2 * k + 1 for k in range(1, 500)]
    before = np.concatenate([[np.nan], wanted[:-1]])
    known = ~np.isnan(before)
    assert (of_y["state"] == np.where(known, 0, COLD)).all()
    np.testing.assert_allclose(of_y["correlation"][known], before[known], atol=1e-8)
    changes = np.diff(np.log(y)), np.diff(np.log(x))
    for k in np.flatnonzero(known) + 1:  # pandas carries rounding on from a jump: each window anew
        exact = np.corrcoef(*(leg[k - 1 - window : k - 1] for leg in changes))[0, 1]
        assert of_y["correlation"][k - 1] == pytest.approx(exact, abs=1e-9)


def test_by_event_one_leg_moves_at_a_time():
    quotes, y, x = series(200)
    rows = correlate(quotes, every="event")
    legs = np.repeat(np.log(np.stack([y, x])), 2, axis=1)
    legs[1] = np.roll(legs[1], 1)  # after cause n, which is n - 1 here, x is still that of the second before
    changes = np.diff(legs[:, 1:])
    row = rows[rows["cause"] == 203][0]  # samples are what causes 2 to 202 left
    exact = np.corrcoef(changes[:, 201 - 20 - 1 : 200])[0, 1]
    assert row["correlation"] == pytest.approx(exact, rel=1e-9)


def test_what_says_nothing_new_is_no_sample():
    quotes, *_ = series(200)
    quotes = quotes[np.concatenate([[True, True], quotes["bid"][2:] != quotes["bid"][:-2]])]
    twice = correlate(np.repeat(quotes, 2), every="change")
    once = correlate(quotes, every="event")
    names = ["cause", "correlation", "state"]
    assert twice[twice["cause"] > 2][::2][names].tolist() == once[once["cause"] > 2][names].tolist()


def test_states():
    quotes, *_ = series(60)
    quotes["state"][100:104] = 1
    rows = correlate(quotes)
    assert (rows["state"][(rows["cause"] > 100) & (rows["cause"] <= 104)] & LEG).all()
    quotes["bid"][quotes["instrument"] == 1] = quotes["ask"][quotes["instrument"] == 1] = 77
    still = correlate(quotes)
    assert still["state"][-1] == DEGENERATE
    assert not still["correlation"].any()


def test_silence_strangers_and_parameters_that_cannot_be():
    assert len(correlate(tape())) == 0
    assert len(correlate(tape(quote(1, START, 3, 1, 2)), DESK)) == 0
    with pytest.raises(InvariantError, match=r"'two', correlation, input 9: .* 0 to 1, got one of number 2"):
        correlate(tape(quote(9, START, 2, 1, 2)))
    with pytest.raises(ConfigError, match="desk 'bare' has no pairs to correlate"):
        correlate(tape(), Desk(id="bare", instruments=DESK.instruments))
    with pytest.raises(ValueError, match="every must be longer than 0"):
        correlate(tape(), every="0s")
