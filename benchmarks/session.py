"""A simulated exchange session, and its configuration, for the benchmarks that start from bytes."""

from pathlib import Path

from operators.simulator.files import write_session
from operators.simulator.parameters import SessionParameters

ROOT = Path(__file__).resolve().parents[1]

_CONFIG = """
run: {run}
target: chdb://{target}
data: {session}
instruments: instruments.yaml
desks:
  - id: bench
    capital: 50_000_000
    feeds: [{{id: itch, format: itch50, path: session.itch, date: 2026-01-05, timezone: America/New_York}}]
    pairs: pairs.yaml
operators:
  - {{id: itch, type: itch50, input: feeds, feed: itch, date: 2026-01-05}}
  - {{id: book, type: book, input: itch}}
  - id: spread
    type: spread
    input: book
    hedge: {{type: rolling, window: 600}}
    zscore: {{type: rolling, window: 120}}
    every: {every}
  - {{id: bands, type: bands, input: spread, entry: {entry}, exit: {exit}, notional: 20_000}}
  - {{id: trader, type: trader, input: [bands, book]}}
  - id: limits
    type: limits
    input: [trader, book]
    position: 5_000_000
    order: 100_000
    gross: 45_000_000
    net: 9_000_000
    daily_loss: 5_000_000
    collar_bps: 100
    rate: 5000
  - {{id: venue, type: simulated_venue, input: [limits, book], latency: 100us, report: 100us, taker_bps: 0.1}}
  - {{id: portfolio, type: portfolio, input: [venue, book]}}
tables: {tables}
"""


def written_session(messages: int = 2_500_000) -> Path:
    """The folder of a session of so many messages; simulated once."""
    folder = ROOT / ".pairflow" / f"bench-{messages}"
    if not (folder / "truth.json").exists():
        write_session(SessionParameters(messages=messages), folder)
    return folder


def configuration(
    folder: Path,
    session: Path,
    *,
    every: str = "5s",
    entry: float = 2.5,
    exit_: float = 0.3,
    tables: str = "{quotes: {every: 1m}, spreads: {every: 1m}}",
) -> Path:
    """Write the benchmark's configuration into `folder`, which also holds its tables."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "bench.yaml"
    text = _CONFIG.format(
        run="bench", target=folder / "clickhouse", session=session, every=every, entry=entry, exit=exit_, tables=tables
    )
    path.write_text(text)
    return path
