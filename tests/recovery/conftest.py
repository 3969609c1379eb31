"""The session, and the tables of runs that nothing interrupted."""

import fcntl
import functools
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.recovery import processes, tables
from tests.recovery.session import make_session, write_config


@pytest.fixture(scope="session")
def shared(tmp_path_factory) -> Path:
    """A folder that all test processes see."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if base.name.startswith("popen-") else base


@pytest.fixture(scope="session")
def session(shared) -> Path:
    """The directory of the simulated session.

    The first test process makes it, and also runs the flow once, which compiles the kernels of a fresh clone: too
    long for a process that others wait for.
    """
    with locked(shared / "session.lock"):
        if not (shared / "session").exists():
            made = make_session(shared / "session.fresh")
            config = write_config(shared / "first" / "config.yaml", made, run="first", desks=1)
            command = [sys.executable, "-m", "tests.recovery.runner", str(config)]
            subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
            made.rename(shared / "session")
    return shared / "session"


@pytest.fixture(scope="session")
def uninterrupted(session, shared):
    """Number of desks -> the tables of a run that nothing interrupted."""

    @functools.cache
    def of(desks: int) -> tables.Tables:
        folder = shared / f"uninterrupted{desks}"
        with locked(folder.with_suffix(".lock")):
            if not (folder / "tables").exists():
                config = write_config(folder / "config.yaml", session, run="run", desks=desks)
                processes.run(config, "-r", folder / "recovery", "--epoch-ms", 2000)
                tables.dump(tables.target_of(config), folder / "tables")
            found = tables.read(folder / "tables")
        tables.assert_full(found, desks)
        tables.assert_numbered(found)
        return found

    return of


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the file's lock, which the kernel takes back from a process that dies."""
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
