"""Killed again and again, anywhere and at the worst moments, a run ends with the tables of an uninterrupted one."""

import random

import pytest

from tests.recovery import processes, tables
from tests.recovery.session import write_config

WORST = [
    "insert:4:1000",  # in the middle of an insert
    "insert:20:400",
    "after_insert:9:0",
    "after_insert:25:0",
    "snapshot:3:0",
    "after_write:3:0",  # rows are in the tables, their epoch is not committed
    "after_snapshot:2:0",
    "after_snapshot:4:1500",  # while the epoch is committed, or just after
]
FIRST_EPOCH = "reading:2:0"
"""Before anything is in a table or a checkpoint."""


@pytest.mark.parametrize(("workers", "desks", "anywhere"), [(1, 1, 4), (2, 3, 3)], ids=["one-worker", "two-workers"])
def test_kills(workers, desks, anywhere, session, uninterrupted, tmp_path):
    check_kills(session, tmp_path, uninterrupted(desks), workers, desks, anywhere, seed=workers)


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", range(100, 105))
@pytest.mark.parametrize("workers", [1, 2], ids=["one-worker", "two-workers"])
def test_many_kills(workers, seed, session, uninterrupted, tmp_path):
    check_kills(session, tmp_path, uninterrupted(3), workers, 3, 11, seed=seed)


def check_kills(session, folder, expected, workers, desks, anywhere, *, seed):
    """9 kills at the worst moments and some anywhere, in an order drawn from `seed`; frames differ between lives."""
    print(f"workers {workers}, desks {desks}, seed {seed}")
    rng = random.Random(seed)
    later = [*WORST, *[""] * anywhere]
    rng.shuffle(later)
    first = write_config(folder / "config.yaml", session, run="run", desks=desks)
    slow = [
        write_config(folder / f"{frame}.yaml", session, run="run", desks=desks, frame=frame, flush_age="200ms")
        for frame in (8, 5)
    ]
    options = ["--workers", workers, "--epoch-ms", 300, "--pace-us", 2000 // desks]
    words = processes.lives(first, slow, folder / "recovery", [FIRST_EPOCH, *later], rng, 0.6, *options)
    print(words)
    assert "before insert" in words, "no process was killed inside an insert"
    found = tables.dump(tables.target_of(first), folder / "tables")
    tables.assert_numbered(found)
    tables.assert_equal(found, expected)
