"""The same strategy on NautilusTrader, in one run with ours: `make bench-peers`.

Each round runs ours and then the peer's on the same quotes, so that a busy machine slows both; the figures are
medians over the rounds. Two more rows, of one run each, say where the time goes: the strategy as a bare loop in
plain Python, without any engine, and the peer with the same signals but no orders. `nautilus_strategy.py` says
what is the same on both sides, and what is not.
"""

import json
import platform
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import market, strategy, throughput
from benchmarks.python_strategy import PythonStrategy
from benchmarks.session import ROOT
from schemas.record import MONEY_QUANTUM, Frame

EVENTS, ROUNDS = 300_000, 3
RESULTS = ROOT / "benchmarks" / "results-peers.json"

_FOLDER = ROOT / ".pairflow" / "peers"
_PEER = (
    ROOT / ".venv-peers" / "bin" / "python",
    "-P",  # benchmarks/ must not be on its path
    "-Wignore::DeprecationWarning",
    ROOT / "benchmarks" / "nautilus_strategy.py",
)

Result = dict[str, Any]


def main() -> None:
    """Run, print the table, keep the result."""
    quotes = market.quotes(EVENTS)
    write_input(_FOLDER, quotes)
    write_input(_FOLDER / "no_orders", quotes, trade=False)
    ours, peers = [], []
    for _ in range(ROUNDS):
        ours.append(throughput.compiled(EVENTS, rounds=1))
        peers.append(run_peer(_FOLDER))
    pairflow, peer, idle_peer = middle(ours), middle(peers), run_peer(_FOLDER / "no_orders")
    plain, signals = plain_python(quotes)
    result = {
        "events": EVENTS,
        "rounds": ROUNDS,
        "pairflow": pairflow | {"python": platform.python_version()},
        "plain_python": plain | {"python": platform.python_version()},
        "nautilus_trader": peer,
        "nautilus_trader_no_orders": idle_peer,
        "ratio": pairflow["events_per_s"] / peer["events_per_s"],
        "ratio_no_orders": pairflow["events_per_s"] / idle_peer["events_per_s"],
        "same_signals": common_start(signals, np.load(_FOLDER / "peer-signals.npy")),
    }
    RESULTS.write_text(json.dumps(result, indent=2) + "\n")
    print(table(result))


def write_input(folder: Path, quotes: Frame, *, trade: bool = True) -> None:
    """The quotes and the terms, for a process that has none of our code."""
    desk = market.desk()
    terms = {
        "instruments": [instrument.id for instrument in desk.instruments],
        "capital": desk.capital // MONEY_QUANTUM,
        "latency_ns": strategy.LATENCY_NS,
        "taker_bps": strategy.TAKER_BPS,
        "order": strategy.LIMITS["order"],
        "rate": strategy.LIMITS["rate"],
        "strategy": {
            "pairs": [(y, x, pair.hedge) for pair, (y, x) in zip(desk.pairs, desk.legs, strict=True)],
            "half_life": strategy.HALF_LIFE,
            "entry": strategy.ENTRY,
            "exit": strategy.EXIT,
            "stop": strategy.STOP,
            "cooldown_ns": strategy.COOLDOWN_NS,
            "notional": strategy.NOTIONAL,
            "gross": strategy.LIMITS["gross"],
            "trade": trade,
        },
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "peer.json").write_text(json.dumps(terms))
    np.save(folder / "quotes.npy", quotes)


def run_peer(folder: Path) -> Result:
    """One run in the peer's own environment."""
    subprocess.run([*_PEER, folder], check=True)
    result: Result = json.loads((folder / "peer-result.json").read_text())
    return result


def plain_python(quotes: Frame) -> tuple[Result, Any]:
    """The bare loop: its figures, and its signals as (ts, pair, action, side)."""
    loop = PythonStrategy({}, market.desk())
    started_s = time.perf_counter()
    outputs = loop.process({"quotes": quotes})
    elapsed_s = time.perf_counter() - started_s
    signals: Any = outputs["signals"]
    counts = {"signals": len(signals), "orders": len(loop.sent), "fills": len(outputs["fills"])}
    columns = np.stack([signals[name].astype(np.int64) for name in ("ts", "pair", "action", "side")], axis=1)
    return {"events": len(quotes), "events_per_s": len(quotes) / elapsed_s, **counts}, columns


def middle(results: Sequence[Result]) -> Result:
    """The run of median speed; its counts are those of every run, or the comparison is void."""
    counts = {tuple(result[name] for name in ("signals", "orders", "fills")) for result in results}
    if len(counts) != 1:
        raise SystemExit(f"runs on the same quotes differ in signals, orders and fills: {sorted(counts)}")
    return sorted(results, key=lambda result: result["events_per_s"])[len(results) // 2]


def common_start(ours: Any, theirs: Any) -> int:
    """How many signals are the same from the first on."""
    length = min(len(ours), len(theirs))
    differs = (ours[:length] != theirs[:length]).any(axis=1)
    return int(np.argmax(differs)) if differs.any() else length


def table(result: Result) -> str:
    """What a person reads."""
    peer = result["nautilus_trader"]
    rows = [
        ("pairflow", result["pairflow"]),
        ("plain Python, no engine", result["plain_python"]),
        (f"NautilusTrader {peer['version']}", peer),
        ("the same without orders", result["nautilus_trader_no_orders"]),
    ]
    lines = [f"{'':<26}{'events/s':>12}{'signals':>10}{'orders':>10}{'fills':>10}"]
    for name, row in rows:
        speed = f"{row['events_per_s']:,.0f}"
        lines.append(f"{name:<26}{speed:>12}{row['signals']:>10,}{row['orders']:>10,}{row['fills']:>10,}")
    same, of = result["same_signals"], max(peer["signals"], result["plain_python"]["signals"])
    lines.append(f"ratio {result['ratio']:.0f}, without their orders {result['ratio_no_orders']:.0f}")
    lines.append(f"{same:,} of {of:,} signals the same, one by one from the first")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
