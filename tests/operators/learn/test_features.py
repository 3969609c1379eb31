import math
import pickle
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from operators.learn.features import Features
from operators.operator import Desk
from schemas.errors import ConfigError, InvariantError
from schemas.learn import FEATURE_NAMES, FEATURES
from schemas.market import EVENTS, EventKind
from schemas.record import Frame
from schemas.signal import SPREADS
from tests.operators.pairs.tape import DESK, SECOND, START, TWO, tape

DAY = 86_400 * SECOND


def features(desk=TWO, **parameters):
    return Features(Features.Parameters(**{"every": "event", "half_life": 1.0} | parameters), desk)


def look(operator, quotes, spreads, events=EVENTS.empty) -> Frame:
    return (
        operator.process({"events": events.copy(), "quotes": quotes, "spreads": spreads})
        .get("features", FEATURES.empty)
        .copy()
    )


def measured(cause, ts, z, deviation=1.0, pair=0, state=0):
    return (cause, ts, 0.0, 1.0, 0.0, 0.0, deviation, z, pair, state)


def expected_rows(example, every, half_life) -> list[tuple]:
    """The features again, from their description, over all input at once."""
    alpha = 1 - 0.5 ** (1 / half_life)
    quotes, spreads = (example.frames[port] for port in ("quotes", "spreads"))
    usable = [quotes[(quotes["instrument"] == i) & (quotes["state"] == 0)] for i in range(8)]
    rows = []
    for pair, legs in enumerate(example.desk.legs):
        own = spreads[(spreads["pair"] == pair) & (spreads["state"] == 0)]
        bests = [np.searchsorted(usable[leg]["cause"], own["cause"], side="right") - 1 for leg in legs]
        own, *bests = (column[np.minimum(*bests) >= 0] for column in (own, *bests))
        chosen = np.unique(own["ts"] // every, return_index=True)[1] if every else np.arange(len(own))
        y, x = (books(usable[leg][best[chosen]]) for leg, best in zip(legs, bests, strict=True))
        own, usual, first_at = own[chosen], own["deviation"][0], {}
        for k, s in enumerate(own):
            regime, usual = s["deviation"] / usual, (1 - alpha) * usual + alpha * s["deviation"]
            first_at.setdefault(s["ts"], s["z"])
            if k:
                before, now = [*first_at][-2:] if len(first_at) > 1 else (-math.inf, s["ts"])
                turn = 2 * math.pi * (s["ts"] % DAY) / DAY
                sides = [value for both in zip(y[k], x[k], strict=True) for value in both]
                velocity = (first_at[now] - first_at.get(before, 0.0)) / ((now - before) / 1e9)
                seen = (velocity, regime, *sides, *flows_at(example, legs, s), math.sin(turn), math.cos(turn))
                rows.append((*s[["cause", "ts", "z"]], *seen, s["hedge"], pair))
    return rows


def flows_at(example, legs, s) -> list[float]:
    """The flow of every leg by its definition: the weights of all trades so far, halved each second."""
    events, flows = example.frames["events"], []
    is_trade = np.isin(events["kind"], [EventKind.EXECUTE, EventKind.TRADE])
    for leg in legs:
        own = events[is_trade & (events["instrument"] == leg) & (events["cause"] <= s["cause"])]
        last = own["ts"][-1] if len(own) else 0
        weights = own["qty"] * 0.5 ** ((last - own["ts"]) / SECOND)
        net = (weights * np.where(own["side"] == 1, 1, -1)).sum()
        flows.append(net / weights.sum() * 0.5 ** ((s["ts"] - last) / SECOND) if weights.sum() else 0.0)
    return flows


def books(q) -> Frame:
    """Imbalance, microprice and width of every quote, a row each."""
    mid, qty = (q["bid"] + q["ask"]) / 2, q["bid_qty"] + q["ask_qty"]
    micro = (q["bid"] * q["ask_qty"] + q["ask"] * q["bid_qty"]) / qty
    return np.column_stack([(q["bid_qty"] - q["ask_qty"]) / qty, (micro - mid) / mid, (q["ask"] - q["bid"]) / mid])


@pytest.mark.parametrize("every", ["300ms", "event"])
def test_rows_are_the_oracles(every):
    example = Features.example(3)
    operator = features(example.desk, every=every, half_life=20.0, flow_half_life="1s")
    rows = look(operator, *(example.frames[port] for port in ("quotes", "spreads", "events")))
    rows = rows[np.argsort(rows["pair"], kind="stable")]
    wanted = FEATURES.rows(expected_rows(example, 300_000_000 if every == "300ms" else 0, 20.0))
    assert rows[["cause", "ts", "pair"]].tolist() == wanted[["cause", "ts", "pair"]].tolist()
    assert len(rows) > 1_000
    for name in FEATURE_NAMES:
        np.testing.assert_allclose(rows[name], wanted[name], rtol=1e-9, atol=1e-12, err_msg=name)


QUOTES_OF_BOTH = tape((1, START, START, 99, 101, 30, 10, 0, 0), (1, START, START, 199, 201, 10, 10, 1, 0))


def test_a_row_by_hand():
    spreads = SPREADS.rows([measured(1, START, 1.0), measured(2, START + 2 * SECOND, 2.0, deviation=3.0)])
    (row,) = look(features(), QUOTES_OF_BOTH, spreads)
    assert row[["cause", "z", "velocity", "regime"]].tolist() == (2, 2.0, 0.5, 3.0)
    assert row[["y_imbalance", "x_imbalance"]].tolist() == (0.5, 0.0)
    np.testing.assert_allclose([row["y_microprice"], row["x_microprice"]], [0.005, 0.0], atol=1e-15)
    np.testing.assert_allclose([row["y_width"], row["x_width"]], [0.02, 0.01])
    np.testing.assert_allclose(row["day_sine"] ** 2 + row["day_cosine"] ** 2, 1.0)


def test_samples_of_one_time_have_one_velocity():
    times = [(1, 0, 0.0), (2, 1, 1.0), (3, 1, 9.0), (4, 3, 2.0)]
    spreads = SPREADS.rows([measured(cause, START + s * SECOND, z) for cause, s, z in times])
    assert look(features(), QUOTES_OF_BOTH, spreads)["velocity"].tolist() == [1.0, 1.0, 0.5]


def test_unusable_rows_and_unquoted_legs_are_not_looked_at():
    rows = [measured(k, START + k * SECOND, 1.0, state=k % 2) for k in range(1, 9)]
    assert look(features(), QUOTES_OF_BOTH, SPREADS.rows(rows))["cause"].tolist() == [4, 6, 8]
    assert len(look(features(), QUOTES_OF_BOTH[:1], SPREADS.rows(rows))) == 0
    nothing_above_0 = QUOTES_OF_BOTH.copy()
    nothing_above_0["bid"][0] = -101
    assert len(look(features(), nothing_above_0, SPREADS.rows(rows))) == 0
    assert features().process({}) == {}


@settings(max_examples=20)
@given(st.lists(st.integers(0, 2_200), max_size=5))
def test_neither_the_cut_nor_a_restart_matters(causes):
    example = Features.example(1)
    operator, parts = features(example.desk, every="300ms"), []
    edges = [0, *sorted({*causes, 10_000})]
    for after, edge in pairwise(edges):
        cut = [f[(f["cause"] > after) & (f["cause"] <= edge)] for f in map(example.frames.get, ("quotes", "spreads"))]
        parts.append(look(operator, *cut))
        state = pickle.dumps(operator.snapshot())
        operator = features(example.desk, every="300ms")
        operator.restore(pickle.loads(state))
    whole = look(features(example.desk, every="300ms"), example.frames["quotes"], example.frames["spreads"])
    assert np.concatenate(parts).tolist() == whole.tolist()


def test_what_cannot_be():
    with pytest.raises(InvariantError, match=r"'two', features, input 4: .* 0 to 0, got one of number 1"):
        look(features(), tape(), SPREADS.rows([measured(4, START, 0.0, pair=1)]))
    with pytest.raises(ValueError, match="every must be longer than 0; `event` samples at every usable row"):
        features(every="0s")
    with pytest.raises(ConfigError, match="desk 'bare' has no pairs, so no features"):
        features(Desk(id="bare", instruments=DESK.instruments))
