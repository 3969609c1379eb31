"""Runs the flow in a process of its own, as bytewax's runner does, and can end it at an exact moment.

    python -m tests.recovery.runner CONFIG -r DIR --workers 2 --epoch-ms 50 --pace-us 100 --kill after_insert:3

Unlike the runner it takes epochs below a second, slows the input down, and prints `reading` when the first
entries are handed on. `--kill moment:n:delay_us` ends the process the n-th time that moment comes, without a
last word: with SIGKILL, or where there is a delay, by the kernel's timer, which asks no Python thread. What it
was doing is the last line printed.
"""

import argparse
import os
import signal
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from time import sleep
from typing import Any

from bytewax._bytewax import cli_main
from bytewax.recovery import RecoveryConfig

from flows.trade import build
from operators.sinks.clickhouse import DeskPartition as Writing
from operators.sinks.target import Target
from operators.sources.inputs import DeskPartition as Reading

MOMENTS = {
    "reading": (Reading, "next_batch", False),  # before a frame is handed on: in the first epoch, for a small n
    "insert": (Target, "insert", False),  # with a delay: while it executes
    "after_insert": (Target, "insert", True),
    "snapshot": (Writing, "snapshot", False),  # before rows of the epoch are written
    "after_write": (Writing, "snapshot", True),  # rows are written, their epoch is not committed
    "after_snapshot": (Reading, "snapshot", True),  # with a delay: while or after the epoch is committed
}
"""Moment -> class, method, whether the process ends behind the method or, failing a delay, before it."""

FAILURE = 0
"""In place of a signal: an exception is raised."""


def say(word: str) -> None:
    """Print past all buffers: the process may end at any time."""
    os.write(1, f"{word}\n".encode())


def end_at(moment: str, n: int, delay_us: int, number: int) -> None:
    """Send this process signal `number` the `n`-th time that `moment` comes, or end it `delay_us` later."""
    cls, name, behind = MOMENTS[moment]
    method: Callable[..., Any] = getattr(cls, name)
    calls = 0

    def doomed(*args: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls != n:
            return method(*args)
        if behind:
            result = method(*args)
        say(f"before {moment}" if not behind else moment)
        if number == FAILURE:
            raise ArithmeticError("failed on purpose")
        if delay_us:
            signal.setitimer(signal.ITIMER_REAL, delay_us * 1e-6)  # unhandled, SIGALRM ends the process
        else:
            os.kill(os.getpid(), number)
        if not behind:
            result = method(*args)
            say(f"behind {moment}")
        return result

    setattr(cls, name, doomed)


def pace(pause_us: int) -> None:
    """Say when the first frame is handed on, and rest after each."""
    next_batch = Reading.next_batch
    is_first = True

    def slow(reading: Reading) -> Any:
        nonlocal is_first
        batch = next_batch(reading)
        if is_first:
            is_first = False
            say("reading")
        if pause_us:
            sleep(pause_us * 1e-6)
        return batch

    Reading.next_batch = slow  # type: ignore[method-assign]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("config")
    parser.add_argument("-r", dest="recovery", type=Path)  # flows.recovery finds it on the command line, too
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--epoch-ms", type=int, default=50)
    parser.add_argument("--pace-us", type=int, default=0)
    parser.add_argument("--kill")
    parser.add_argument("--signal", type=int, default=signal.SIGKILL)
    arguments = parser.parse_args()
    pace(arguments.pace_us)
    if arguments.kill:
        moment, n, delay_us = arguments.kill.split(":")
        end_at(moment, int(n), int(delay_us), arguments.signal)
    cli_main(
        build(arguments.config),
        workers_per_process=arguments.workers,
        epoch_interval=timedelta(milliseconds=arguments.epoch_ms),
        recovery_config=RecoveryConfig(arguments.recovery, timedelta(0)) if arguments.recovery else None,
    )
    say("done")


if __name__ == "__main__":
    main()
