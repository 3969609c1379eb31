"""Which outcome an example has, and when it is learned: the order of all that is done with a model."""

import pickle
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from schemas.learn import PredictionState
from tests.operators.learn.tape import RECORDER, features_of, model, predict, run, spreads_of
from tests.operators.pairs.tape import SECOND

EXIT, STOP, HORIZON_S = 0.5, 4.0, 10


def recorder(**parameters):
    return model(model=RECORDER, **parameters)


def log_of(operator) -> list:
    return [(int(row), outcome) for row, outcome in operator._contenders[0].learners[0].model.log]


def done(spreads, features) -> list:
    """(row of features, None) where it was asked, (row of features, outcome) where it was learned."""
    operator = recorder()
    run(operator, spreads_of(*spreads), features_of(*features))
    return log_of(operator)


@pytest.mark.parametrize(
    ("spreads", "features", "expected"),
    [
        pytest.param([(1, 1, 2.0)], [(1, 1, 2.0)], [(0, None)], id="its own row decides nothing"),
        pytest.param([(2, 2, 0.5)], [(1, 1, 2.0)], [(0, None), (0, True)], id="back at the exit"),
        pytest.param([(2, 2, -9.0)], [(1, 1, 2.0)], [(0, None), (0, True)], id="on the other side"),
        pytest.param([(2, 2, 4.0)], [(1, 1, 2.0)], [(0, None), (0, False)], id="at the stop"),
        pytest.param([(2, 2, 3.9), (3, 3, 0.6)], [(1, 1, 2.0)], [(0, None)], id="neither yet"),
        pytest.param([(2, 2, 4.0), (3, 3, 0.0)], [(1, 1, 2.0)], [(0, None), (0, False)], id="the first counts"),
        pytest.param([(2, 2, -0.5)], [(1, 1, -2.0)], [(0, None), (0, True)], id="back from below"),
        pytest.param([(2, 2, -4.0)], [(1, 1, -2.0)], [(0, None), (0, False)], id="stopped below"),
        pytest.param([(2, 11, 0.0)], [(1, 1, 2.0)], [(0, None), (0, True)], id="back at the end of the horizon"),
        pytest.param([(2, 11.1, 0.0)], [(1, 1, 2.0)], [(0, None), (0, False)], id="back after it"),
        pytest.param([(2, 11.1, 0.0, 1)], [(1, 1, 2.0)], [(0, None), (0, False)], id="another pair tells the time"),
        pytest.param([(2, 11.1, 0.0, 0, 1)], [(1, 1, 2.0)], [(0, None), (0, False)], id="so does an unusable row"),
        pytest.param([(2, 2, 0.0, 1)], [(1, 1, 2.0)], [(0, None)], id="another pair decides nothing"),
        pytest.param([(2, 2, 0.0, 0, 2)], [(1, 1, 2.0)], [(0, None)], id="an unusable row decides nothing"),
        pytest.param([], [(1, 1, 2.0), (2, 12, 3.0)], [(0, None), (0, False), (1, None)], id="learned, then asked"),
        pytest.param(
            [(2, 2, 0.0)], [(1, 1, 2.0), (2, 2, 2.0)], [(0, None), (0, True), (1, None)], id="also of one cause"
        ),
        pytest.param([(2, 2, 0.0)], [(1, 1, 0.5), (1, 1, 4.0), (1, 1, -0.2)], [], id="nothing to predict"),
    ],
)
def test_what_becomes_of_a_deviation(spreads, features, expected):
    assert done(spreads, features) == expected


def test_nothing_to_predict_is_said():
    rows = predict(recorder(), spreads_of(), features_of((1, 1, 0.5), (2, 2, 2.0), (3, 3, -4.0)))
    assert rows["state"].tolist() == [PredictionState.OUTSIDE, PredictionState.OK, PredictionState.OUTSIDE]
    assert rows["probability"].tolist() == [0.0, 0.5, 0.0]


def expected_log(spreads, features) -> list:
    """The same again: every open example is looked at for every row."""
    timeline = sorted(
        [(r["cause"], 0, i, r) for i, r in enumerate(spreads)]
        + [(r["cause"], 1, i, r) for i, r in enumerate(features)],
        key=lambda entry: entry[:3],
    )
    log, open_ = [], []
    for _, is_features, i, row in timeline:
        late = [e for e in open_ if row["ts"] > e[1]["ts"] + HORIZON_S * SECOND]
        decided = [(e, False) for e in late]
        rest = [e for e in open_ if e not in late]
        if not is_features and row["state"] == 0:
            for sign in (1, -1):
                own = [e for e in rest if e[1]["pair"] == row["pair"] and np.sign(e[1]["z"]) == sign]
                if sign * row["z"] <= EXIT or sign * row["z"] >= STOP:
                    decided += [(e, sign * row["z"] <= EXIT) for e in own]
        log += [(e[0], outcome) for e, outcome in decided]
        open_ = [e for e in open_ if all(e is not other for other, _ in decided)]
        if is_features and EXIT < abs(row["z"]) < STOP:
            log.append((i, None))
            open_.append((i, row))
    return log


@st.composite
def rows(draw):
    """Spreads and features with shared causes and clock."""
    z = st.sampled_from([-5.0, -4.0, -2.0, -0.5, 0.0, 0.5, 1.0, 2.0, 3.0, 4.0])
    step = st.tuples(
        st.booleans(), st.sampled_from([None, 0, 1, 4, 10, 11]), z, st.integers(0, 2), st.sampled_from([0, 0, 0, 1])
    )
    cause, clock, spreads, features = 1, 0, [], []
    for is_features, pause, value, pair, state in draw(st.lists(step, max_size=60)):
        if pause is not None:
            cause, clock = cause + 1, clock + pause
        (features if is_features else spreads).append((cause, clock, value, pair, *(() if is_features else (state,))))
    return spreads_of(*spreads), features_of(*features)


@settings(max_examples=150)
@given(rows(), st.lists(st.integers(0, 40), max_size=4))
def test_all_is_done_in_the_oracles_order_however_input_is_cut(frames, causes):
    spreads, features = frames
    operator, wanted = recorder(), expected_log(spreads, features)
    edges = [0, *sorted({*causes, 100})]
    for after, edge in pairwise(edges):
        run(operator, *(f[(f["cause"] > after) & (f["cause"] <= edge)] for f in (spreads, features)))
        operator._schedule.forget_closed(operator._schedule.open, operator._schedule.open + 10)
        state = pickle.dumps(operator.snapshot())
        operator = recorder()
        operator.restore(pickle.loads(state))
    event(f"{len(wanted) // 20 * 20} or more steps")
    assert log_of(operator) == wanted


def test_thousands_of_examples_are_open_at_once():
    count = 5_000
    features = features_of(*[(k, k / 1000, 2.0 if k % 3 else -2.0, k % 3) for k in range(1, count + 1)])
    operator = recorder()
    for piece in np.array_split(features, 7):
        run(operator, spreads_of(), piece)
        reborn = recorder()
        reborn.restore(operator.snapshot())
        operator = reborn
    run(operator, spreads_of((count + 1, 6, 0.0, 1), (count + 2, 60, 3.0, 0)), features[:0])
    log = log_of(operator)
    learned = [(row, outcome) for row, outcome in log if outcome is not None]
    assert sorted(row for row, _ in learned) == list(range(count))
    assert [row for row, outcome in learned if outcome] == [k - 1 for k in range(1, count + 1) if k % 3 == 1]
    assert operator._asked == {}
