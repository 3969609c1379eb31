"""Who has a model, and whose validation is whose."""

import numpy as np
import pytest

from operators.learn.owners import owners_of
from schemas.errors import ConfigError
from tests.operators.learn.models import Frail
from tests.operators.learn.tape import coin_flips, model, predict, run
from tests.operators.pairs.tape import DESK

FRAIL = f"{Frail.__module__}.Frail"
GROUPS = {"first": ["AB"], "rest": ["CA"]}


def of_three_pairs(count: int):
    spreads, features, _ = coin_flips(1, count)
    features["pair"] = np.arange(count) % 3
    spreads["pair"] = np.repeat(features["pair"], 2)
    return spreads, features


def test_one_model_is_validated_group_by_group():
    rows = run(model(groups=GROUPS, validate_every=10), *of_three_pairs(90))["validation"]
    assert sorted(rows["group"].tolist()) == [""] * 3 + ["first"] * 3 + ["rest"] * 3
    assert set(rows["pair"]) == {-1}
    assert (rows["examples"] > 20).all()


def test_a_group_has_a_model_that_its_pairs_alone_teach():
    spreads, features = of_three_pairs(90)
    groups = {"two": ["AB", "BC"]}
    rows = run(model(scope="group", groups=groups, validate_every=10), spreads, features)
    both = [f[f["pair"] != 1] for f in (spreads, features)]
    told = rows["predictions"]
    assert told[told["pair"] != 1].tolist() == predict(model(), *both).tolist()
    assert set(rows["validation"]["group"]) == {"", "two"}


def test_pairs_of_one_group_and_their_own_models():
    rows = run(model(scope="pair", groups=GROUPS, validate_every=10), *of_three_pairs(90))["validation"]
    assert set(zip(rows["group"].tolist(), rows["pair"].tolist(), strict=True)) == {("first", 0), ("rest", 1), ("", 2)}


def test_events_and_failures_name_the_owner():
    frail = {"class": FRAIL, "parameters": {"after": 3, "how": "learn"}}
    rows = run(model(model=frail, scope="group", groups=GROUPS), *of_three_pairs(60))
    assert rows["failures"][["pair", "examples"]].tolist() == [(-1, 3)] * 3


def test_a_group_without_a_pair_of_the_desk_is_refused():
    with pytest.raises(ConfigError, match=r"groups: 'banks' holds no pair of desk 'desk' \(BAC/C\); it has AB, CA, BC"):
        model(groups={"banks": ["BAC/C"]})
    assert owners_of(model(groups={"some": ["AB", "elsewhere"]}).parameters, DESK).group == ("some", "", "")
