"""A declared flow over two connections of one recorded session: checked as declared, and every message understood."""

from collections import Counter
from contextlib import closing
from pathlib import Path

import numpy as np

from flows.chain import Chain
from flows.config import load
from flows.graph import build_graph
from flows.streams import SOURCE, Streams
from operators.sources.desk_input import DeskInput
from schemas.market import FeedEventKind
from schemas.record import Frame

CONFIG = """
run: sessions
target: chdb://./clickhouse
data: {data}
instruments:
  - {{id: BTC-PERP, venue: bybit, symbol: BTCUSDT, tick: 0.1, lot: 0.001, currency: USDT}}
  - {{id: BTC-SPOT, venue: bybit-spot, symbol: BTCUSDT, tick: 0.1, lot: 0.000001, currency: USDT}}
desks:
  - id: basis
    capital: 1_000_000
    feeds:
      - {{id: linear, format: session, path: bybit.jsonl.zst, connection: BYBIT.ws.2, instruments: [BTC-PERP]}}
      - {{id: spot, format: session, path: bybit.jsonl.zst, connection: BYBIT.ws.3, instruments: [BTC-SPOT]}}
    pairs:
      - {{id: BTC-BASIS, y: BTC-PERP, x: BTC-SPOT, hedge: 1}}
operators:
  - {{id: bybit, type: bybit, input: feeds, feeds: [linear, spot], ignored: [ETHUSDT, SOLUSDT, DOGEUSDT]}}
  - {{id: book, type: book, input: bybit}}
  - {{id: spread, type: spread, input: book, hedge: {{type: static}}, zscore: {{type: rolling, window: 20}}}}
tables:
  quotes: on
  spreads: on
"""
MESSAGES, CONNECTS = 2_546 + 681, 2


def test_every_message_is_understood_and_the_basis_is_measured(data_path: Path, tmp_path: Path) -> None:
    path = tmp_path / "sessions.yaml"
    path.write_text(CONFIG.format(data=data_path / "websocket"))
    config = load(path)
    graph = build_graph(config)
    desk, rows, entries = config.desks[0], {}, 0
    chain = Chain(graph, config.desk("basis"))
    with closing(DeskInput([(f, config.feed_path(f)) for f in desk.feeds], 512, None, desk.id)) as source:
        while (raw := source.next()) is not None:
            entries += len(raw.rows)
            streams: Streams = {SOURCE: raw}
            for step in chain.steps:
                step.run(streams)
            for name, (_, frame) in chain.numbering.number(raw, streams).streams.items():
                rows.setdefault(name, list[Frame]()).append(frame.copy())
    assert entries == MESSAGES + CONNECTS + 1  # and the end of the input
    assert "dead_letters" not in rows
    assert Counter(np.concatenate(rows["feed_events"])["kind"].tolist()) == {FeedEventKind.RESET: 2}
    quotes = np.concatenate(rows["quotes"])
    assert set(quotes["instrument"][quotes["state"] == 0].tolist()) == {0, 1}
    assert np.isfinite(np.concatenate(rows["spreads"])["spread"]).all()
