"""A simulated exchange session whose books tell where prices go, from its bytes to the account."""

from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from flows.chain import Chain
from flows.config import load
from flows.graph import build_graph
from operators.simulator.files import write_session
from operators.simulator.parameters import SessionParameters
from operators.sources.desk_input import DeskInput
from schemas.record import Frame

CAPITAL = 50_000_000
LEAVES = "exit: 0.3, stop: 5"
CONFIG = """
run: telling
target: chdb://unused
data: {session}
instruments: instruments.yaml
desks:
  - id: main
    capital: 50_000_000
    feeds: [{{id: itch, format: itch50, path: session.itch, date: 2026-01-05, timezone: America/New_York}}]
    pairs: pairs.yaml
operators:
  - {{id: itch, type: itch50, input: feeds, feed: itch, date: 2026-01-05}}
  - {{id: book, type: book, input: itch}}
  - id: spread
    type: spread
    input: book
    hedge: {{type: rolling, window: 120}}
    zscore: {{type: rolling, window: 60}}
    every: 5s
  - {{id: features, type: features, input: [itch, book, spread], every: 5s}}
  - id: model
    type: model
    input: [book, features, spread]
    model:
      - {{class: river.preprocessing.StandardScaler}}
      - class: river.linear_model.LogisticRegression
        parameters: {{optimizer: {{class: river.optim.SGD, parameters: {{lr: 0.005}}}}}}
    target: {{type: reverts, {leaves}, horizon: 10m, min_gain_bps: 0}}
    taker_bps: 0.1
  - id: bands
    type: bands
    input: {read}
    entry: 2
    {gate}
    max_hold: 10m
    notional: 20_000
    exit: 0.3
    stop: 5
  - {{id: trader, type: trader, input: [bands, book]}}
  - id: limits
    type: limits
    input: [trader, book]
    position: 40_000_000
    order: 100_000
    gross: 49_000_000
    net: 49_000_000
    daily_loss: 5_000_000
    collar_bps: 500
    rate: 5000
  - {{id: venue, type: simulated_venue, input: [limits, book], latency: 1ms, report: 1ms, taker_bps: 0.1}}
  - {{id: portfolio, type: portfolio, input: [venue, book]}}
tables: {{features: on}}
"""
GATE = "min_probability: 0\n    min_expected_bps: 0"


def simulated(folder: Path, telling: float, seed: int, messages: int) -> Path:
    session = SessionParameters(
        symbols=16,
        groups=4,
        pairs=24,
        messages=messages,
        hours=2,
        seed=seed,
        half_life=("60s", "120s"),
        telling=telling,
    )
    return write_session(session, folder / f"session-{seed}-{telling}")


def run(session: Path, gated: bool = False) -> dict[str, Frame]:
    path = session.parent / "config.yaml"
    read, gate = ("[spread, model]", GATE) if gated else ("spread", "cooldown: 0s")
    path.write_text(CONFIG.format(session=session, read=read, gate=gate, leaves=LEAVES))
    config = load(path)
    chain = Chain(build_graph(config), config.desk("main"))
    parts: dict[str, list[Frame]] = {}
    with closing(DeskInput([(f, config.feed_path(f)) for f in config.desks[0].feeds], 4_096, None, "main")) as source:
        while (raw := source.next()) is not None:
            for name, (_, frame) in chain.process(raw).streams.items():
                parts.setdefault(name, []).append(frame)
    return {name: np.concatenate(frames) for name, frames in parts.items()}


def gain(rows: dict[str, Frame]) -> float:
    return float(rows["equity"]["equity"][-1]) / 10**8 - CAPITAL


def told_by_imbalance(features: Frame) -> np.ndarray:
    """Weights of y's and x's imbalance beside z in the best linear forecast of z's change over a minute."""
    rows = []
    for pair in np.unique(features["pair"]):
        own = features[features["pair"] == pair]
        later = np.searchsorted(own["ts"], own["ts"] + 60 * 10**9)
        now = np.flatnonzero(later < len(own))
        seen = [own[name][now] for name in ("z", "y_imbalance", "x_imbalance")]
        rows.append(np.column_stack([own["z"][later[now]] - own["z"][now], *seen, np.ones(len(now))]))
    table = np.concatenate(rows)
    return np.linalg.lstsq(table[:, 1:], table[:, 0], rcond=None)[0][1:3]


def test_books_tell_where_prices_go_if_they_are_asked_to(tmp_path):
    y, x = told_by_imbalance(run(simulated(tmp_path, 0.9, seed=0, messages=60_000))["features"])
    assert y > 0.2
    assert x < -0.1
    silent = told_by_imbalance(run(simulated(tmp_path, 0.0, seed=0, messages=60_000))["features"])
    assert np.abs(silent).max() < 0.1


@pytest.mark.soak
def test_the_gate_beats_none_after_costs_in_twenty_sessions(tmp_path):
    better = []
    for seed in range(20):
        session = simulated(tmp_path, 0.9, seed, messages=200_000)
        better.append(gain(run(session, gated=True)) - gain(run(session)))
    assert min(better) > 0, better
    print(f"gained more by the gate: {np.mean(better):,.0f} in the mean, {min(better):,.0f} at least")
