"""A short session, and everything that a desk's source and chain make of its bytes."""

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from flows.chain import Chain
from flows.config import Config
from flows.graph import Graph, build_graph
from flows.streams import SOURCE, Streams
from operators.operator import Desk
from operators.simulator.parameters import SessionParameters
from operators.simulator.session import simulate
from operators.sources.desk_input import DeskInput
from operators.sources.feed import feed_config
from tests.recovery.session import OPERATORS, framed, messages_of

_FEED = {"id": "itch", "format": "itch50", "path": "-", "date": "2026-01-05", "timezone": "America/New_York"}
_QUICK: dict[str, dict[str, Any]] = {
    "spread": {"hedge": {"type": "rolling", "window": 20}, "zscore": {"type": "rolling", "window": 10}, "every": "1s"},
    "bands": {"entry": 1.2, "exit": 0.3, "stop": 2.0, "cooldown": "5s", "min_deviation": 0.0},
}
"""What makes the operators of the recovery tests act within minutes."""

_SESSION = simulate(
    SessionParameters(symbols=6, groups=2, pairs=6, messages=4_000, hours=1 / 6, seed=3, half_life=("5s", "20s"))
)

Rows = dict[tuple[str, str], list[tuple[Any, ...]]]
"""Port -> its rows, their cause first."""


@functools.cache
def session_messages() -> tuple[bytes, ...]:
    """Ten minutes of six stocks."""
    return tuple(messages_of(b"".join(chunk.tobytes() for chunk in _SESSION)))


@functools.cache
def graph_and_desk() -> tuple[Graph, Desk]:
    """The whole graph, with every stream written."""
    market = _SESSION.market
    config = Config.model_validate(
        {
            "run": "property",
            "target": "chdb:///unused",
            "instruments": [i.model_dump() for i in market.instruments],
            "desks": [
                {
                    "id": "desk",
                    "capital": 1_000_000,
                    "seed": 1,
                    "feeds": [_FEED],
                    "pairs": [p.model_dump() for p in market.pairs],
                }
            ],
            "operators": [operator | _QUICK.get(operator["id"], {}) for operator in OPERATORS],
            "tables": {"quotes": "on", "spreads": "on"},
        }
    )
    return build_graph(config), config.desk("desk")


def everything(messages: Sequence[bytes], folder: Path, frame: int = 4096) -> Rows:
    """Every row of every port, the source's and the numbered tables' among them, for a capture of `messages`."""
    capture = folder / "capture.itch"
    capture.write_bytes(framed(list(messages)))
    graph, desk = graph_and_desk()
    source, chain = DeskInput([(feed_config(**_FEED), capture)], frame, None, desk.id), Chain(graph, desk)
    rows: Rows = {}
    while (raw := source.next()) is not None:
        streams: Streams = {SOURCE: raw}
        for step in chain.steps:
            step.run(streams)
        for port, found in streams.items():
            new = _entries(raw) if port == SOURCE else found.tolist()  # type: ignore[union-attr]
            rows.setdefault(port, []).extend(new)
        for table, (first, found) in chain.numbering.number(raw, streams).streams.items():
            numbered = [(*row, first + i) for i, row in enumerate(found.tolist())]
            rows.setdefault(("tables", table), []).extend(numbered)
    source.close()
    return rows


def _entries(raw: Any) -> list[tuple[Any, ...]]:
    """Entries of the input log with their bytes in place of where these are."""
    return [
        (cause, ts, kind, feed, raw.message(i)) for i, (cause, ts, kind, feed, _, _) in enumerate(raw.rows.tolist())
    ]


def until(rows: Rows, cause: int) -> Rows:
    """The rows that were caused by entries up to `cause`, of the ports that have any."""
    kept = {port: [row for row in found if row[0] <= cause] for port, found in rows.items()}
    return {port: found for port, found in kept.items() if found}
