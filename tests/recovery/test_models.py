"""Models from the table of one run to the start of another, by the command line."""

import json
import re

import pytest

from flows.cli import main
from flows.config import load
from tests.recovery import processes, tables
from tests.recovery.session import write_config

LEARNED = re.compile(r"start: \{path: (\S+), digest: (\w{16})\}")


def export(capsys, config, out, *options) -> str:
    assert main(["model", "export", "--config", str(config), "--out", str(out), *options]) == 0
    said = capsys.readouterr().out
    assert re.search(r"models of desk alpha after [\d,]+ examples", said)
    (found,) = LEARNED.findall(said)
    return found[1]


def test_models_of_one_run_start_another(session, tmp_path, capsys):
    first = write_config(tmp_path / "first" / "config.yaml", session, run="first", desks=1)
    processes.run(first, "-r", tmp_path / "first" / "recovery", "--epoch-ms", 2000)
    digest = export(capsys, first, tmp_path / "second" / "learned")
    assert main(["model", "show", str(tmp_path / "second" / "learned")]) == 0
    header = json.loads(capsys.readouterr().out)
    assert header["digest"] == digest

    start = {"model": {"start": {"path": "learned", "digest": digest}}}
    second = write_config(tmp_path / "second" / "config.yaml", session, run="second", desks=1, parameters=start)
    processes.run(second, "-r", tmp_path / "second" / "recovery", "--epoch-ms", 2000)
    found = tables.dump(tables.target_of(second), tmp_path / "tables")
    examples = [int(n) for n in tables.column(found, "predictions", "examples")]
    last = [int(n) for n in tables.column(found, "models", "examples")]
    assert examples[0] > 0
    assert last[0] == 60  # counted within a run

    assert load(second).digest != load(first).digest
    moved = write_config(tmp_path / "third" / "config.yaml", session, run="second", desks=1, parameters=start)
    (tmp_path / "third" / "learned").write_bytes((tmp_path / "second" / "learned").read_bytes())
    assert load(moved).digest == load(second).digest  # what was learned counts, not where the file lies


def test_there_may_be_nothing_to_export(session, tmp_path, capsys):
    config = write_config(tmp_path / "config.yaml", session, run="run", desks=3)
    for options, message in (
        ([], "name a desk: --desk alpha or beta or gamma"),
        (["--desk", "alpga"], "there is no desk 'alpga'; did you mean 'alpha'"),
    ):
        assert main(["model", "export", "--config", str(config), "--out", str(tmp_path / "out"), *options]) == 2
        assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"model": {"class": "river.linear_model.Logistic"}},
            "has no 'Logistic'; it has .*LogisticRegr",
        ),
        (
            {"drift": {"detector": {"class": "river.drift.Adwin"}, "size": 0}},
            "has no 'Adwin'; it has .*ADWIN",
        ),
        ({"derive": {"own": "y_flw"}}, "derive own: there is no feature 'y_flw'; there are z, velocity"),
        ({"start": {"path": "absent", "digest": "0" * 16}}, "cannot read .*absent: No such file"),
        (
            {"start": {"path": "config.yaml", "digest": "0" * 16}},
            "config.yaml is no file of models; write one",
        ),
    ],
)
def test_what_cannot_be_is_refused_at_its_line(session, tmp_path, capsys, change, message):
    config = write_config(tmp_path / "config.yaml", session, run="run", desks=1, parameters={"model": change})
    assert main(["check", str(config)]) == 2
    said = capsys.readouterr().err
    assert re.search(rf"config.yaml:\d+:\d+: operators\[\d+\].*{message}", said), said
