"""The recovery directory: made when absent, checked before use, tied to one run and one configuration."""

import json
import os
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from bytewax.recovery import init_db_dir

from schemas.errors import RecoveryError

IDENTITY = "pairflow.json"
_PARTS = "part-*.sqlite3"
_PAGE_BYTES = 65_536
_OPTIONS = ("-r", "--recovery-directory")


def requested_directory(argv: Sequence[str] | None = None) -> Path | None:
    """The directory given to the bytewax runner (`-r DIR`, or BYTEWAX_RECOVERY_DIRECTORY), None without recovery."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    for i, argument in enumerate(arguments):
        if argument in _OPTIONS and i + 1 < len(arguments):
            return Path(arguments[i + 1])
        for option in _OPTIONS:
            prefix = f"{option}=" if option.startswith("--") else option
            if argument.startswith(prefix) and len(argument) > len(prefix):
                return Path(argument[len(prefix) :])
    value = os.environ.get("BYTEWAX_RECOVERY_DIRECTORY")
    return Path(value) if value else None


def prepare(directory: Path, parts: int, run: str, digest: str) -> bool:
    """Make the recovery directory of a run, or check the one that is there; whether there is something to resume.

    Raises RecoveryError for a damaged or missing partition and for another run or configuration.
    """
    identity = {"run": run, "digest": digest}
    is_absent = not directory.exists() or not any(directory.iterdir())
    if is_absent and _create(directory, parts, identity):
        return False
    _check_identity(directory, identity)
    return _check_parts(directory)


def _create(directory: Path, parts: int, identity: dict[str, str]) -> bool:
    """Make the directory whole or not at all; False when another process of the cluster was first."""
    directory.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=f".{directory.name}-", dir=directory.parent))
    try:
        init_db_dir(fresh, parts)
        for part in fresh.glob(_PARTS):
            _widen_pages(part)
        (fresh / IDENTITY).write_text(json.dumps(identity))
        fresh.rename(directory)
    except OSError:
        if not directory.exists() or not any(directory.iterdir()):
            raise
        return False
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return True


def _widen_pages(part: Path) -> None:
    """Give an empty partition the widest pages: snapshots are megabytes long and are written three times as fast."""
    with closing(sqlite3.connect(part)) as database:
        mode = database.execute("PRAGMA journal_mode=DELETE").fetchone()
        database.execute(f"PRAGMA page_size={_PAGE_BYTES}")
        database.execute("VACUUM")
        assert mode == ("delete",), mode


def _check_identity(directory: Path, identity: dict[str, str]) -> None:
    path = directory / IDENTITY
    if not path.exists():  # partitions made by `python -m bytewax.recovery`
        path.write_text(json.dumps(identity))
        return
    try:
        known = json.loads(path.read_text())
        known_run, known_digest = str(known["run"]), str(known["digest"])
    except (ValueError, KeyError, TypeError):
        raise RecoveryError(f"{path} is damaged; {_remedy(directory)}") from None
    if known_run != identity["run"]:
        raise RecoveryError(
            f"{directory} holds checkpoints of run {known_run!r}, not of {identity['run']!r}; "
            "give every run a recovery directory of its own"
        )
    if known_digest != identity["digest"]:
        raise RecoveryError(
            f"{directory} holds checkpoints of run {known_run!r} under another configuration "
            f"(digest {known_digest[:12]}, this one is {identity['digest'][:12]}); restore that configuration to "
            "resume, or start a new run with another `run:` name and another recovery directory"
        )


def _check_parts(directory: Path) -> bool:
    """Whether any partition holds a snapshot. Raises RecoveryError unless every partition is there and whole."""
    found = sorted(directory.glob(_PARTS))
    if not found:
        raise RecoveryError(f"{directory} holds no recovery partition; {_remedy(directory)}")
    indices, resumable = set(), False
    expected = 0
    for path in found:
        try:
            with closing(sqlite3.connect(path)) as part:
                if part.execute("PRAGMA quick_check").fetchone() != ("ok",):
                    raise sqlite3.DatabaseError("quick_check failed")
                index, expected = part.execute("SELECT part_index, part_count FROM parts").fetchone()
                resumable |= part.execute("SELECT count(*) FROM snaps").fetchone()[0] > 0
        except (sqlite3.Error, TypeError) as e:
            raise RecoveryError(f"recovery partition {path} is damaged ({e}); {_remedy(directory)}") from e
        indices.add(index)
    missing = sorted(set(range(expected)) - indices)
    if missing:
        names = ", ".join(f"part-{i}.sqlite3" for i in missing)
        raise RecoveryError(f"{directory} lacks {names} of {expected} partitions; {_remedy(directory)}")
    return resumable


def _remedy(directory: Path) -> str:
    return (
        f"restore {directory} from a backup, or remove it to run again from the start "
        "(rows that are already in ClickHouse are recognised and not written twice)"
    )
