"""The same example in another interpreter, whose strings hash differently: `python -m flows.contract.replay`."""

import os
import subprocess
import sys
from importlib import import_module

from flows.contract.examples import example_of
from flows.contract.trial import Trial, digest
from schemas.errors import ContractError

_TIMEOUT_S = 120


def makes_the_same_rows_in_another_process(trial: Trial, seed: int) -> None:
    """Raise ContractError where another interpreter makes other rows of the same example."""
    module, name = trial.cls.__module__, trial.cls.__qualname__
    hash_seed = "1" if os.environ.get("PYTHONHASHSEED") != "1" else "2"
    environment = os.environ | {"PYTHONHASHSEED": hash_seed, "PYTHONPATH": os.pathsep.join(p or "." for p in sys.path)}
    command = [sys.executable, "-m", "flows.contract.replay", module, name, str(seed)]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False)
    if run.returncode:
        last_line = (run.stderr.strip().splitlines() or ["nothing"])[-1]
        raise ContractError(f"{module}:{name} cannot be run in another process, which said: {last_line}")
    if run.stdout.strip() != digest(trial.whole):
        raise ContractError(
            "another process made other rows of the same input; look for sets, hash(), id(), the clock, or "
            "unseeded randomness"
        )


def main() -> None:
    """Print the digest of the rows that an operator makes of its example: MODULE CLASS SEED."""
    module, name, seed = sys.argv[1:]
    cls = import_module(module)
    for part in name.split("."):
        cls = getattr(cls, part)
    print(digest(Trial(cls, example_of(cls, int(seed))).whole))  # type: ignore[arg-type]


if __name__ == "__main__":
    main()
