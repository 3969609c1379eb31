"""The session, and the tables of runs that nothing interrupted."""

from pathlib import Path

import pytest

from tests.recovery import processes, tables
from tests.recovery.session import shared_session, write_config


@pytest.fixture(scope="session")
def session(tmp_path_factory) -> Path:
    """The directory of the simulated session, shared by all test processes."""
    base = tmp_path_factory.getbasetemp()
    return shared_session(base.parent if base.name.startswith("popen-") else base)


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
