"""Fixtures every test may use."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).resolve().parents[1]

settings.register_profile("pairflow", print_blob=True, deadline=None)
settings.load_profile("pairflow")


@pytest.fixture(scope="session")
def data_path() -> Path:
    """The folder of real recordings: `$PAIRFLOW_DATA`, or `../shared/data` beside the repository. Skips without it."""
    path = Path(os.environ.get("PAIRFLOW_DATA", ROOT.parent / "shared" / "data"))
    if not path.is_dir():
        pytest.skip(f"no recordings at {path}; set PAIRFLOW_DATA to the folder that holds them")
    return path
