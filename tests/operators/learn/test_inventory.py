"""Models that go from one run to another: what they say there is what they would have said here."""

import json

import numpy as np
import pytest

from operators.learn.inventory import check_header, header_in, stored_bytes
from operators.sources.model_file import write_model_file
from schemas.errors import ConfigError
from schemas.learn import MODELS
from tests.operators.learn.tape import LOGISTIC, REVERTS, SCALED, coin_flips, model, run

BAYES = {"class": "river.naive_bayes.GaussianNB"}
SHAPE = {"model": SCALED, "shadows": [BAYES], "derive": {"pressure": "y_flow - x_flow"}}


@pytest.fixture
def stored(tmp_path):
    """A file of models that have learned 100 flips, and where the run that wrote it stood then."""
    spreads, features, _ = coin_flips(1, 100, strength=2.0)
    operator = model(**SHAPE, save_every=50)
    rows = run(operator, spreads, features)["models"]
    assert rows["examples"].tolist() == [50, 100]
    path = tmp_path / "models" / "flips"
    write_model_file(path, stored_bytes(rows["header"][-1], rows["state"][-1]))
    return operator, path, f"{rows['digest'][-1]:016x}"


def start(path, digest, **changed):
    return model(**(SHAPE | changed), start={"path": str(path), "digest": digest})


@pytest.mark.parametrize("scope", ["desk", "pair", "group"])
def test_another_run_goes_on_where_the_first_one_stopped(scope, tmp_path):
    changed = {"scope": scope, "groups": {"one": ["AB"], "rest": ["CA"]}}
    spreads, features, _ = coin_flips(1, 120, strength=2.0)
    features["pair"] = np.arange(120) % 3
    spreads["pair"] = np.repeat(features["pair"], 2)
    operator = model(**SHAPE, **changed, save_every=120)
    (row,) = run(operator, spreads, features)["models"]
    path = tmp_path / "flips"
    write_model_file(path, stored_bytes(row["header"], row["state"]))
    other = start(path, f"{row['digest']:016x}", **changed)
    spreads, features, _ = coin_flips(2, 60, strength=2.0)
    for frame in (spreads, features):
        frame["cause"] += 1_000
    operator._recent = list(other._recent)
    here, there = run(operator, spreads, features), run(other, spreads, features)
    assert there["predictions"].tolist() == here["predictions"].tolist()
    assert there["shadows"].tolist() == here["shadows"].tolist()
    assert there["predictions"]["examples"][0] > 30


def test_the_header_tells_what_is_in_the_file(stored):
    _, path, digest = stored
    header = header_in(path.read_bytes(), str(path))
    assert header["digest"] == digest
    assert header["examples"] == 100
    assert header["models"][1] == [BAYES | {"parameters": {}}]
    assert header["target"]["horizon"] == 10**10
    assert header["features"][-1] == "pressure"
    assert header.keys() >= {"river", "python", "format"}


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"model": LOGISTIC}, "was exported with models .* declare the models as they were exported, or drop `start`"),
        ({"shadows": []}, "was exported with models"),
        ({"target": REVERTS | {"exit": 0.4}}, 'target .*"exit": 0.5.* here it is .*"exit": 0.4.* another question'),
        ({"taker_bps": 1.0}, "target .*; declare the target as it was"),
        ({"derive": None}, "features .*; derive the features that they have learned, in the same order"),
        ({"scope": "pair"}, r'owners \[""\], here it is \["AB", "CA", "BC"\]; give the scope'),
    ],
)
def test_models_of_another_shape_are_refused(stored, changed, message):
    with pytest.raises(ConfigError, match=message):
        start(*stored[1:], **changed)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("river", "0.1.0", 'river "0.1.0", here it is .*; install that version of River, or let the models learn'),
        ("python", "3.9", 'python "3.9", here it is .*; run that version of Python'),
        ("format", 0, "format 0, here it is 1; export the models again with this version of pairflow"),
    ],
)
def test_models_of_another_library_are_refused(stored, name, value, message):
    _, path, digest = stored
    line, _, state = path.read_bytes().partition(b"\n")
    write_model_file(path, stored_bytes(json.dumps(json.loads(line) | {name: value}), state))
    with pytest.raises(ConfigError, match=message):
        start(path, digest)


def test_files_that_cannot_be(stored, tmp_path):
    _, path, digest = stored
    with pytest.raises(ConfigError, match=r"cannot read .*absent: No such file .*; export it with `pairflow model exp"):
        start(tmp_path / "absent", digest)
    with pytest.raises(ConfigError, match=f"holds models of digest {digest}, not {'0' * 16}; export them again"):
        start(path, "0" * 16)
    with pytest.raises(ValueError, match="should match pattern"):
        start(path, "latest")
    write_model_file(path, path.read_bytes()[:-1])
    with pytest.raises(ConfigError, match=r"holds models of digest .*, not"):
        start(path, digest)
    write_model_file(path, b"\x80not json")
    with pytest.raises(ConfigError, match="is no file of models; write one with `pairflow model export`"):
        start(path, digest)
    with pytest.raises(ConfigError, match="cannot write"):
        write_model_file(path / "below", b"")


def test_equal_headers_fit_and_saving_can_be_left_off():
    check_header({"format": 1, "more": 2}, {"format": 1}, "file")
    spreads, features, _ = coin_flips(1, 100)
    assert "models" not in run(model(), spreads, features)
    assert MODELS.has_objects
