"""Quotes → spread → decision → risk → venue → portfolio, through the bytewax dataflow in one process."""

import time
from functools import partial

import bytewax.operators as op
from bytewax.dataflow import Dataflow
from bytewax.testing import cluster_main

from benchmarks import market, strategy
from benchmarks.ends import Count, Ready
from benchmarks.python_strategy import PythonStrategy
from benchmarks.quotes import Quotes
from flows.graph import Declaration, Graph, compose
from flows.progress import Progress
from flows.steps import ChainLogic
from operators.operator import Desk
from schemas.market import RawFrame

FRAME = 2_048


def compiled(events: int = 1_000_000, rounds: int = 4) -> dict[str, float]:
    """Benchmark a: the compiled operators."""
    desk = market.desk()
    frame = market.quotes(events)
    _run(strategy.graph(desk), desk, list(market.cuts(frame[: 8 * FRAME], FRAME, 1)))  # compiles
    return _run(strategy.graph(desk), desk, list(market.cuts(frame, FRAME, rounds)))


def plain_python(events: int = 1_000_000, used: int = 200_000) -> dict[str, float]:
    """Benchmark e: the same strategy in plain Python in the same dataflow."""
    desk = market.desk()
    graph = compose([Declaration("quotes", Quotes), Declaration("strategy", PythonStrategy, inputs="quotes")], [desk])
    return _run(graph, desk, list(market.cuts(market.quotes(events)[:used], FRAME, 1)))


def _run(graph: Graph, desk: Desk, frames: list[RawFrame]) -> dict[str, float]:
    sink = Count()
    flow = Dataflow("throughput")
    progress = Progress("bench", "", {"bench": desk.capital})
    cuts = op.input("quotes", flow, Ready(frames))
    outputs = op.stateful_batch("chain", cuts, partial(ChainLogic, graph, {"bench": desk}, progress))
    op.output("count", outputs, sink)
    started_s = time.perf_counter()
    cluster_main(flow, [], 0)
    elapsed_s = time.perf_counter() - started_s
    events = sum(len(f.rows) for f in frames)
    counts = {name: sink.rows[name] for name in ("signals", "orders", "fills")}
    return {"events_per_s": events / elapsed_s, "events": events, **counts}
