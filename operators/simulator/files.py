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
    partial = directory.with_name(f".{directory.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    _write_files(parameters, partial)
    if directory.exists():
        shutil.rmtree(directory)
    return partial.rename(directory)


def _replaceable(directory: Path) -> bool:
    return directory.is_dir() and {path.name for path in directory.iterdir()} <= {FEED, INSTRUMENTS, PAIRS, TRUTH}


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
