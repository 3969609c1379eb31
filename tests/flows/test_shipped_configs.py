"""The configurations in config/ are sound."""

from pathlib import Path

import pytest

from flows.config import load
from flows.graph import build_graph
from operators.simulator.files import write_session
from operators.simulator.parameters import SessionParameters
from tests.conftest import ROOT

SHIPPED = sorted(path.name for path in (ROOT / "config").glob("*.yaml"))


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small simulated session in the place of the demo's."""
    parameters = SessionParameters(symbols=6, groups=2, pairs=5, messages=2_000)
    return write_session(parameters, tmp_path_factory.mktemp("demo") / "session")


@pytest.mark.parametrize("name", SHIPPED)
def test_is_sound(name: str, session: Path, tmp_path: Path) -> None:
    text = (ROOT / "config" / name).read_text()
    path = tmp_path / name
    path.write_text(text.replace("data: ../.pairflow/demo", f"data: {session}"))
    graph = build_graph(load(path))
    assert graph.warnings == ()
    assert graph.tables.keys() >= {"quotes", "spreads", "signals", "orders", "verdicts", "fills", "positions", "equity"}


def test_both_are_there() -> None:
    assert {"demo.yaml", "binance_basis.yaml"} <= set(SHIPPED)
