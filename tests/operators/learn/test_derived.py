import math

import pytest

from operators.learn.derived import BASE_NAMES, Derived, check_expressions
from tests.operators.learn.tape import RECORDER, coin_flips, model, run


def value_of(text: str, **values: float) -> float:
    x = dict.fromkeys(BASE_NAMES, 0.0) | values
    Derived({"own": text}).add(x)
    return x["own"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("y_flow - x_flow", 0.75),
        ("-z * (1 + regime) / 2", -4.0),
        ("abs(x_flow) + min(z, 1) + max(z, 3, regime)", 4.25),
        ("sqrt(z) * log(regime)", math.sqrt(2) * math.log(3)),
        ("1 / recent", 0.0),
        ("sqrt(x_flow)", 0.0),
        ("1e308 * 1e308", 0.0),
    ],
)
def test_arithmetic_and_what_has_no_value_is_0(text, expected):
    assert value_of(text, y_flow=0.5, x_flow=-0.25, z=2.0, regime=3.0) == pytest.approx(expected)


def test_one_may_build_on_another_and_the_model_sees_both_from_the_side_of_the_deviation():
    spreads, features, _ = coin_flips(1, 4)
    operator = model(model=RECORDER, derive={"twice": "2 * y_imbalance", "more": "twice + z"})
    run(operator, spreads, features[:3])
    x = operator._asked or {}
    assert len(x) == 0
    run(operator, spreads[:0], features[3:])
    (asked,) = operator._asked.values()
    side = 1 if features["z"][3] > 0 else -1
    assert asked.x["twice"] == 2 * side * features["y_imbalance"][3]
    assert asked.x["more"] == asked.x["twice"] + 2.0
    assert tuple(asked.x) == (*BASE_NAMES, "twice", "more")


def test_recent_is_the_share_of_the_pairs_last_outcomes():
    spreads, features, outcomes = coin_flips(1, 12)
    operator, recent = model(model=RECORDER), 0.5
    for k in range(12):
        run(operator, spreads[:0], features[k : k + 1])
        (asked,) = operator._asked.values()
        assert asked.x["recent"] == pytest.approx(recent)
        run(operator, spreads[2 * k + 1 : 2 * k + 2], features[:0])
        recent += 0.1 * (outcomes[k] - recent)


@pytest.mark.parametrize(
    ("expressions", "message"),
    [
        ({"own": "y_flow -"}, "'y_flow -' is no expression"),
        ({"own": "flow"}, "there is no feature 'flow'; there are z, velocity"),
        ({"own": "second", "second": "z"}, "there is no feature 'second'"),
        ({"z": "regime"}, "'z' cannot be the name of a feature"),
        ({"log": "regime"}, "'log' cannot be the name of a feature"),
        ({"a b": "regime"}, "'a b' cannot be the name of a feature"),
        ({"own": "z(1)"}, "'z' is no function; there are abs"),
        ({"own": "abs"}, "cannot be computed"),
        ({"own": "sqrt(1, 2)"}, "cannot be computed"),
        ({"own": "'text'"}, "write . - . /"),
        ({"own": "z.real"}, "write . - . /"),
        ({"own": "().__class__"}, "write . - . /"),
        ({"own": "[z for z in z]"}, "write . - . /|no feature"),
        ({"own": "9 ** 9 ** 9"}, "write . - . /"),
        ({"own": "max(z, key=abs)"}, "write . - . /"),
        ({"own": "z" + " + z" * 60}, "longer than 200 characters"),
    ],
)
def test_what_is_refused(expressions, message):
    with pytest.raises(ValueError, match=message):
        check_expressions(expressions)
