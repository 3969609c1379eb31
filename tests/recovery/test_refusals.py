"""What the real entry point refuses, in one line that says what to do: status 2, no traceback, nothing written."""

import json
import re
import shutil
import subprocess

import pytest

from tests.recovery import processes, tables
from tests.recovery.session import write_config

NOTHING_LEFT = "had finished before, nothing was left to do"


@pytest.fixture(scope="module")
def finished(session, tmp_path_factory):
    """A folder with a run that has finished: configuration, checkpoints and tables."""
    folder = tmp_path_factory.mktemp("finished")
    config = write_config(folder / "config.yaml", session, run="run", desks=1)
    done = processes.command("-r", folder / "recovery", "-s", 1, "-b", 0, flow=config)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    return folder


@pytest.fixture
def folder(finished, tmp_path):
    """A copy of the finished run's folder, to be damaged."""
    shutil.copytree(finished, tmp_path / "run", symlinks=True)
    return tmp_path / "run"


def resume(folder, recovery="recovery") -> subprocess.CompletedProcess[str]:
    return processes.command("-r", folder / recovery, "-s", 1, "-b", 0, flow=folder / "config.yaml")


def assert_refused(done, *words):
    assert done.returncode == 2, done.stderr
    lines = [line for line in done.stderr.splitlines() if not line.startswith("{")]  # the log is JSON lines
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("pairflow: ")
    for word in words:
        assert re.search(word, lines[0]), lines[0]


def test_as_it_was_left_it_resumes(folder):
    done = resume(folder)
    assert done.returncode == 0, done.stderr
    assert NOTHING_LEFT in done.stderr


@pytest.mark.parametrize("recovery", ["recovery", "fresh"])
def test_another_configuration_of_the_same_run(folder, session, recovery, tmp_path):
    """The checkpoints know, and so do the tables where the checkpoints are new."""
    before = tables.dump(tables.target_of(folder / "config.yaml"), tmp_path / "before")
    write_config(folder / "config.yaml", session, run="run", desks=1, parameters={"bands": {"entry": 2.1}})
    assert_refused(resume(folder, recovery), "another configuration", "another (`run:` )?name|choose another run name")
    tables.assert_equal(tables.dump(tables.target_of(folder / "config.yaml"), tmp_path / "after"), before)


def test_another_run_in_the_same_recovery_directory(folder, session):
    write_config(folder / "config.yaml", session, run="other", desks=1)
    assert_refused(resume(folder), "holds checkpoints of run 'run', not of 'other'", "a recovery directory of its own")


def test_another_runtime_is_no_other_configuration(folder, session):
    write_config(folder / "config.yaml", session, run="run", desks=1, frame=77, flush_rows=10)
    assert NOTHING_LEFT in resume(folder).stderr


def test_a_missing_partition(folder):
    (folder / "recovery" / "part-1.sqlite3").unlink()
    assert_refused(resume(folder), r"lacks part-1.sqlite3 of 2", "restore .* from a backup, or remove it")


def test_no_partition_left(folder):
    for part in (folder / "recovery").glob("part-*"):
        part.unlink()
    assert_refused(resume(folder), "holds no recovery partition", "restore .* from a backup, or remove it")


@pytest.mark.parametrize("content", [b"", b"this is no database at all " * 100])
def test_a_partition_that_is_none(folder, content):
    (folder / "recovery" / "part-0.sqlite3").write_bytes(content)
    for journal in (folder / "recovery").glob("part-0.sqlite3-*"):
        journal.unlink()
    assert_refused(resume(folder), r"part-0.sqlite3 is damaged", "restore .* from a backup, or remove it")


def test_a_partition_cut_short(folder):
    part = folder / "recovery" / "part-0.sqlite3"
    part.write_bytes(part.read_bytes()[: part.stat().st_size // 2])
    assert_refused(resume(folder), r"part-0.sqlite3 is damaged", "restore .* from a backup, or remove it")


def test_a_damaged_identity(folder):
    (folder / "recovery" / "pairflow.json").write_text("{")
    assert_refused(resume(folder), "pairflow.json is damaged", "restore .* from a backup, or remove it")


def test_without_its_checkpoints_it_runs_again_and_writes_nothing(folder, finished, tmp_path):
    """What a refusal advises: remove the recovery directory."""
    before = tables.dump(tables.target_of(folder / "config.yaml"), tmp_path / "before")
    shutil.rmtree(folder / "recovery")
    done = resume(folder)
    assert done.returncode == 0, done.stderr
    assert "run finished" in done.stderr
    tables.assert_equal(tables.dump(tables.target_of(folder / "config.yaml"), tmp_path / "after"), before)


def test_without_its_tables_the_checkpoints_are_no_use(session, tmp_path):
    """Rows written before the checkpoint are gone: to go on would leave a hole."""
    config = write_config(tmp_path / "config.yaml", session, run="run", desks=1, flush_age="50ms")
    flow = processes.start(config, "-r", tmp_path / "recovery", "--epoch-ms", 200, "--pace-us", 500)
    processes.end(flow)
    assert flow.returncode == 0
    shutil.rmtree(tmp_path / "clickhouse")
    done = resume(tmp_path)
    assert done.returncode != 0
    assert "rows were deleted, or this is another database" in done.stderr


def test_another_capture(folder, session, tmp_path):
    """Of the same name and size, but with another beginning."""
    copied = shutil.copytree(session, tmp_path / "other")
    feed = copied / "session.itch"
    content = bytearray(feed.read_bytes())
    content[60] ^= 1
    feed.write_bytes(content)
    text = (folder / "config.yaml").read_text()
    (folder / "config.yaml").write_text(text.replace(str(session), str(copied)))
    done = resume(folder)
    assert done.returncode != 0
    assert "is not the capture this run has read so far" in done.stderr


def test_a_directory_of_another_process(folder, session):
    """The embedded engine admits one process; the second is told so."""
    flow = processes.start(
        write_config(folder / "config.yaml", session, run="second", desks=1, frame=64), "--pace-us", 5000
    )
    try:
        processes.wait_for_reading(flow)
        assert_refused(resume(folder, "another"), rf"is held by process {flow.pid}", "use a clickhouse:// server")
    finally:
        flow.kill()
        processes.end(flow)


def test_the_identity_names_run_and_digest(finished):
    known = json.loads((finished / "recovery" / "pairflow.json").read_text())
    assert known["run"] == "run"
    assert re.fullmatch("[0-9a-f]{64}", known["digest"])
