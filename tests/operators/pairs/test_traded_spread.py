"""Spreads of traded pairs are those that `spread` measures on a desk of these pairs alone, from their promotion on."""

import pickle
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from operators.operator import Desk
from operators.pairs.discovery_example import universe_desk, universe_quotes
from operators.pairs.spread import Spread
from operators.pairs.traded_spread import TradedSpread
from schemas.errors import ConfigError, InvariantError
from schemas.record import Frame
from schemas.signal import SPREADS, TRADED_PAIRS, Membership
from tests.operators.pairs.tape import DESK

PROMOTED, RETIRED = int(Membership.PROMOTED), int(Membership.RETIRED)
DESK_OF_8 = universe_desk(8)
QUOTES = universe_quotes(1, 8, 120, 60)
KINDS = [
    ({"type": "rolling", "window": 5}, {"type": "rolling", "window": 4}),
    ({"type": "rolling", "window": "6s"}, {"type": "rolling", "window": "5s"}),
    ({"type": "tls", "window": 5}, {"type": "ewm", "half_life": 2}),
    ({"type": "ewls", "half_life": 2}, {"type": "ewm", "half_life": 2}),
    ({"type": "kalman", "warm_up": 3, "adapt": 4}, {"type": "innovation"}),
]


def parameters(kind: int = 0) -> dict:
    hedge, zscore = KINDS[kind]
    return {"hedge": hedge, "zscore": zscore, "every": "1s", "price": "log_mid"}


def traded_spread(desk: Desk = DESK_OF_8, **given) -> TradedSpread:
    return TradedSpread(TradedSpread.Parameters(**given or parameters()), desk)


def change(cause: int, pair: int, state: int) -> tuple:
    return (cause, 0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0, pair, state)


def measure(operator: TradedSpread, quotes: Frame, *changes: tuple) -> Frame:
    frames = {"quotes": quotes} | ({"traded": TRADED_PAIRS.rows(changes)} if changes else {})
    return operator.process(frames).get("spreads", SPREADS.empty).copy()


def alone(pair: int, since: int, until: int, kind: int) -> Frame:
    """What `spread` makes of the pair's quotes with causes from `since` up to, and without, `until`."""
    desk = replace(DESK_OF_8, pairs=(DESK_OF_8.pairs[pair],))
    quotes = QUOTES[(QUOTES["cause"] >= since) & (QUOTES["cause"] < until)]
    spreads = Spread(Spread.Parameters(**parameters(kind)), desk).process({"quotes": quotes})["spreads"].copy()
    spreads["pair"] = pair
    return spreads


@pytest.mark.parametrize("kind", range(len(KINDS)))
def test_rows_are_those_of_the_pairs_from_promotion_to_retirement(kind):
    stays = [(0, 100, 400), (27, 100, 961), (0, 500, 700), (12, 501, 961), (5, 600, 650)]
    changes = sorted(
        [change(since, pair, PROMOTED) for pair, since, _ in stays]
        + [change(until, pair, RETIRED) for pair, _, until in stays if until < 961]
    )
    rows = measure(traded_spread(**parameters(kind)), QUOTES, *changes)
    wanted = np.concatenate([alone(pair, since, until, kind) for pair, since, until in stays])
    wanted = wanted[np.lexsort((wanted["pair"], wanted["cause"]))]
    assert (rows["state"] == 0).sum() > 100
    assert rows.tobytes() == wanted.tobytes()


def test_nothing_is_measured_before_the_first_promotion():
    assert len(measure(traded_spread(), QUOTES)) == 0
    assert traded_spread().process({}) == {}


def test_there_is_room_for_all_pairs():
    operator = traded_spread()
    early, late = QUOTES[:480], QUOTES[480:]
    rows = [measure(operator, early, *(change(1, pair, PROMOTED) for pair in range(10)))]
    rows.append(measure(operator, late, *(change(481, pair, PROMOTED) for pair in range(10, 28))))
    rows = np.concatenate(rows)
    wanted = np.concatenate([alone(pair, 1 if pair < 10 else 481, 961, 0) for pair in range(28)])
    wanted = wanted[np.lexsort((wanted["pair"], wanted["cause"]))]
    assert rows.tobytes() == wanted.tobytes()


def test_a_promotion_or_retirement_that_changes_nothing():
    twice = [change(1, 3, PROMOTED), change(200, 3, PROMOTED), change(300, 4, RETIRED)]
    assert measure(traded_spread(), QUOTES, *twice).tobytes() == alone(3, 1, 961, 0).tobytes()


CHANGES = st.lists(st.tuples(st.integers(1, 960), st.integers(0, 27), st.sampled_from([PROMOTED, PROMOTED, RETIRED])))


@settings(max_examples=40)
@given(CHANGES, st.lists(st.integers(0, 960), max_size=5), st.booleans())
def test_neither_the_cut_nor_a_restart_matters(changes, causes, reborn):
    frames = {"quotes": QUOTES, "traded": TRADED_PAIRS.rows(sorted(change(*c) for c in changes))}
    operator, parts = traded_spread(), [SPREADS.empty]
    edges = [0, *sorted(set(causes)), 960]
    for after, edge in pairwise(edges):
        piece = {name: f[(f["cause"] > after) & (f["cause"] <= edge)] for name, f in frames.items()}
        parts.append(operator.process(piece).get("spreads", SPREADS.empty).copy())
        if reborn:
            state = pickle.dumps(operator.snapshot())
            operator.process(piece)
            operator = traded_spread()
            operator.restore(pickle.loads(state))
    whole = traded_spread().process(frames).get("spreads", SPREADS.empty)
    assert np.concatenate(parts).tobytes() == whole.tobytes()


def test_executable_rows_belong_to_their_pairs():
    operator = traded_spread(**parameters() | {"executable": True})
    found = operator.process({"quotes": QUOTES, "traded": TRADED_PAIRS.rows([change(1, 20, PROMOTED)])})
    assert set(found["spreads"]["pair"]) == {20}
    assert found["spread_quotes"][["cause", "pair"]].tolist() == found["spreads"][["cause", "pair"]].tolist()


def test_what_cannot_be():
    with pytest.raises(ConfigError, match="pairs that are found have no `static` hedge; use `rolling`"):
        traded_spread(zscore={"type": "ewm", "half_life": 5})
    with pytest.raises(ConfigError, match=r"desk 'bare' has no pairs to choose from; .* `every_pair: true`"):
        traded_spread(Desk(id="bare", instruments=DESK.instruments))
    with pytest.raises(InvariantError, match=r"traded_spread, input 7: .* pair numbered 0 to 27, got one of number 28"):
        measure(traded_spread(), QUOTES, change(7, 28, PROMOTED))
