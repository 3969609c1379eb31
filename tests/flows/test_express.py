"""The express gives the same rows and the same state as the steps it stands for, growing tables included."""

from contextlib import closing
from typing import Any

import pytest

from flows.chain import Chain
from flows.config import Config, load
from flows.express import ExpressStep, express_path
from flows.graph import build_graph
from operators.simulator.files import write_session
from operators.simulator.parameters import SessionParameters
from operators.sources.desk_input import DeskInput
from schemas.signal import Action
from tests.flows.test_simulated_truth import CONFIG

SESSION = SessionParameters(symbols=8, groups=2, pairs=10, messages=9_000, hours=0.5, seed=5)


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Config:
    folder = tmp_path_factory.mktemp("express")
    session = write_session(SESSION, folder / "session")
    text = CONFIG.format(
        session=session,
        pairs="pairs.yaml",
        hedge="{type: rolling, window: 60}",
        zscore="{type: rolling, window: 20}",
        every="2s",
    )
    path = folder / "express.yaml"
    path.write_text(text.replace("type: book, input", "type: book, orders: 4, levels: 4, input"))
    return load(path)


def rows_of(config: Config, frame: int, with_express: bool) -> tuple[dict[str, list[Any]], Any]:
    chain = Chain(build_graph(config), config.desk("main"))
    has_express = any(isinstance(getattr(run, "__self__", None), ExpressStep) for run in chain._path)
    assert has_express
    if not with_express:
        chain._path = [step.run for step in chain.steps]
    rows: dict[str, list[Any]] = {}
    with closing(DeskInput([(f, config.feed_path(f)) for f in config.desks[0].feeds], frame, None, "main")) as source:
        while (raw := source.next()) is not None:
            for name, (first, found) in chain.process(raw).streams.items():
                assert first == len(rows.setdefault(name, [])) + 1
                rows[name] += found.tolist()
    return rows, chain.snapshot()


def equal(a: Any, b: Any) -> bool:
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(equal(a[k], b[k]) for k in a)
    if isinstance(a, tuple | list):
        return len(a) == len(b) and all(equal(x, y) for x, y in zip(a, b, strict=True))
    return a.tolist() == b.tolist() if hasattr(a, "tolist") else a == b


@pytest.mark.parametrize("frame", [1, 7, 64])
def test_rows_and_state_are_those_of_the_steps(config: Config, frame: int) -> None:
    expected, state = rows_of(config, frame, with_express=False)
    found, express_state = rows_of(config, frame, with_express=True)
    assert found == expected
    assert {"orders", "fills", "equity", "quotes", "spreads"} <= found.keys()
    assert equal(express_state, state)


def test_gates_and_executable_spreads_take_the_steps(config: Config) -> None:
    text = config.text.replace("{type: rolling, window: 60}", "{type: kalman}")
    text = text.replace("every: 2s}", "every: 2s, max_age: 1m, executable: true}")
    text = text.replace("id: bands, type: bands, input: spread,", "id: bands, type: bands, input: [spread, gate],")
    gate = "{id: gate, type: cointegration, input: book, every: 2s, window: 200, step: 20, open: 0.2, close: 0.4}"
    statistics = "{id: character, type: pair_statistics, input: [book, spread], every: 2s, window: 100}"
    path = config.data.parent / "gated.yaml"
    path.write_text(text.replace("  - {id: bands", f"  - {gate}\n  - {statistics}\n  - {{id: bands"))
    gated = load(path)
    chain = Chain(build_graph(gated), gated.desk("main"))
    assert not any(isinstance(getattr(run, "__self__", None), ExpressStep) for run in chain._path)
    rows: dict[str, list[Any]] = {}
    closed, entered = set(range(10)), 0
    with closing(DeskInput([(f, gated.feed_path(f)) for f in gated.desks[0].feeds], 1, None, "main")) as source:
        while (raw := source.next()) is not None:
            streams = chain.process(raw).streams
            for name, (_, found) in streams.items():
                rows.setdefault(name, []).extend(found.tolist())
            for row in streams["gates"][1] if "gates" in streams else ():
                closed = closed - {row["pair"]} if row["state"] else closed | {row["pair"]}
            for row in streams["signals"][1] if "signals" in streams else ():
                assert row["action"] != Action.ENTER or row["pair"] not in closed
                entered += row["action"] == Action.ENTER
    assert entered
    assert {"gates", "pair_statistics", "spread_quotes", "fills"} <= rows.keys()


def test_a_graph_with_an_operator_in_between_takes_no_express(config: Config) -> None:
    chain = Chain(build_graph(config), config.desk("main"))
    book, spread, bands, loop = chain.steps[-4:]
    assert len(express_path([book, spread, bands, loop], ())) == 1
    assert len(express_path([spread, book, bands, loop], ())) == 4
    spread.reads = (("quotes", (("other", "quotes"),)),)
    assert len(express_path([book, spread, bands, loop], ())) == 4
