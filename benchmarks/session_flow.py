"""ITCH bytes to tables in embedded ClickHouse, through the bytewax dataflow, and what checkpoints cost.

    python -m benchmarks.session_flow MESSAGES EPOCH_S   # 0: no recovery

Prints one JSON line. One process is one measurement: the embedded engine opens one directory per process.
"""

import json
import resource
import subprocess
import sys
import tempfile
import threading
import time
from datetime import timedelta
from pathlib import Path

import psutil
from bytewax.recovery import RecoveryConfig
from bytewax.testing import cluster_main

from benchmarks.session import ROOT, configuration, written_session
from flows.chain import Chain
from flows.config import Config, load
from flows.graph import Graph, build_graph
from flows.progress import Progress
from flows.recovery import prepare
from flows.trade import dataflow
from operators.operator import Desk
from operators.sinks.clickhouse import ClickHouseSink
from operators.sinks.target import Target
from operators.sources.desk_input import DeskInput


def measured(messages: int = 2_500_000, epoch_s: float = 0) -> dict[str, float]:
    """Benchmarks b and d, in a process of their own."""
    command = [sys.executable, "-m", "benchmarks.session_flow", str(messages), str(epoch_s)]
    done = subprocess.run(command, check=True, cwd=ROOT, capture_output=True, text=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def _run(messages: int, epoch_s: float, folder: Path) -> dict[str, float]:
    config = load(configuration(folder, written_session(messages)))
    graph, desks = build_graph(config), {"bench": config.desk("bench")}
    _compile(config, graph, desks["bench"])
    schemas = {name: rule.schema for name, rule in graph.tables.items()}
    target = Target(config.target)
    target.prepare(schemas.values())
    target.register_run(config.run, desks, config.digest, config.text, version="bench")
    progress = Progress(config.run, "", {"bench": desks["bench"].capital})
    flow = dataflow(config, graph, ClickHouseSink(config.target, config.run, desks, schemas), progress)
    recovery = None
    if epoch_s:
        prepare(folder / "recovery", 2, config.run, config.digest)
        recovery = RecoveryConfig(folder / "recovery", timedelta(0))
    memory = _Memory()
    started_s = time.perf_counter()
    cluster_main(flow, [], 0, epoch_interval=timedelta(seconds=epoch_s or 3600), recovery_config=recovery)
    elapsed_s = time.perf_counter() - started_s
    numbering = progress.desks["bench"].numbering
    assert numbering is not None
    rows = sum(numbering.counts.values())
    return {
        "messages_per_s": messages / elapsed_s,
        "rows": rows,
        "fills": numbering.counts["fills"],
        **memory.report(),
    }


def _compile(config: Config, graph: Graph, desk: Desk) -> None:
    source = DeskInput([(feed, config.feed_path(feed)) for feed in config.desks[0].captures], 4_096, None, "bench")
    chain = Chain(graph, desk)
    for _ in range(20):
        raw = source.next()
        assert raw is not None
        chain.process(raw)
    chain.snapshot()
    source.close()


class _Memory:
    """Resident memory over the run, sampled four times a second."""

    def __init__(self) -> None:
        self._samples: list[float] = []
        threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self) -> None:
        process = psutil.Process()
        while True:
            self._samples.append(process.memory_info().rss / 2**20)
            time.sleep(0.25)

    def report(self) -> dict[str, float]:
        """MiB: half-way, at the end, and the most there ever was."""
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        return {
            "rss_half_mib": self._samples[len(self._samples) // 2],
            "rss_end_mib": self._samples[-1],
            "peak_mib": peak,
        }


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder_name:  # the engine may still be merging
        print(json.dumps(_run(int(sys.argv[1]), float(sys.argv[2]), Path(folder_name))))
