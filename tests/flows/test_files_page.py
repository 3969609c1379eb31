"""The configuration that docs/files.md shows is sound."""

import re
from pathlib import Path

from flows.config import load
from flows.graph import build_graph
from tests.conftest import ROOT

HEAD = """\
run: page
target: chdb://clickhouse
instruments:
  - {id: BAC, venue: us, symbol: BAC, tick: 0.0001, lot: 1, currency: USD}
  - {id: AMZN, venue: us, symbol: AMZN, tick: 0.01, lot: 1, currency: USD}
  - {id: BTC, venue: x, symbol: BTCUSD, tick: 0.1, lot: 0.001, currency: USD}
  - {id: ETH, venue: x, symbol: ETHUSD, tick: 0.01, lot: 0.001, currency: USD}
desks:
  - id: page
    capital: 1_000_000
    pairs: [{id: P, y: ETH, x: BTC, hedge: 1}]
"""


def test_the_page_shows_a_sound_configuration(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "files.md").read_text()
    shown, clocks, *_ = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    feeds, operators = shown.split("operators:\n")
    text = HEAD + "".join(f"    {line}\n" for line in feeds.splitlines()) + "operators:\n" + operators
    for i, line in enumerate(clocks.replace("OANDA, FXCM, SAXO", "BTC, ETH").splitlines()):
        text += f"  {line.replace('id: clocks', f'id: clocks{i}')}\n"
    path = tmp_path / "page.yaml"
    path.write_text(text)
    graph = build_graph(load(path))
    assert [node.type for node in graph.nodes] == ["rows", "lobster", "book", "clock_check", "clock_check"]
    assert graph.warnings == ("book.levels is neither read by an operator nor written",)
