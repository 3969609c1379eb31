"""`make fuzz`: a million inputs over all decoders, guided by coverage, within limits of time and memory.

    python -m tests.fuzz INPUTS

A finding ends its target with the input that led to it, and the whole run with status 1.
"""

import re
import subprocess
import sys
import time

from tests.fuzz.targets import targets

_EXECUTED = re.compile(r"stat::number_of_executed_units: (\d+)")
_PEAK = re.compile(r"stat::peak_rss_mb:\s+(\d+)")


def main(inputs: int) -> int:
    """Run every target with its share; a line for each."""
    found = targets()
    shares = sum(target.share for target in found.values())
    total, failed = 0, []
    for name, target in found.items():
        started_s = time.monotonic()
        share = -(-inputs * target.share // shares)
        command = [sys.executable, "-m", "tests.fuzz.guided", name, str(share)]
        done = subprocess.run(command, check=False, capture_output=True, text=True, errors="backslashreplace")
        executed = sum(map(int, _EXECUTED.findall(done.stderr)))
        total += executed
        memory = "".join(_PEAK.findall(done.stderr)) or "?"
        print(f"{name:14} {executed:>9,} inputs {time.monotonic() - started_s:6.0f} s, at most {memory} MB", flush=True)
        if done.returncode or executed < share:
            failed.append(name)
            print(done.stdout[-1_000:], done.stderr[-4_000:], sep="\n")
    print(f"{total:,} inputs; " + (f"findings in {', '.join(failed)}" if failed else "nothing found"))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000))
