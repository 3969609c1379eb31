"""Starting the flow in processes of its own, and ending them."""

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT

_PATIENCE_S = 120


def start(config: Path, *options: object, **environment: str) -> subprocess.Popen[str]:
    """The flow under `tests.recovery.runner`; its output is read by `wait_for_reading` and `end`."""
    command = [sys.executable, "-m", "tests.recovery.runner", str(config), *map(str, options)]
    env = os.environ | environment
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env)


def wait_for_reading(flow: subprocess.Popen[str]) -> None:
    """Return once the flow has handed on its first frame."""
    for line in flow.stdout:
        if line == "reading\n":
            return
    raise AssertionError(f"the flow ended before it read anything:\n{flow.stderr.read()}")


def end(flow: subprocess.Popen[str]) -> tuple[list[str], str]:
    """Wait for the process; its remaining lines of standard output, and its standard error."""
    try:
        out, err = flow.communicate(timeout=_PATIENCE_S)
    finally:
        flow.kill()
    return out.splitlines(), err


def run(config: Path, *options: object, **environment: str) -> str:
    """Run the flow to its end; what it said on standard error."""
    flow = start(config, *options, **environment)
    out, err = end(flow)
    assert flow.returncode == 0, err
    assert "done" in out, out
    return err


def kill_after(flow: subprocess.Popen[str], seconds: float) -> bool:
    """SIGKILL after a time; whether the process was still at it."""
    try:
        flow.wait(seconds)
    except subprocess.TimeoutExpired:
        flow.send_signal(signal.SIGKILL)
    end(flow)
    return flow.returncode == -signal.SIGKILL


def lives(
    config: Path,
    slow: list[Path],
    recovery: Path,
    moments: list[str],
    rng: random.Random,
    longest_s: float,
    *options: object,
) -> list[str]:
    """Kill the run once for every moment, starting it again each time, then let it end.

    A moment is one of the runner's (`after_insert:3:0`) or empty: then any, drawn from `rng`, up to `longest_s`
    after the first frame. The first life and the one that ends take `config`, those between take the next of
    `slow`, which has another runtime. Returns the last line of every life that was killed.
    """
    last_words = []
    for i, moment in enumerate(moments):
        chosen = slow[i % len(slow)] if i else config
        flow = start(chosen, "-r", recovery, *options, *(["--kill", moment] if moment else []))
        if moment:
            out, err = end(flow)
            assert flow.returncode in (-signal.SIGKILL, -signal.SIGALRM), f"{moment} did not come: {out}\n{err}"
            last_words.append(out[-1] if out else "")
        else:
            wait_for_reading(flow)
            assert kill_after(flow, rng.uniform(0, longest_s)), f"life {i} was over before it was killed"
            last_words.append("anywhere")
    run(config, "-r", recovery, "--epoch-ms", 1000)
    return last_words


def run_until_stopped(config: Path, number: signal.Signals, frames: int, *options: object) -> None:
    """Run the flow until it gets a signal with its `frames`-th frame; it must go as one that was stopped."""
    flow = start(config, *options, "--kill", f"reading:{frames}:0", "--signal", int(number))
    out, err = end(flow)
    assert flow.returncode == 0, err
    assert "run stopped, run the same command to resume" in err, f"{out}\n{err}"


def command(*arguments: object, flow: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """`python -m bytewax.run` itself."""
    line = [sys.executable, "-m", "bytewax.run", f"flows.trade:build('{flow}')", *map(str, arguments)]
    return subprocess.run(
        line,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=_PATIENCE_S,
        check=False,
        env=os.environ | environment,
    )
