"""The command line: what it prints, and one line for everything that goes wrong."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from flows.cli import main
from flows.yaml_lines import read
from operators import registry
from operators.sinks import query as query_module
from schemas.instrument import Instrument, Pair
from tests.conftest import ROOT
from tests.flows.configs import changed, fakes, written

__all__ = ["fakes"]


@pytest.fixture(autouse=True)
def _same_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [*sys.path])


@pytest.fixture
def operator_of_ones_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A module in the working directory."""
    source = (ROOT / "docs" / "examples" / "wide_quotes.py").read_text()
    (tmp_path / "my_operators.py").write_text(source)
    (tmp_path / "my_broken_operators.py").write_text(source.replace("self.widest.copy()", "self.widest"))
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    for name in ("my_operators", "my_broken_operators"):
        sys.modules.pop(name, None)


def one_line(capsys: pytest.CaptureFixture[str]) -> str:
    """What standard error holds: one line, and standard output nothing."""
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("pairflow: ")
    assert err.count("\n") == 1
    return err.removeprefix("pairflow: ").rstrip()


def test_help_loads_nothing_heavy() -> None:
    code = "import sys, flows.cli; flows.cli.main(['--help']); print([m for m in sys.argv[1:] if m in sys.modules])"
    heavy = ["numpy", "numba", "pydantic", "bytewax", "clickhouse_connect", "river", "pyarrow"]
    run = subprocess.run([sys.executable, "-c", code, *heavy], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "simulate" in run.stdout
    assert run.stdout.splitlines()[-1] == "[]"


def test_no_command_is_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    assert "bytewax.run" in capsys.readouterr().out


@pytest.mark.usefixtures("fakes")
class TestCheck:
    """`pairflow check CONFIG`."""

    def test_a_sound_configuration(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["check", str(written(tmp_path))]) == 0
        out, err = capsys.readouterr()
        assert err == ""
        lines = [line.strip() for line in out.splitlines()]
        assert lines[0].endswith("config.yaml: run demo, 1 desk, 1 feed, 3 instruments, 1 pair")
        assert any(line.split() == ["bands", "bands", "spreads", "←", "spread.spreads", "signals"] for line in lines)
        assert "writes dead_letters, quotes (every 1s), spreads, signals" in lines
        assert "warning: book.levels is neither read by an operator nor written" in lines
        assert any(line.startswith("warning: desk main, feed tape: there is no file") for line in lines)

    def test_a_broken_configuration(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        path = written(tmp_path, changed("window: 20", "windw: 20"))
        assert main(["check", str(path)]) == 2
        expected = f"{path}:18:45: operators[2].windw: unknown key 'windw'; did you mean 'window'?"
        assert one_line(capsys) == expected

    def test_the_working_directory_is_seen(
        self, operator_of_ones_own: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        own = '  - {id: wide, type: "my_operators:WideQuotes", input: book, at_least: 3}\n'
        path = written(operator_of_ones_own, changed("tables:\n", f"{own}tables:\n  wide_quotes: on\n"))
        assert main(["check", str(path)]) == 0
        assert "signals, wide_quotes" in capsys.readouterr().out

    def test_a_missing_file(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["check", "nowhere.yaml"]) == 2
        assert one_line(capsys) == "nowhere.yaml: cannot read the file: No such file or directory"


class TestCheckOperator:
    """`pairflow check --operator PATH`."""

    @pytest.mark.usefixtures("operator_of_ones_own")
    def test_one_that_keeps_the_contract(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["check", "--operator", "my_operators:WideQuotes"]) == 0
        lines = capsys.readouterr().out.splitlines()
        assert lines[0] == "my_operators:WideQuotes"
        assert len(lines) == 10
        assert all(line.startswith("  passed  ") for line in lines[1:])

    @pytest.mark.usefixtures("operator_of_ones_own")
    def test_one_that_does_not(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["check", "--operator", "my_broken_operators:WideQuotes"]) == 1
        lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
        sentence = lines[lines.index("broken  resumes from a snapshot") + 1]
        assert sentence.endswith("changed while the operator went on; snapshot() must return a copy")

    def test_a_stage(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["check", "--operator", "limits"]) == 2
        assert one_line(capsys).startswith("'limits' is a stage of the closed loop, which is checked as a whole")


class TestOperators:
    """`pairflow operators`."""

    @pytest.mark.usefixtures("fakes")
    def test_the_list(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["operators"]) == 0
        rows = [line.split() for line in capsys.readouterr().out.splitlines()]
        assert ["book", "events", "quotes,", "levels", "Keeps", "a", "book."] in rows

    @pytest.mark.usefixtures("fakes")
    def test_one_with_ports_and_parameters(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["operators", "bands"]) == 0
        rows = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
        assert rows[0] == "bands (tests.flows.fakes:Bands, state version 1)"
        assert any(row.startswith("in levels levels (optional) New totals of single price levels") for row in rows)
        assert any(row.startswith("out signals signals Decisions on pairs.") for row in rows)
        assert "entry number, > 0 required enter at this z-score" in rows

    @pytest.mark.usefixtures("fakes")
    def test_one_without_parameters(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["operators", "book"]) == 0
        assert capsys.readouterr().out.splitlines()[-1] == "It has no parameters."

    def test_every_built_in_one(self, capsys: pytest.CaptureFixture[str]) -> None:
        known = registry.built_in()
        for name, cls in known.items():
            assert main(["operators", name]) == 0
            out = capsys.readouterr().out
            assert all(parameter in out for parameter in cls.Parameters.model_fields)


class TestSchema:
    """`pairflow schema`."""

    def test_parameters_follow_from_the_type(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["schema"]) == 0
        schema = json.loads(capsys.readouterr().out)
        rules = {r["if"]["properties"]["type"]["const"]: r["then"] for r in schema["$defs"]["OperatorConfig"]["allOf"]}
        assert rules.keys() == registry.built_in().keys()
        bands = rules["bands"]
        assert not bands["additionalProperties"]
        assert bands["properties"].keys() >= {"id", "type", "input", "entry", "cooldown"}
        assert set(bands["required"]) == {"id", "type", "entry", "notional"}
        assert bands["properties"]["cooldown"]["default"] == "0s"

    def test_a_feed_is_one_of_the_formats_with_their_own_keys_alone(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["schema"]) == 0
        definitions = json.loads(capsys.readouterr().out)["$defs"]
        choices = definitions["DeskConfig"]["properties"]["feeds"]["items"]["oneOf"]
        feeds = [definitions[choice["$ref"].removeprefix("#/$defs/")] for choice in choices]
        by_format = {feed["properties"]["format"]["const"]: feed for feed in feeds}
        assert len(by_format) == len(feeds) == 13
        assert all({"id", "format"} <= set(feed["required"]) and feed["description"] for feed in feeds)
        assert not any(feed["additionalProperties"] for feed in feeds)
        assert set(by_format["journal"]["properties"]) == {"id", "format", "instruments"}
        assert by_format["moldudp64"]["properties"]["patience"]["default"] == "100ms"
        assert by_format["moldudp64"]["properties"]["lines"]["items"] == {"type": "string", "pattern": r"^.+:\d+$"}

    def test_every_reference_leads_somewhere(self, capsys: pytest.CaptureFixture[str]) -> None:
        main(["schema"])
        schema = json.loads(capsys.readouterr().out)

        def references(part: object) -> Iterator[str]:
            if isinstance(part, dict):
                yield from (v for v in part.values() if isinstance(v, str) and v.startswith("#/$defs/"))
            for inner in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
                yield from references(inner)

        found = {reference.removeprefix("#/$defs/") for reference in references(schema)}
        assert len(found) > 5
        assert found <= schema["$defs"].keys()

    @pytest.mark.usefixtures("fakes")
    def test_lists_may_be_paths_and_a_file_is_written(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["schema", "--output", str(tmp_path / "schema.json")]) == 0
        assert capsys.readouterr().out == ""
        schema = json.loads((tmp_path / "schema.json").read_text())
        for part in (schema["properties"]["instruments"], schema["$defs"]["DeskConfig"]["properties"]["pairs"]):
            assert [form["type"] for form in part["anyOf"]] == ["array", "string"]


def test_simulate(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "session"
    sizes = ["--symbols", "4", "--groups", "2", "--pairs", "2", "--messages", "2000", "--seed", "5"]
    assert main(["simulate", "--out", str(folder), *sizes]) == 0
    assert capsys.readouterr().out.strip() == str(folder)
    truth = json.loads((folder / "truth.json").read_text())
    assert truth["parameters"]["symbols"] == 4
    assert truth["parameters"]["seed"] == 5
    assert sum(truth["messages"].values()) == 2000
    assert len(TypeAdapter(list[Instrument]).validate_python(read(folder / "instruments.yaml").value)) == 4
    assert len(TypeAdapter(list[Pair]).validate_python(read(folder / "pairs.yaml").value)) == 2


def test_query(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def answer(*arguments: str, width: int) -> Iterator[str]:
        asked.append((*arguments, width))
        yield "1\n"
        yield "2\n"

    monkeypatch.setattr(query_module, "query", answer)
    path = written(tmp_path)
    assert main(["query", "SELECT 1", "--config", str(path), "--format", "csv"]) == 0
    assert asked == [(f"chdb://{tmp_path}/clickhouse", "SELECT 1", "csv", 200)]
    assert capsys.readouterr().out == "1\n2\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["check"], "Invalid value: give either a configuration file or --operator; see `pairflow check --help`"),
        (["check", "a.yaml", "--operator", "b"], "Invalid value: give either a configuration file or --operator; see"),
        (["chekc"], "No such command 'chekc'"),
        (["check", "--fast"], "No such option: --fast"),
        (["operators", "bnads"], "unknown operator type 'bnads'; known: audit, bands, "),
        (["operators", "nowhere:X"], "operator type 'nowhere:X': cannot import 'nowhere'"),
        (["query"], "Missing argument"),
        (["query", "SELECT 1", "--format", "pdf"], "Invalid value for '--format'"),
        (["query", "SELECT 1", "--config", "nowhere.yaml"], "nowhere.yaml: cannot read the file: No such file"),
        (["simulate", "--symbols", "1"], "symbols: should be greater than or equal to 2, found 1"),
        (["simulate", "--symbols", "many"], "Invalid value for '--symbols'"),
        (["simulate", "--pairs", "100000"], "100000 pairs asked for, there are"),
        (
            ["schema", "--output", "/nowhere/schema.json"],
            "Invalid value: cannot write /nowhere/schema.json: No such file",
        ),
    ],
    ids=" ".join,
)
def test_bad_use_is_one_line(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    assert one_line(capsys).startswith(message)


def test_a_closed_pipe_is_no_error() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    code = "import sys, flows.cli; sys.exit(flows.cli.main(sys.argv[1:]))"
    command = [sys.executable, "-c", code, "schema"]
    run = subprocess.run(command, cwd=ROOT, stdout=writer, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writer)
    assert (run.returncode, run.stderr) == (1, "")
