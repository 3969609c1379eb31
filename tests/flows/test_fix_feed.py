"""A declared flow over a FIX engine's log of both directions: checked as declared, quotes right to the last one."""

from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from flows.chain import Chain
from flows.config import load
from flows.graph import build_graph
from flows.streams import SOURCE, Streams
from operators.framing.fix_message import encode
from operators.framing.fix_outgoing import utc
from operators.sources.desk_input import DeskInput
from schemas.errors import ConfigError
from schemas.record import Frame
from tests.operators.sources.fix_venue import START_NS, SYMBOLS, Market, S

CONFIG = """
run: fix
target: chdb://./clickhouse
data: .
instruments:
  - {id: X, venue: v, symbol: X, tick: 0.1, lot: 0.001, currency: USD}
  - {id: Y, venue: v, symbol: Y, tick: 0.1, lot: 0.001, currency: USD}
desks:
  - id: desk
    capital: 1_000_000
    feeds:
      - {id: venue, format: fix_log, path: fix.log, delay: 2ms, instruments: [X, Y]}
    pairs:
      - {id: XY, y: X, x: Y, hedge: 1}
operators:
  - {id: fix, type: fix, input: feeds, feeds: [venue], ours: [DESK]}
  - {id: book, type: book, input: fix}
  - {id: spread, type: spread, input: book, hedge: {type: static}, zscore: {type: rolling, window: 20}}
tables:
  quotes: on
  spreads: on
"""
STEPS = 400


def written(path: Path) -> Market:
    """A log of a session as an engine writes it, with our own messages between the venue's."""
    market, lines, numbers = Market(3), list[bytes](), {"VENUE": 0, "DESK": 0}

    def say(who: str, kind: str, body: list[tuple[str, str | int]], receipt: str = "") -> None:
        numbers[who] += 1
        head = [("35", kind), ("49", who), ("56", "DESK" if who == "VENUE" else "VENUE"), ("34", numbers[who])]
        time = utc(START_NS + market.step * S)
        lines.append(receipt.encode() + encode("FIX.4.4", [*head, ("52", time), *body]) + b"\n")

    for who in ("DESK", "VENUE"):
        say(who, "A", [("98", 0), ("108", 30)])
    say("DESK", "V", [("262", "r"), ("263", 1), ("264", 0), ("267", 1), ("269", 0), ("146", 1), ("55", "X")])
    for symbol in SYMBOLS:
        say("VENUE", "W", [("55", symbol), ("268", 0)])
    while market.step < STEPS:
        say("VENUE", "X", [("268", 1), *market.next()])
        if market.step % 50 == 0:
            say("DESK", "0", [])
    path.write_bytes(b"".join(lines))
    return market


def test_a_log_becomes_quotes_and_spreads(tmp_path: Path) -> None:
    market = written(tmp_path / "fix.log")
    path = tmp_path / "fix.yaml"
    path.write_text(CONFIG)
    config = load(path)
    graph = build_graph(config)
    desk, rows = config.desks[0], dict[str, list[Frame]]()
    chain = Chain(graph, config.desk("desk"))
    with closing(DeskInput([(f, config.feed_path(f)) for f in desk.feeds], 64, None, desk.id)) as source:
        while (raw := source.next()) is not None:
            streams: Streams = {SOURCE: raw}
            for step in chain.steps:
                step.run(streams)
            for name, (_, frame) in chain.numbering.number(raw, streams).streams.items():
                rows.setdefault(name, []).append(frame.copy())
    assert "dead_letters" not in rows
    quotes = np.concatenate(rows["quotes"])
    for number, symbol in enumerate(SYMBOLS):
        last = quotes[quotes["instrument"] == number][-1]
        bids, asks = ([ticks for side, ticks in market.books[symbol] if side == s] for s in (0, 1))
        assert (last["bid"], last["ask"], last["state"]) == (max(bids), min(asks), 0)
    assert (quotes["ts"] - quotes["ts_event"] == 2_000_000).all()
    assert len(np.concatenate(rows["spreads"])) > 20


def test_a_mistake_is_told_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "fix.yaml"
    path.write_text(CONFIG.replace("ours: [DESK]", "entries: order"))
    with pytest.raises(ConfigError, match=r"fix\.yaml:16:.*entries.*'price', 'id' or 'position'"):
        build_graph(load(path))
    path.write_text(CONFIG.replace("format: fix_log, path: fix.log, delay: 2ms", "format: fix_session"))
    with pytest.raises(ConfigError, match=r"fix\.yaml:12:9: desks\[0\]\.feeds\[0\]\.fix: .* missing; add it"):
        load(path)
