"""`make bench`: every benchmark in one run, as a table and as benchmarks/results.json with the machine's facts."""

import json
import os
import platform
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks import crypto_json, feeds, latency, learning, pairs_kernels, screening, session_flow, throughput

ROOT = Path(__file__).resolve().parents[1]
RESULTS = Path(__file__).parent / "results.json"
RATES = (1_000.0, 10_000.0, 50_000.0)
CHECKPOINT_ROUNDS = 2
LONG = 10_000_000
"""Messages of a session that is long enough for what a start costs not to matter."""


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    model = next(
        (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.processor()
    )
    packages = {
        name: version(name) for name in ("bytewax", "numba", "numpy", "river", "chdb-core", "clickhouse-connect")
    }
    return {"cpu": model, "cores": os.cpu_count(), "python": platform.python_version(), "packages": packages}


def results() -> Iterator[tuple[str, dict[str, Any]]]:
    """(name, figures) of each benchmark, as it is done."""
    compiled, plain = throughput.compiled(), throughput.plain_python()
    yield "a. quotes to portfolio", compiled
    yield "e. the same in plain Python", plain | {"ratio": compiled["events_per_s"] / plain["events_per_s"]}
    yield "b. ITCH bytes to tables", session_flow.measured()
    yield "500 pairs at every quote, Kalman, z-scores, correlation", pairs_kernels.measured()
    yield "screening of all pairs of 500 symbols", screening.measured()
    for rate in RATES:
        bare, ours = latency.measured("bare", rate), latency.measured("flow", rate)
        ratios = {f"{q}_ratio": ours[q] / bare[q] for q in ("p50_us", "p99_us", "p99.9_us")}
        yield f"c. order latency at {rate:,.0f}/s", {"ours": ours, "bare": bare, **ratios}
    rounds = [(session_flow.measured(LONG), session_flow.measured(LONG, epoch_s=1)) for _ in range(CHECKPOINT_ROUNDS)]
    costs = [without["messages_per_s"] / with_["messages_per_s"] - 1 for without, with_ in rounds]
    yield "d. checkpoints each second", {"cost": median(costs), "rounds": costs}
    yield "memory over ten million messages", session_flow.measured(messages=LONG)
    yield "f. ITCH decode and books", feeds.measured()
    data = Path(os.environ.get("PAIRFLOW_DATA", ROOT.parent / "shared" / "data"))
    if data.is_dir():
        yield "g. crypto messages", crypto_json.measured(data)
    else:
        print(f"g. crypto messages: no recordings at {data}; set PAIRFLOW_DATA to the folder that holds them")
    yield "h. learning, beside River alone", learning.measured()


def shown(figures: dict[str, Any]) -> str:
    """Figures in a line or two."""
    parts = []
    for name, value in figures.items():
        if isinstance(value, dict):
            parts.append(f"{name}: {shown(value)}")
        elif isinstance(value, list):
            parts.append(f"{name} " + " ".join(f"{v:.3g}" for v in value))
        else:
            parts.append(f"{name} {value:,.0f}" if abs(value) >= 1_000 else f"{name} {value:.3g}")
    return ", ".join(parts)


def main() -> None:
    """Run, show, write."""
    table = Table("benchmark", "figures", title="pairflow benchmarks", title_justify="left")
    found = {}
    for name, figures in results():
        found[name] = figures
        print(f"{name}: {shown(figures)}", flush=True)
        table.add_row(name, shown(figures))
    RESULTS.write_text(json.dumps({"machine": machine(), "results": found}, indent=2) + "\n")
    Console(width=140).print(table)
    print(f"written to {RESULTS}")


if __name__ == "__main__":
    main()
