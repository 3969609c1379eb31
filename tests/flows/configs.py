"""A sound configuration of fake operators, and ways to break it."""

from pathlib import Path

import pytest

from flows.config import Config, load
from operators import registry
from tests.flows.fakes import FAKES

SOUND = """\
run: demo
target: chdb://clickhouse
data: captures
instruments:
  - {id: A, venue: X, symbol: AA, tick: 0.01, lot: 1, currency: USD}
  - {id: B, venue: X, symbol: BB, tick: 0.01, lot: 1, currency: USD}
  - {id: C, venue: X, symbol: CC, tick: 0.01, lot: 1, currency: USD}
desks:
  - id: main
    capital: 1_000_000
    feeds:
      - {id: tape, format: recording, path: tape.gz}
    pairs:
      - {id: AB, y: A, x: B}
operators:
  - {id: decode, type: decoder, input: feeds}
  - {id: book, type: book, input: decode}
  - {id: spread, type: spread, input: book, window: 20, every: 250ms}
  - {id: bands, type: bands, input: spread, entry: 2.0}
tables:
  quotes: {every: 1s}
  spreads: on
runtime: {frame: 512}
"""


@pytest.fixture
def fakes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the fake operators are known."""
    monkeypatch.setattr(registry, "built_in", lambda: dict(FAKES))


def changed(old: str, new: str) -> str:
    """The sound configuration with one part replaced."""
    assert SOUND.count(old) == 1, f"{old!r} is in the configuration {SOUND.count(old)} times"
    return SOUND.replace(old, new)


def written(folder: Path, text: str = SOUND) -> Path:
    """The configuration as a file."""
    path = folder / "config.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def loaded(folder: Path, text: str = SOUND) -> Config:
    """The configuration, loaded from a file."""
    return load(written(folder, text))
