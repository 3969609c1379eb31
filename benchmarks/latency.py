"""From a message's due time to its order at the sink, messages paced, through the bytewax runner.

    python -m bytewax.run "benchmarks.latency:flow(10000, 'result.json')"
    python -m bytewax.run "benchmarks.latency:bare(10000, 'result.json')"

`bare` is the least that bytewax can do: the same source and pacing, one stateful step that hands on what
it gets, a sink. Both hold the worker thread's Python state.
"""

import ctypes
import gc
import json
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import bytewax.operators as op
import numpy as np
from bytewax.dataflow import Dataflow
from bytewax.inputs import FixedPartitionedSource, StatefulSourcePartition
from bytewax.operators import StatefulBatchLogic
from bytewax.outputs import FixedPartitionedSink, StatefulSinkPartition

from benchmarks.ends import PAST, Item
from benchmarks.session import ROOT, configuration, written_session
from flows.config import load
from flows.graph import build_graph
from flows.progress import Progress
from flows.steps import ChainLogic
from operators.sources.desk_input import DeskInput
from schemas.market import RawFrame

SECONDS = 6.0
WARM_MESSAGES = 1_500_000
"""Messages taken at full speed first, so that windows are full and every path has been walked."""


class Paced(FixedPartitionedSource[Item, None]):
    """Messages of a prepared input log, each handed on when it is due, together with whatever else is."""

    def __init__(self, warm: list[RawFrame], paced: RawFrame, rate: float) -> None:
        self.warm, self.paced, self.rate = warm, paced, rate
        self.first_cause = int(paced.rows["cause"][0])
        self.start_ns = 0

    def list_parts(self) -> list[str]:
        """The one desk."""
        return ["bench"]

    def build_part(self, step_id: str, for_part: str, resume_state: None) -> "_PacedPart":
        """The pacing partition."""
        ctypes.pythonapi.PyGILState_Ensure()
        return _PacedPart(self)


class _PacedPart(StatefulSourcePartition[Item, None]):
    def __init__(self, source: Paced) -> None:
        self._source, self._warm = source, iter(source.warm)
        self._at, self._count = 0, len(source.paced.rows)

    def next_batch(self) -> list[Item]:
        source = self._source
        if not source.start_ns:
            if (frame := next(self._warm, None)) is not None:
                return [("bench", frame)]
            gc.collect()
            gc.freeze()
            source.start_ns = time.perf_counter_ns() + 10**8
        if self._at >= self._count:
            raise StopIteration
        elapsed = time.perf_counter_ns() - source.start_ns
        until = min(int(elapsed * source.rate / 1e9) + 1, self._count) if elapsed >= 0 else 0
        if until <= self._at:
            return []
        rows = source.paced.rows[self._at : until]
        self._at = until
        return [("bench", RawFrame(rows, source.paced.data, "bench"))]

    def next_awake(self) -> datetime:
        return PAST

    def snapshot(self) -> None:
        return None


class Latencies(FixedPartitionedSink[Any, None]):
    """Measures what arrives against when its cause was due."""

    def __init__(self, source: Paced, result: Path) -> None:
        self.source, self.result = source, result

    def list_parts(self) -> list[str]:
        """The one desk."""
        return ["bench"]

    def build_part(self, step_id: str, for_part: str, resume_state: None) -> "_LatencyPart":
        """The measuring partition."""
        return _LatencyPart(self.source, self.result)


class _LatencyPart(StatefulSinkPartition[Any, None]):
    def __init__(self, source: Paced, result: Path) -> None:
        self._source, self._result = source, result
        self._seen: list[tuple[int, Any]] = []

    def write_batch(self, values: list[Any]) -> None:
        if not self._source.start_ns:
            return
        now = time.perf_counter_ns()
        for value in values:
            if isinstance(value, RawFrame):
                self._seen.append((now, value.rows["cause"]))
            elif "orders" in value.streams:
                self._seen.append((now, value.streams["orders"][1]["cause"]))

    def snapshot(self) -> None:
        return None

    def close(self) -> None:
        source = self._source
        due_ns = source.start_ns - 1e9 * source.first_cause / source.rate
        late = np.concatenate([now - (due_ns + 1e9 * np.unique(causes) / source.rate) for now, causes in self._seen])
        us = {f"p{q}_us": round(float(np.percentile(late, q)) / 1e3, 1) for q in (50, 99, 99.9)}
        self._result.write_text(json.dumps({**us, "measured": len(late)}))


def flow(rate: float, result: str) -> Dataflow:
    """Message to order: the whole chain, fused."""
    session = written_session()
    config = load(configuration(Path(result).parent, session, every="1s", entry=1.0, exit_=0.5, tables="{}"))
    graph, desk = build_graph(config), config.desk("bench")
    source = _prepared(config, rate)
    progress = Progress("latency", "", {"bench": desk.capital})

    dataflow = Dataflow("latency")
    cuts = op.input("in", dataflow, source)
    outputs = op.stateful_batch("chain", cuts, partial(ChainLogic, graph, {"bench": desk}, progress))
    op.output("out", outputs, Latencies(source, Path(result)))
    return dataflow


class _Keep(StatefulBatchLogic[RawFrame, RawFrame, None]):
    def on_batch(self, values: list[RawFrame]) -> tuple[list[RawFrame], bool]:
        return values, StatefulBatchLogic.RETAIN

    def snapshot(self) -> None:
        return None


def bare(rate: float, result: str) -> Dataflow:
    """The same source and pacing, and one stateful step that does nothing."""
    config = load(configuration(Path(result).parent, written_session(), tables="{}"))
    source = _prepared(config, rate)
    source.warm = source.warm[:10]

    dataflow = Dataflow("bare")
    cuts = op.input("in", dataflow, source)
    kept = op.stateful_batch("keep", cuts, lambda resume: _Keep())
    op.output("out", kept, Latencies(source, Path(result)))
    return dataflow


def _prepared(config: Any, rate: float) -> Paced:
    feeds = [(feed, config.feed_path(feed)) for feed in config.desks[0].captures]
    source = DeskInput(feeds, 2_000, None, "bench")
    warm: list[RawFrame] = []
    while sum(len(f.rows) for f in warm[-1:]) >= 0 and len(warm) * 2_000 < WARM_MESSAGES:
        warm.append(_next(source))
    warm += [_cut(frame, i) for frame in (_next(source), _next(source)) for i in range(len(frame.rows))]
    wanted = int(rate * SECONDS)
    parts = [_next(source) for _ in range(-(-wanted // 2_000))]
    sizes = np.cumsum([0, *(len(p.data) for p in parts)])
    rows = np.concatenate([p.rows for p in parts])
    rows["start"] += np.repeat(sizes[:-1], [len(p.rows) for p in parts])
    data = np.concatenate([p.data for p in parts])
    data.flags.writeable = False  # as a source's is: to the compiler it is another type
    return Paced(warm, RawFrame(rows[:wanted], data, "bench"), rate)


def _next(source: DeskInput) -> RawFrame:
    frame = source.next()
    assert frame is not None, "the session is too short for this rate"
    return frame


def _cut(frame: RawFrame, i: int) -> RawFrame:
    return RawFrame(frame.rows[i : i + 1], frame.data, frame.desk)


def measured(kind: str, rate: float) -> dict[str, float]:
    """Benchmark c: run one of the two in a process of the runner's own."""
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder) / "result.json"
        command = [sys.executable, "-m", "bytewax.run", f"benchmarks.latency:{kind}({rate}, '{result}')"]
        subprocess.run(command, check=True, cwd=ROOT)
        found: dict[str, float] = json.loads(result.read_text())
        return found
