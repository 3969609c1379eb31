"""The main job: feeds → chain → ClickHouse.

    python -m bytewax.run "flows.trade:build('config/demo.yaml')" -r RECOVERY_DIR -s 2 -b 0

`-w 2` runs the desks on two workers. The recovery directory is made when absent; running the same
command again resumes.
"""

import atexit
import gc
import sys
import threading
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import bytewax.operators as op
import structlog
from bytewax.dataflow import Dataflow
from bytewax.outputs import Sink

from flows.chain import plan
from flows.config import Config, load
from flows.graph import Graph, build_graph
from flows.logs import configure_logs
from flows.progress import Progress
from flows.recovery import prepare, requested_directory
from flows.steps import ChainLogic, NumberingLogic, StepLogic
from flows.stopping import stop_on_signals
from flows.table_files import check_files
from operators.sinks.clickhouse import ClickHouseSink
from operators.sinks.target import Target
from operators.sinks.writer import Batching
from operators.sources.inputs import Inputs
from schemas.errors import PairflowError


def build(path: str) -> Dataflow:
    """The dataflow of a configuration file, for the bytewax runner. A problem ends the process with one line."""
    configure_logs()
    try:
        return _prepared(path)
    except PairflowError as e:
        print(f"pairflow: {e}", file=sys.stderr)
        sys.exit(2)


def _prepared(path: str) -> Dataflow:
    config = load(Path(path))
    check_files(config)
    graph = build_graph(config)
    log = structlog.get_logger().bind(run=config.run)
    for warning in graph.warnings:
        log.warning(warning)
    directory = requested_directory()
    if directory is None:
        log.warning("no recovery directory (-r DIR): a crash starts the run from the beginning")
    else:
        resumes = prepare(directory, config.runtime.recovery_parts, config.run, config.digest)
        log.info("resuming" if resumes else "starting", target=str(Target(config.target).address.label))
    desks = {desk.id: config.desk(desk.id) for desk in config.desks}
    schemas = {name: rule.schema for name, rule in graph.tables.items()}
    target = Target(config.target)
    target.prepare(schemas.values())
    target.register_run(config.run, desks, config.digest, config.text, version=version("pairflow"))

    stop = stop_on_signals()
    progress = Progress(config.run, path, {name: desk.capital for name, desk in desks.items()})
    runtime = config.runtime
    sink = ClickHouseSink(
        config.target,
        config.run,
        desks,
        schemas,
        batching=Batching(flush_rows=runtime.flush_rows, flush_age_ns=runtime.flush_age),
        stop=stop,
    )
    gc.freeze()  # what is loaded by now stays: the garbage collector need not walk it in the middle of a market
    progress.start()
    atexit.register(progress.finish, stop, sink.delivered)
    return dataflow(config, graph, sink, progress, stop)


def dataflow(
    config: Config, graph: Graph, sink: Sink[Any], progress: Progress, stop: threading.Event | None = None
) -> Dataflow:
    """Feeds → chain → sink, every desk a partition and a key. Unfused, each step of the chain is a step here."""
    desks = {desk.id: config.desk(desk.id) for desk in config.desks}
    feeds = {desk.id: [(feed, config.feed_path(feed)) for feed in desk.feeds] for desk in config.desks}

    flow = Dataflow("pairflow")
    cuts = op.input("feeds", flow, Inputs(feeds, config.runtime.frame, stop, progress.read))
    if config.runtime.fuse:
        outputs = op.stateful_batch("chain", cuts, partial(ChainLogic, graph, desks, progress))
    else:
        streams: Any = cuts
        for step in plan(graph):
            streams = op.stateful_batch(f"chain_{step.name}", streams, partial(StepLogic, step, desks))
        outputs = op.stateful_batch("tables", streams, partial(NumberingLogic, graph, desks, progress))
    op.output("clickhouse", outputs, sink)
    return flow
