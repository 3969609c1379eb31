"""A session on disk: the only part of the simulator that does I/O."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import yaml

from operators.simulator.parameters import SessionParameters
from operators.simulator.session import simulate
from schemas.errors import TargetError
from schemas.instrument import Definition

FEED, INSTRUMENTS, PAIRS, TRUTH = "session.itch", "instruments.yaml", "pairs.yaml", "truth.json"


def write_session(parameters: SessionParameters, directory: Path) -> Path:
    """Write the session into `directory`, which appears whole or not at all, and return it.

    `session.itch` is the feed in BinaryFILE framing, `instruments.yaml` and `pairs.yaml` are its reference data
    (lists of Instrument and Pair), `truth.json` says what is true of every pair and counts the messages.
    An earlier session there is replaced; raises TargetError where something else is.
    """
    if directory.exists() and not _replaceable(directory):
        raise TargetError(f"{directory} exists and holds no simulated session; name another or an empty directory")
    partial, replaced = (directory.with_name(f".{directory.name}.{state}") for state in ("partial", "replaced"))
    for left_by_a_kill in (partial, replaced):
        shutil.rmtree(left_by_a_kill, ignore_errors=True)
    partial.mkdir(parents=True)
    _write_files(parameters, partial)
    if directory.exists():
        directory.rename(replaced)
    partial.rename(directory)
    shutil.rmtree(replaced, ignore_errors=True)
    return directory


def _replaceable(directory: Path) -> bool:
    held = {path.name for path in directory.iterdir()} if directory.is_dir() else {directory.name}
    return not held or held == {FEED, INSTRUMENTS, PAIRS, TRUTH}


def _write_files(parameters: SessionParameters, directory: Path) -> None:
    session = simulate(parameters)
    with (directory / FEED).open("wb") as feed:
        for chunk in session:
            feed.write(chunk.data)
    _write_definitions(directory / INSTRUMENTS, session.market.instruments)
    _write_definitions(directory / PAIRS, session.market.pairs)
    (directory / TRUTH).write_text(json.dumps(session.truth(), indent=1) + "\n")


def _write_definitions(path: Path, definitions: Sequence[Definition]) -> None:
    rows = [definition.model_dump(mode="json", exclude_defaults=True) for definition in definitions]
    path.write_text(yaml.safe_dump(rows, sort_keys=False))
