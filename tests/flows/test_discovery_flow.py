"""The declared flow over a simulated session: what is found is true, is traded while it lasts, and left in order."""

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from flows.chain import Chain
from flows.config import Config, load
from flows.graph import build_graph
from operators.simulator.files import write_session
from operators.simulator.parameters import SessionParameters
from operators.sources.desk_input import DeskInput
from schemas.market import RawFrame
from schemas.record import Frame
from schemas.signal import Action, Membership
from tests.conftest import ROOT

SESSION = SessionParameters(symbols=24, groups=8, pairs=24, messages=250_000, seed=5, half_life=("20s", "60s"))
"""Eight groups of three: 24 of 276 pairs are cointegrated, and all of them are known."""


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_session(SESSION, tmp_path_factory.mktemp("discovery") / "session")


RESTLESS = {
    "every: 1m\n    window: 180\n    lags: 4\n    min_correlation: 0.2": "every: 20s\n    window: 90\n    lags: 1",
    "traded: 100": "traded: 8",
    "confirm: 5\n    patience: 5": "patience: 2",
    "hedge: {type: rolling, window: 360}": "hedge: {type: rolling, window: 120}",
    "zscore: {type: rolling, window: 180}": "zscore: {type: rolling, window: 60}",
}
"""A short window, of which pairs come and go."""


def config_of(session: Path, changes: dict[str, str]) -> Config:
    """The configuration as it is shipped, but for the changes, on this session."""
    text = (ROOT / "config" / "discovery.yaml").read_text()
    for old, new in {"data: ../.pairflow/demo": f"data: {session}", **changes}.items():
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    path = session.parent / "discovery.yaml"
    path.write_text(text)
    return load(path)


def frames(config: Config, size: int) -> Iterator[RawFrame]:
    desk = config.desks[0]
    with closing(DeskInput([(feed, config.feed_path(feed)) for feed in desk.feeds], size, None, desk.id)) as source:
        while (raw := source.next()) is not None:
            yield raw


def tables_of(config: Config, size: int = 4_096, restart_every: int | None = None) -> dict[str, Frame]:
    """All rows that are written; where asked for, the chain is made anew from its snapshot every so many frames."""
    graph, desk = build_graph(config), config.desk("equities")
    chain = Chain(graph, desk)
    parts: dict[str, list[Frame]] = {}
    for k, raw in enumerate(frames(config, size)):
        for name, (_, rows) in chain.process(raw).streams.items():
            parts.setdefault(name, []).append(rows)
        if restart_every and k % restart_every == restart_every - 1:
            state = chain.snapshot()
            chain = Chain(graph, desk)
            chain.restore(state)
    return {name: np.concatenate(rows) for name, rows in parts.items()}


@pytest.fixture(scope="module")
def tables(session: Path) -> dict[str, Frame]:
    return tables_of(config_of(session, RESTLESS))


def test_what_is_traded_is_cointegrated(session: Path) -> None:
    config = config_of(session, {})
    tables = tables_of(config)
    truth = json.loads((session / "truth.json").read_text())["pairs"]
    known = {frozenset(pair["id"].split("/")) for pair in truth if pair["cointegrated"]}
    is_true = np.array([frozenset(pair.id.split("/")) in known for pair in config.desk("equities").pairs])
    traded, screenings = tables["traded_pairs"], tables["screenings"]
    members, shares = np.zeros(len(is_true), bool), []
    for cause in screenings["cause"]:
        now = traded[traded["cause"] == cause]
        members[now["pair"]] = now["state"] == Membership.PROMOTED
        if members.any():
            shares.append(is_true[members].mean())
    print(f"{np.mean(shares):.0%} of the traded set are cointegrated, from screening to screening")
    assert len(known) == 24
    promoted = set(traded["pair"][traded["state"] == Membership.PROMOTED])
    assert len(promoted & set(np.flatnonzero(is_true))) >= 22
    assert np.mean(shares) >= 0.95
    assert set(screenings["tested"]) == {276}


def test_only_traded_pairs_have_spreads_and_signals(tables: dict[str, Frame]) -> None:
    traded = tables["traded_pairs"]
    assert tables["screenings"]["traded"].max() == 8
    for name in ("spreads", "signals"):
        for row in tables[name]:
            own = traded[(traded["pair"] == row["pair"]) & (traded["cause"] <= row["cause"])]
            leaves = name == "signals" and row["action"] == Action.EXIT and own["cause"][-1] == row["cause"]
            assert len(own), f"{name}: pair {row['pair']} was never promoted"
            assert own["state"][-1] == Membership.PROMOTED or leaves


def test_positions_in_retired_pairs_are_closed(tables: dict[str, Frame]) -> None:
    traded, signals, fills = tables["traded_pairs"], tables["signals"], tables["fills"]
    closed = 0
    for row in traded[traded["state"] == Membership.RETIRED]:
        own = signals[(signals["pair"] == row["pair"]) & (signals["cause"] <= row["cause"])]
        if not len(own) or own["cause"][-1] != row["cause"]:
            assert not len(own) or own["action"][-1] != Action.ENTER, "a position was not left"
            continue
        assert own["action"][-2:].tolist() == [Action.ENTER, Action.EXIT]
        closed += 1
        again = traded[(traded["pair"] == row["pair"]) & (traded["cause"] > row["cause"])]
        until = again["cause"][0] if len(again) else np.iinfo(np.int64).max
        of_pair = fills[(fills["pair"] == row["pair"]) & (fills["cause"] < until)]
        for instrument in set(of_pair["instrument"]):
            lots = of_pair[of_pair["instrument"] == instrument]
            assert (lots["side"] * lots["qty"]).sum() == 0, "lots are left"
    print(f"{closed} positions closed by a retirement")
    assert closed > 0


@pytest.mark.parametrize(("size", "restart_every"), [(701, None), (20_000, 2)])
def test_neither_the_cut_nor_a_restart_matters(
    session: Path, tables: dict[str, Frame], size: int, restart_every: int | None
) -> None:
    found = tables_of(config_of(session, RESTLESS), size, restart_every)
    assert found.keys() == tables.keys()
    for name, rows in tables.items():
        assert found[name].tolist() == rows.tolist(), name
