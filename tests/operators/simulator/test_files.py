import json

import pytest
import yaml

from operators.simulator import files
from operators.simulator.files import write_session
from operators.simulator.parameters import SessionParameters
from operators.simulator.session import simulate
from schemas.errors import TargetError
from schemas.instrument import Instrument, Pair

PARAMETERS = SessionParameters(symbols=6, groups=2, pairs=4, controls=2, messages=500, hours=0.1, seed=9)


def test_a_session_on_disk_is_the_session(tmp_path):
    directory = write_session(PARAMETERS, tmp_path / "deep" / "session")
    session = simulate(PARAMETERS)
    assert (directory / "session.itch").read_bytes() == b"".join(chunk.tobytes() for chunk in session)
    assert json.loads((directory / "truth.json").read_text()) == session.truth()
    assert sorted(path.name for path in directory.parent.iterdir()) == ["session"]


def test_reference_data_loads_as_definitions(tmp_path):
    directory = write_session(PARAMETERS, tmp_path / "session")
    market = simulate(PARAMETERS).market
    rows = yaml.safe_load((directory / "instruments.yaml").read_text())
    assert rows[0] == {"id": "AAA", "venue": "NASDAQ", "symbol": "AAA", "tick": "0.01", "lot": "1", "currency": "USD"}
    assert tuple(Instrument(**row) for row in rows) == market.instruments
    pairs = yaml.safe_load((directory / "pairs.yaml").read_text())
    assert all(row.keys() == {"id", "y", "x"} for row in pairs)
    assert tuple(Pair(**row) for row in pairs) == market.pairs


def test_the_truth_recreates_the_session(tmp_path):
    directory = write_session(PARAMETERS, tmp_path / "session")
    truth = json.loads((directory / "truth.json").read_text())
    assert SessionParameters(**truth["parameters"]) == PARAMETERS
    assert sum(truth["messages"].values()) == PARAMETERS.messages
    assert [pair["cointegrated"] for pair in truth["pairs"]] == [True] * 4 + [False] * 2


def test_an_earlier_session_is_replaced(tmp_path):
    directory = write_session(PARAMETERS, tmp_path / "session")
    first = (directory / "session.itch").read_bytes()
    write_session(PARAMETERS.model_copy(update={"seed": 10}), directory)
    assert (directory / "session.itch").read_bytes() != first
    assert [path.name for path in tmp_path.iterdir()] == ["session"]


def test_an_empty_directory_is_filled(tmp_path):
    (tmp_path / "session").mkdir()
    assert (write_session(PARAMETERS, tmp_path / "session") / "truth.json").exists()


@pytest.mark.parametrize("held", ["notes.txt", "pairs.yaml"])
def test_what_is_no_session_is_left_alone(tmp_path, held):
    (tmp_path / held).write_text("mine")
    with pytest.raises(TargetError, match="holds no simulated session"):
        write_session(PARAMETERS, tmp_path)
    assert (tmp_path / held).read_text() == "mine"


def test_a_file_in_the_way_is_left_alone(tmp_path):
    (tmp_path / "session").write_text("mine")
    with pytest.raises(TargetError):
        write_session(PARAMETERS, tmp_path / "session")
    assert (tmp_path / "session").read_text() == "mine"


class Killed(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("before", [None, 9])
@pytest.mark.parametrize("step", ["feed", "definitions", "truth"])
def test_a_kill_leaves_no_half_session(tmp_path, monkeypatch, before, step):
    directory = tmp_path / "session"
    earlier = None
    if before is not None:
        write_session(PARAMETERS, directory)
        earlier = (directory / "session.itch").read_bytes()

    def kill(*_):
        raise Killed

    target = {"feed": "Session.__next__", "definitions": "", "truth": "Session.truth"}[step]
    with monkeypatch.context() as patched:
        if target:
            patched.setattr(f"operators.simulator.session.{target}", kill)
        else:
            patched.setattr(files, "_write_definitions", kill)
        with pytest.raises(Killed):
            write_session(PARAMETERS.model_copy(update={"seed": 10}), directory)
    assert directory.exists() == (earlier is not None)
    assert earlier is None or (directory / "session.itch").read_bytes() == earlier
    write_session(PARAMETERS, directory)
    assert [path.name for path in tmp_path.iterdir()] == ["session"]
