"""A simulated session's truth is found again by the flow: hedge ratios, half-lives, and who earns."""

import json
import math
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from flows.chain import Chain
from flows.config import load
from flows.graph import build_graph
from operators.operator import Desk
from operators.simulator.files import write_session
from operators.simulator.parameters import SessionParameters
from operators.sources.desk_input import DeskInput
from schemas.record import Frame

SESSION = SessionParameters(symbols=24, groups=3, pairs=60, controls=40, messages=400_000, seed=11)

WINDOW = "{type: rolling, window: 360}"

CONFIG = """
run: truth
target: chdb://unused
data: {session}
instruments: instruments.yaml
desks:
  - id: main
    capital: 50_000_000
    feeds: [{{id: itch, format: itch50, path: session.itch, date: 2026-01-05, timezone: America/New_York}}]
    pairs: {pairs}
operators:
  - {{id: itch, type: itch50, input: feeds, feed: itch, date: 2026-01-05}}
  - {{id: book, type: book, input: itch}}
  - {{id: spread, type: spread, input: book, hedge: {hedge}, zscore: {zscore}, every: {every}}}
  - {{id: bands, type: bands, input: spread, entry: 2.2, exit: 0.2, notional: 20_000, min_hedge: 0.02, max_hedge: 50}}
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
  - {{id: venue, type: simulated_venue, input: [limits, book], latency: 1ms, report: 1ms}}
  - {{id: portfolio, type: portfolio, input: [venue, book]}}
tables: {{spreads: {{every: 30s}}, quotes: {{every: 30s}}}}
"""


@dataclass
class Run:
    desk: Desk
    truth: dict[str, dict[str, Any]]
    rows: dict[str, Frame]


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_session(SESSION, tmp_path_factory.mktemp("truth") / "session")


def run(session: Path, **settings: Any) -> Run:
    path = session.parent / "truth.yaml"
    path.write_text(CONFIG.format(session=session, **settings))
    config = load(path)
    chain = Chain(build_graph(config), config.desk("main"))
    parts: dict[str, list[Frame]] = {}
    with closing(DeskInput([(f, config.feed_path(f)) for f in config.desks[0].feeds], 4_096, None, "main")) as source:
        while (raw := source.next()) is not None:
            for name, (_, frame) in chain.process(raw).streams.items():
                parts.setdefault(name, []).append(frame)
    truth = {pair["id"]: pair for pair in json.loads((session / "truth.json").read_text())["pairs"]}
    return Run(config.desk("main"), truth, {name: np.concatenate(frames) for name, frames in parts.items()})


@pytest.fixture(scope="module")
def rolling(session: Path) -> Run:
    """The strategy as a user runs it: hedge ratios are learned."""
    return run(session, pairs="pairs.yaml", hedge="{type: rolling, window: 3600}", zscore=WINDOW, every="5s")


def test_hedge_ratios_are_found(rolling: Run) -> None:
    """Regression on a five-hour window leans towards zero by the noise in x: 12 % in the median at most."""
    spreads = rolling.rows["spreads"]
    errors = []
    for number, pair in enumerate(rolling.desk.pairs):
        mine = spreads[(spreads["pair"] == number) & (spreads["state"] == 0)]
        if rolling.truth[pair.id]["cointegrated"] and len(mine):
            errors.append(mine[-1]["hedge"] / rolling.truth[pair.id]["hedge"] - 1)
    assert len(errors) == SESSION.pairs
    print("hedge errors", np.percentile(errors, [5, 50, 95]))
    assert abs(np.median(errors)) < 0.12
    assert np.mean(np.abs(errors) < 0.25) > 0.9


def test_half_lives_are_found(session: Path) -> None:
    """AR(1) on 30 s samples of the spread at the true hedge: within 20 % in the median, 45 % for most."""
    truth = json.loads((session / "truth.json").read_text())["pairs"]
    pairs = [
        dict(zip(("id", "y", "x"), (p["id"], *p["id"].split("/")), strict=True)) | {"hedge": p["hedge"]}
        for p in truth
        if p["cointegrated"]
    ]
    found = run(session, pairs=json.dumps(pairs), hedge="{type: static}", zscore=WINDOW, every="30s")
    errors = []
    for number, pair in enumerate(found.desk.pairs):
        spreads = found.rows["spreads"]
        s = spreads[(spreads["pair"] == number) & (spreads["state"] & ~1 == 0)]["spread"]
        s = s - s.mean()
        slope = float(s[1:] @ s[:-1] / (s[:-1] @ s[:-1]))
        errors.append(30 * math.log(0.5) / math.log(slope) / found.truth[pair.id]["half_life_s"] - 1)
    print("half-life errors", np.percentile(errors, [5, 50, 95]))
    assert abs(np.median(errors)) < 0.2
    assert np.mean(np.abs(errors) < 0.45) > 0.9


def profits(found: Run) -> dict[bool, float]:
    """Profit before fees, what is still open at the last mid: of cointegrated pairs, and of the others."""
    quotes, fills = found.rows["quotes"], found.rows["fills"]
    last_mids = np.zeros(len(found.desk.instruments))
    last_mids[quotes["instrument"]] = (quotes["bid"] + quotes["ask"]) / 2  # later rows overwrite earlier ones
    gains = fills["side"] * fills["qty"] * (last_mids[fills["instrument"]] - fills["price"]) * 0.01
    is_cointegrated = np.array([found.truth[pair.id]["cointegrated"] for pair in found.desk.pairs])[fills["pair"]]
    return {kind: float(gains[is_cointegrated == kind].sum()) for kind in (True, False)}


def test_the_strategy_earns_on_cointegrated_pairs_alone(tmp_path: Path) -> None:
    """Over eight sessions: on cointegrated pairs in every one, on independent walks not distinguishable from chance."""
    totals: dict[bool, list[float]] = {True: [], False: []}
    for seed in range(8):
        parameters = SESSION.model_copy(update={"seed": seed, "messages": 200_000, "groups": 8, "pairs": 20})
        session = write_session(parameters, tmp_path / str(seed) / "session")
        found = run(session, pairs="pairs.yaml", hedge="{type: rolling, window: 1800}", zscore=WINDOW, every="5s")
        for kind, profit in profits(found).items():
            totals[kind].append(profit)
    score = np.mean(totals[False]) / np.std(totals[False], ddof=1) * math.sqrt(len(totals[False]))
    print("profits", {kind: np.round(p, 0).tolist() for kind, p in totals.items()}, "t-value of the walks", score)
    assert min(totals[True]) > 0
    assert abs(score) < 2.4  # 5 % of a t-distribution with 7 degrees of freedom
