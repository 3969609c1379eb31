"""A declared flow on what a venue says over a websocket, and on the recording of it: the same rows."""

import random
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from flows.chain import Chain
from flows.config import Config, load
from flows.graph import build_graph
from flows.streams import SOURCE, Streams
from operators.sources.desk_input import DeskInput
from schemas.errors import ConfigError
from schemas.market import RawFrame
from schemas.record import Frame
from tests.operators.sources.book_states import raw
from tests.operators.sources.scripted_venue import ScriptedVenue, run
from tests.operators.sources.websocket_server import HARMLESS, LOSING

CONFIG = """
run: live
target: chdb://./clickhouse
instruments:
  - {id: BTCUSDT@bybit, venue: bybit, symbol: BTCUSDT, tick: 0.1, lot: 0.001, currency: USDT}
  - {id: ETHUSDT@bybit, venue: bybit, symbol: ETHUSDT, tick: 0.01, lot: 0.01, currency: USDT}
  - {id: SOLUSDT@bybit, venue: bybit, symbol: SOLUSDT, tick: 0.01, lot: 0.1, currency: USDT}
desks:
  - id: crypto
    capital: 1_000_000
    feeds:
      - FEED
    pairs:
      - {id: BTC-ETH, y: BTCUSDT@bybit, x: ETHUSDT@bybit, hedge: 20}
operators:
  - {id: bybit, type: bybit, input: feeds, feeds: [bybit_linear]}
  - {id: book, type: book, input: bybit}
  - {id: spread, type: spread, input: book, hedge: {type: static}, zscore: {type: rolling, window: 20}}
tables:
  quotes: on
  spreads: on
"""
INSTRUMENTS = "instruments: [BTCUSDT@bybit, ETHUSDT@bybit, SOLUSDT@bybit]"
LIVE = f"{{id: bybit_linear, format: websocket, venue: bybit_linear, channels: [book, ticker], {INSTRUMENTS}}}"
RECORDED = (
    f"{{id: bybit_linear, format: session, path: bybit_linear.jsonl.zst, connection: bybit_linear, {INSTRUMENTS}}}"
)


def configured(folder: Path, feed: str) -> Config:
    path = folder / "config.yaml"
    path.write_text(CONFIG.replace("FEED", feed))
    return load(path)


def rows_of(config: Config, frames: Iterable[RawFrame]) -> dict[str, Frame]:
    """Everything the chain of the desk makes of an input log, by stream."""
    chain, rows = Chain(build_graph(config), config.desk("crypto")), dict[str, list[Frame]]()
    for frame in frames:
        streams: Streams = {SOURCE: frame}
        for step in chain.steps:
            step.run(streams)
        for name, (_, part) in chain.numbering.number(frame, streams).streams.items():
            rows.setdefault(name, []).append(part.copy())
    return {name: np.concatenate(parts) for name, parts in rows.items()}


def test_the_recording_gives_the_rows_that_live_gave(data_path: Path, tmp_path: Path) -> None:
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")
    venue = ScriptedVenue(data_path, "bybit_linear", 1.0, seed, [*HARMLESS, *LOSING], tmp_path)
    try:
        run([venue])
    finally:
        venue.stop()
    log = raw(venue.entries)
    cuts = [RawFrame(log.rows[at : at + 7], log.data, "crypto") for at in range(0, len(log.rows), 7)]
    live = rows_of(configured(tmp_path, LIVE), cuts)
    config = configured(tmp_path, RECORDED)
    [feed] = config.desks[0].feeds
    with closing(DeskInput([(feed, config.feed_path(feed))], 1000, None, "crypto")) as source:
        recorded = rows_of(config, iter(source.next, None))
    assert {"quotes", "spreads", "feed_events", "dead_letters"} <= live.keys()
    assert recorded.keys() == live.keys()
    for name, rows in live.items():
        assert rows.tolist() == recorded[name].tolist(), name


def test_a_feed_that_cannot_work_is_refused_at_its_line(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"config.yaml:12:9: desks\[0\].feeds\[0\]: feed 'bybit_linear': bybit_linear has"
    ):
        configured(tmp_path, LIVE.replace("channels", "depth: 25, channels"))
