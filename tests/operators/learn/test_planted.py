"""A desk whole, from quotes to account: what a model is worth where there is something to know, and where not."""

import numpy as np
import pytest

from schemas.learn import ModelEventKind, PredictionState
from schemas.signal import Action
from tests.operators.learn.planted import Market, Traded, quotes_of, seen, trade
from tests.operators.pairs.tape import SECOND, START

SEEDS = range(20)
SLOW = {"class": "river.optim.SGD", "parameters": {"lr": 0.02}}
MODEL = [
    {"class": "river.preprocessing.StandardScaler"},
    {"class": "river.linear_model.LogisticRegression", "parameters": {"optimizer": SLOW}},
]
TOLD, UNTOLD = Market(reverts=0.6, tells=0.85), Market(reverts=0.85)
EXPECTED = {"min_probability": 0.0, "min_expected_bps": 0.0}
SIZED = {"min_probability": 0.0, "sizing": {"type": "kelly", "capital": 1_000_000, "fraction": 0.01}}


def gains(market: Market) -> np.ndarray:
    """A row per seed, after costs: without a model, by its probability, by expected gain, sized by Kelly."""
    rows = []
    for seed in SEEDS:
        frames = seen(quotes_of(market, seed, 2500))
        gated = trade(frames, {"model": MODEL})
        told = frames | {"predictions": gated.rows["predictions"]}
        rows.append([trade(frames).gain, gated.gain, trade(told, **EXPECTED).gain, trade(told, **SIZED).gain])
    return np.array(rows)


def test_where_deviations_tell_every_gate_beats_none_after_costs():
    found = gains(TOLD)
    assert (found[:, 1:] > found[:, :1]).all(), found
    without, probability, expected, sized = found.mean(axis=0)
    assert without < -200 < probability < expected
    assert sized > 0 > without


def test_where_they_do_not_it_does_no_harm_to_speak_of():
    """Nothing of the mean gain is lost by the probability, a quarter at most by expected gain or Kelly."""
    found = gains(UNTOLD)
    without, probability, expected, sized = found.mean(axis=0)
    assert without > 150
    assert probability > 0.95 * without
    assert min(expected, sized) > 0.75 * without
    assert (found[:, 1] - found[:, 0]).min() > -0.1 * without


BREAKS_S = 3000
PAUSE = {"detector": {"class": "river.drift.ADWIN"}, "size": 0.0, "outcomes": 60}
SLOWER = [MODEL[0], {"class": MODEL[1]["class"], "parameters": {"optimizer": SLOW | {"parameters": {"lr": 0.002}}}}]


def drifts(traded: Traded) -> np.ndarray:
    """Seconds at which drift was found."""
    events = traded.rows.get("events")
    return np.empty(0) if events is None else (events["ts"][events["kind"] == ModelEventKind.DRIFT] - START) / SECOND


def test_a_regime_that_ends_is_found_entries_pause_and_less_is_lost():
    """Pairs that stop reverting: found within 50 entries in each of six sessions, and the pause saves money."""
    saved = []
    for seed in range(6):
        frames = seen(quotes_of(Market(0.9, 0.5, BREAKS_S, 0.3), seed, 4500))
        plain, paused = trade(frames, {"model": SLOWER}), trade(frames, {"model": SLOWER, "drift": PAUSE})
        (found, *_) = drifts(paused)
        assert found > BREAKS_S
        entered = (plain.rows["signals"]["ts"][plain.rows["signals"]["action"] == Action.ENTER] - START) / SECOND
        assert ((entered > BREAKS_S) & (entered <= found)).sum() < 50
        drift, calm = paused.rows["events"]["cause"][:2]
        told = paused.rows["predictions"]
        during = (told["cause"] >= drift) & (told["cause"] < calm)
        assert during.sum() > 50
        assert (told["size"] == np.where(during, 0.0, 1.0))[told["cause"] < calm].all()
        assert (told["state"][during] & PredictionState.PAUSED).all()
        signals = paused.rows["signals"]
        paused_now = (signals["cause"] >= drift) & (signals["cause"] < calm)
        assert Action.ENTER not in signals["action"][paused_now]
        saved.append(paused.gain - plain.gain)
    assert np.mean(saved) > 10, saved


@pytest.mark.parametrize("seed", range(6))
def test_no_alarm_where_nothing_changes(seed):
    frames = seen(quotes_of(Market(0.9), seed, 4500))
    model = {"model": SLOWER, "drift": PAUSE}
    assert len(drifts(trade(frames, model))) == 0
