"""What a person sees of a run: a live line on a terminal, structured logs, a summary per desk at the end."""

import sys
import threading
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import structlog
from rich.console import Console
from rich.table import Table

from flows.numbering import Numbering
from schemas.record import MONEY_QUANTUM

_REFRESH_S = 0.5
_SUMMARY_WIDTH = 110


@dataclass
class DeskProgress:
    """Where one desk stands. Counts are those of the whole run, also after a resume."""

    capital: int
    rows: int = 0
    fraction: float = 0.0
    numbering: Numbering | None = None

    @property
    def cause(self) -> int:
        """Entries of the input log processed."""
        return self.numbering.cause if self.numbering else 0

    @property
    def account(self) -> Mapping[str, int]:
        """The last row of `equity`."""
        return self.numbering.account if self.numbering else {}

    @property
    def denied(self) -> int:
        """Orders denied."""
        return self.numbering.denied if self.numbering else 0

    @property
    def audits(self) -> list[tuple[str, dict[str, int]]]:
        """What each feed received and lost, once the input is over."""
        return self.numbering.audits if self.numbering else []

    @property
    def profit(self) -> float:
        """Profit and loss after fees, in currency."""
        return (self.account.get("equity", self.capital) - self.capital) / MONEY_QUANTUM

    def count(self, table: str) -> int:
        """Rows of a table so far."""
        return self.numbering.counts.get(table, 0) if self.numbering else 0


class Progress:
    """Collects the progress of this process's desks. Called from worker threads; keeps to plain assignments."""

    def __init__(self, run: str, config_path: str, capitals: Mapping[str, int]) -> None:
        self._run = run
        self._config_path = config_path
        self.desks = {desk: DeskProgress(capital) for desk, capital in capitals.items()}
        self.seen: set[str] = set()
        self._started_s = time.monotonic()
        self._last_rows, self._last_s = 0, self._started_s
        self._done = threading.Event()
        self._thread: threading.Thread | None = None

    def read(self, desk: str, rows: int, ts: int, fraction: float) -> None:
        """The source handed on `rows` more entries and stands at `fraction` of its input."""
        progress = self.desks[desk]
        progress.rows += rows
        progress.fraction = fraction
        self.seen.add(desk)

    def reached(self, desk: str, numbering: Numbering) -> None:
        """The desk's chain is there, new or restored from a checkpoint; where it stands is read off its numbering."""
        self.seen.add(desk)
        self.desks[desk].numbering = numbering

    def start(self) -> None:
        """Show the live line, on a terminal only."""
        if sys.stderr.isatty():
            self._thread = threading.Thread(target=self._show, daemon=True, name="progress")
            self._thread.start()

    def _show(self) -> None:
        while not self._done.wait(_REFRESH_S):
            sys.stderr.write(f"\r\x1b[2K{self.line()}")
            sys.stderr.flush()

    def line(self) -> str:
        """The present state in one line."""
        desks = [self.desks[d] for d in sorted(self.seen)] or list(self.desks.values())
        rows, now_s = sum(d.rows for d in desks), time.monotonic()
        speed = (rows - self._last_rows) / max(now_s - self._last_s, 1e-9)
        self._last_rows, self._last_s = rows, now_s
        fraction = sum(d.fraction for d in desks) / len(desks)
        orders, fills = (sum(d.count(t) for d in desks) for t in ("orders", "fills"))
        profit = sum(d.profit for d in desks)
        return (
            f"{self._run}  {fraction:6.1%}  {max(d.cause for d in desks):,} events  {speed:,.0f}/s  "
            f"{orders:,} orders  {fills:,} fills  P&L {profit:+,.2f}"
        )

    def finish(self, stop: threading.Event, delivered: Collection[str]) -> None:
        """End the live line and print the summary; `delivered` are the desks whose rows are all in the tables."""
        status = self._status(stop, delivered)
        self._done.set()
        if self._thread is not None:
            self._thread.join()
            sys.stderr.write("\r\x1b[2K")
        if not self.seen:
            return
        elapsed_s = time.monotonic() - self._started_s
        structlog.get_logger().info(
            f"run {status}", run=self._run, seconds=round(elapsed_s, 2), events=sum(d.rows for d in self.desks.values())
        )
        console = Console()
        console.width = max(console.width, _SUMMARY_WIDTH)
        console.print(self._summary(status, elapsed_s))
        for line in self.losses():
            print(line)
        print(
            "Look further:\n"
            f'  pairflow query --config {self._config_path} "SELECT desk, instrument, side, price, qty, fee '
            f"FROM fills WHERE run = '{self._run}' ORDER BY desk, seq LIMIT 20\""
        )

    def losses(self) -> list[str]:
        """A line for each feed that lost messages, or had some come too late, where an audit counts them."""
        return [
            f"desk {desk}, feed {feed}: {counts['received']:,} messages came, {counts['lost']:,} were lost, "
            f"{counts['out_of_order']:,} came too late; see the table audits"
            for desk in sorted(self.seen)
            for feed, counts in self.desks[desk].audits
            if counts["lost"] or counts["out_of_order"]
        ]

    def _status(self, stop: threading.Event, delivered: Collection[str]) -> str:
        if all(desk in delivered and self.desks[desk].fraction >= 1 for desk in self.seen):
            had_nothing_left = all(self.desks[desk].rows == 0 for desk in self.seen)
            return "had finished before, nothing was left to do" if had_nothing_left else "finished"
        return "stopped, run the same command to resume" if stop.is_set() else "failed"

    def _summary(self, status: str, elapsed_s: float) -> Table:
        table = Table(title=f"run {self._run}: {status} ({elapsed_s:.1f} s)", title_justify="left")
        for name in (
            "desk",
            "events",
            "signals",
            "orders",
            "denied",
            "fills",
            "fees",
            "P&L after fees",
            "dead letters",
        ):
            table.add_column(name, justify="left" if name == "desk" else "right")
        for name in sorted(self.seen):
            d = self.desks[name]
            fees = d.account.get("fees", 0) / MONEY_QUANTUM
            counts = [d.cause, d.count("signals"), d.count("orders"), d.denied, d.count("fills")]
            money = [f"{fees:,.2f}", f"{d.profit:+,.2f}"]
            table.add_row(name, *(f"{n:,}" for n in counts), *money, f"{d.count('dead_letters'):,}")
        return table
