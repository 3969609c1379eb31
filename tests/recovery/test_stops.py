"""A stop is not the end of the data; an end is one for good; and without a recovery directory there is a warning."""

import signal

import pytest

from tests.recovery import processes, tables
from tests.recovery.runner import FAILURE
from tests.recovery.session import write_config


@pytest.mark.parametrize(("number", "workers"), [(signal.SIGTERM, 1), (signal.SIGINT, 2)])
def test_a_stop_flushes_nothing_early_and_is_resumed(workers, number, session, uninterrupted, tmp_path):
    """The rows at the stop are those of some entry of the input, and nothing of the end; then the rest follows."""
    config = write_config(tmp_path / "config.yaml", session, run="run", desks=3)
    slow = write_config(tmp_path / "slow.yaml", session, run="run", desks=3, frame=32)
    options = ["-r", tmp_path / "recovery", "--workers", workers]
    # Paced, for a signal takes a moment to arrive, in which a desk must not reach its end.
    processes.run_until_stopped(config, number, 5, *options, "--epoch-ms", 500, "--pace-us", 100_000)
    processes.run_until_stopped(slow, number, 600, *options, "--epoch-ms", 500, "--pace-us", 1500)
    stopped = tables.dump(tables.target_of(config), tmp_path / "stopped")
    assert len(stopped["fills"]) > 1
    tables.assert_stopped_within(stopped, uninterrupted(3))

    processes.run(config, *options, "--epoch-ms", 1000)
    found = tables.dump(tables.target_of(config), tmp_path / "tables")
    tables.assert_equal(found, uninterrupted(3))


def test_a_finished_run_is_left_as_it_is(session, uninterrupted, tmp_path):
    config = write_config(tmp_path / "config.yaml", session, run="run", desks=3)
    options = ["-r", tmp_path / "recovery", "--epoch-ms", 1000]
    assert "run finished" in processes.run(config, *options)
    for workers in (1, 2):
        said = processes.run(config, *options, "--workers", workers)
        assert "had finished before, nothing was left to do" in said
        assert '"events": 0' in said
    tables.assert_equal(tables.dump(tables.target_of(config), tmp_path / "tables"), uninterrupted(3))


def test_without_a_recovery_directory_a_run_starts_over(session, uninterrupted, tmp_path):
    """It warns; what a first life wrote is recognised by the second, and not written twice."""
    config = write_config(tmp_path / "config.yaml", session, run="run", desks=1)
    slow = write_config(tmp_path / "slow.yaml", session, run="run", desks=1, frame=128, flush_age="100ms")
    flow = processes.start(config, "--kill", "after_insert:3:0")
    _, said = processes.end(flow)
    assert flow.returncode == -signal.SIGKILL
    assert "no recovery directory (-r DIR)" in said
    flow = processes.start(slow, "--kill", "after_insert:30:0", "--pace-us", 1000)
    processes.end(flow)
    assert flow.returncode == -signal.SIGKILL
    processes.run(config)
    tables.assert_equal(tables.dump(tables.target_of(config), tmp_path / "tables"), uninterrupted(1))


@pytest.mark.parametrize(("workers", "moment"), [(1, "insert:8:0"), (2, "reading:9:0")])
def test_a_failure_ends_the_process_and_is_resumed(workers, moment, session, uninterrupted, tmp_path):
    """Whichever step raises: the process ends, says what it was, and a later one goes on."""
    config = write_config(tmp_path / "config.yaml", session, run="run", desks=1)
    options = ["-r", tmp_path / "recovery", "--workers", workers]
    flow = processes.start(config, *options, "--epoch-ms", 200, "--kill", moment, "--signal", FAILURE)
    _, said = processes.end(flow)
    assert flow.returncode > 0
    assert "ArithmeticError: failed on purpose" in said
    assert "run failed" in said
    processes.run(config, *options, "--epoch-ms", 1000)
    tables.assert_equal(tables.dump(tables.target_of(config), tmp_path / "tables"), uninterrupted(1))
