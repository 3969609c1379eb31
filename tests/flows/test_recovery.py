"""The recovery directory: made whole, tied to its run, refused when damaged."""

import json
from pathlib import Path

import pytest

from flows.recovery import IDENTITY, prepare, requested_directory
from schemas.errors import RecoveryError


def test_the_directory_is_read_from_the_runners_arguments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BYTEWAX_RECOVERY_DIRECTORY", raising=False)
    assert requested_directory(["flow", "-r", "a/b", "-w", "2"]) == Path("a/b")
    assert requested_directory(["flow", "-ra/b"]) == Path("a/b")
    assert requested_directory(["--recovery-directory=a/b", "flow"]) == Path("a/b")
    assert requested_directory(["flow", "-w", "2"]) is None
    monkeypatch.setenv("BYTEWAX_RECOVERY_DIRECTORY", "c")
    assert requested_directory(["flow"]) == Path("c")


def test_it_is_made_when_absent_and_accepted_afterwards(tmp_path: Path) -> None:
    directory = tmp_path / "deep" / "recovery"
    assert prepare(directory, 3, "run", "d1") is False
    assert sorted(p.name for p in directory.glob("part-*")) == [f"part-{i}.sqlite3" for i in range(3)]
    assert prepare(directory, 3, "run", "d1") is False  # nothing was snapshot yet
    assert [p.name for p in (tmp_path / "deep").iterdir()] == ["recovery"]


def test_an_empty_directory_is_filled(tmp_path: Path) -> None:
    assert prepare(tmp_path, 1, "run", "d1") is False
    assert json.loads((tmp_path / IDENTITY).read_text()) == {"run": "run", "digest": "d1"}


@pytest.mark.parametrize(
    ("run", "digest", "message"),
    [
        ("other", "d1", "checkpoints of run 'run', not of 'other'; give every run a recovery directory of its own"),
        (
            "run",
            "d2",
            "run 'run' under another configuration .* restore that configuration to resume, or start a new run",
        ),
    ],
)
def test_another_run_or_configuration_is_refused(tmp_path: Path, run: str, digest: str, message: str) -> None:
    prepare(tmp_path / "r", 2, "run", "d1")
    with pytest.raises(RecoveryError, match=message):
        prepare(tmp_path / "r", 2, run, digest)


def test_a_missing_partition_is_refused(tmp_path: Path) -> None:
    prepare(tmp_path / "r", 3, "run", "d1")
    (tmp_path / "r" / "part-1.sqlite3").unlink()
    with pytest.raises(
        RecoveryError, match=r"lacks part-1\.sqlite3 of 3 partitions; restore .* or remove it to run again"
    ):
        prepare(tmp_path / "r", 3, "run", "d1")


def test_without_any_partition_it_is_refused(tmp_path: Path) -> None:
    prepare(tmp_path / "r", 1, "run", "d1")
    (tmp_path / "r" / "part-0.sqlite3").unlink()
    with pytest.raises(RecoveryError, match="holds no recovery partition"):
        prepare(tmp_path / "r", 1, "run", "d1")


@pytest.mark.parametrize("damage", [b"not a database at all" * 100, b""])
def test_a_damaged_partition_is_refused(tmp_path: Path, damage: bytes) -> None:
    prepare(tmp_path / "r", 2, "run", "d1")
    (tmp_path / "r" / "part-0.sqlite3").write_bytes(damage)
    with pytest.raises(RecoveryError, match=r"part-0\.sqlite3 is damaged .*; restore"):
        prepare(tmp_path / "r", 2, "run", "d1")


def test_a_damaged_identity_is_refused(tmp_path: Path) -> None:
    prepare(tmp_path / "r", 1, "run", "d1")
    (tmp_path / "r" / IDENTITY).write_text("{")
    with pytest.raises(RecoveryError, match=r"pairflow\.json is damaged"):
        prepare(tmp_path / "r", 1, "run", "d1")
