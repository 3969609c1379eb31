"""Bytes of a model: those of its state, whatever process it lives in and however often it was restarted."""

import pickle
import subprocess
import sys

import numpy as np
import pytest
from river import forest, linear_model, naive_bayes, preprocessing, tree

from operators.learn.canonical import canonical_bytes, digest_of
from operators.learn.select import Select
from tests.conftest import ROOT

MODELS = {
    "logistic": lambda: preprocessing.StandardScaler() | linear_model.LogisticRegression(),
    "union": lambda: Select("a", "b") | preprocessing.MinMaxScaler() | linear_model.PAClassifier(),
    "bayes": naive_bayes.GaussianNB,
    "tree": lambda: tree.HoeffdingTreeClassifier(grace_period=10),
    "forest": lambda: forest.ARFClassifier(n_models=2, seed=1, grace_period=10),
}


def taught(name: str, restarts: bool = False, count: int = 80):
    rng = np.random.default_rng(1)
    model = MODELS[name]()
    for k in range(count):
        if restarts and k % 20 == 10:
            model = pickle.loads(pickle.dumps(model))
        x = dict(zip("abc", rng.normal(size=3).tolist(), strict=True))
        model.predict_proba_one(x) if name != "union" else model.predict_one(x)
        model.learn_one(x, x["a"] > 0.3)
    return model


@pytest.mark.parametrize("name", MODELS)
def test_the_same_state_has_the_same_bytes(name):
    whole = canonical_bytes(taught(name))
    assert canonical_bytes(taught(name, restarts=True)) == whole
    assert canonical_bytes(pickle.loads(whole)) == whole
    assert canonical_bytes(taught(name, count=81)) != whole


def test_in_every_process():
    code = (
        "from tests.operators.learn.test_canonical import *\n"
        "print(*[digest_of(canonical_bytes(taught(name))) for name in MODELS])"
    )
    here = [str(digest_of(canonical_bytes(taught(name)))) for name in MODELS]
    command = [sys.executable, "-c", code]
    there = subprocess.run(command, cwd=ROOT, env={"PYTHONHASHSEED": "7"}, capture_output=True, text=True, check=True)
    assert there.stdout.split() == here


def test_what_is_read_back_predicts_the_same():
    model = taught("forest")
    x = {"a": 0.1, "b": -0.2, "c": 0.3}
    assert pickle.loads(canonical_bytes(model)).predict_proba_one(x) == model.predict_proba_one(x)


def test_sets_and_equal_texts():
    one, two = "".join(["a", "b"]), "".join(["a", "b"])
    assert canonical_bytes([one, one]) == canonical_bytes([one, two])
    assert canonical_bytes({"x", "y", "z"}) == canonical_bytes({"z", "y", "x"})
    assert pickle.loads(canonical_bytes({1, 2})) == {1, 2}
    shared = [1]
    assert canonical_bytes([shared, shared]) != canonical_bytes([shared, [1]])
