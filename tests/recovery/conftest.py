"""The session, and the tables of runs that nothing interrupted."""

import fcntl
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.recovery import processes, tables
from tests.recovery.session import make_session, write_config


@pytest.fixture(scope="session")
def session(tmp_path_factory) -> Path:
    """The directory of the simulated session, shared by all test processes.

    The first of them also runs the flow once, which compiles the kernels of a fresh clone: too long for a
    process that others wait for.
    """
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if base.name.startswith("popen-") else base
    with (shared / "session.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (shared / "session").exists():
            made = make_session(shared / "session.fresh")
            config = write_config(shared / "first" / "config.yaml", made, run="first", desks=1)
            command = [sys.executable, "-m", "tests.recovery.runner", str(config)]
            subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
            made.rename(shared / "session")
    return shared / "session"


@pytest.fixture(scope="session")
def uninterrupted(session, tmp_path_factory):
    """Number of desks -> the tables of a run that nothing interrupted."""
    known = {}

    def of(desks: int) -> tables.Tables:
        if desks not in known:
            folder = tmp_path_factory.mktemp(f"uninterrupted{desks}")
            config = write_config(folder / "config.yaml", session, run="run", desks=desks)
            processes.run(config, "-r", folder / "recovery", "--epoch-ms", 2000)
            known[desks] = tables.dump(tables.target_of(config), folder / "tables")
            tables.assert_full(known[desks], desks)
            tables.assert_numbered(known[desks])
        return known[desks]

    return of
