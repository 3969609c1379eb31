import pytest
from pydantic import ValidationError

from operators.simulator.parameters import SessionParameters


def test_the_defaults_describe_a_possible_session():
    parameters = SessionParameters()
    assert (parameters.symbols, parameters.pairs, parameters.messages) == (200, 500, 2_500_000)
    assert sum(parameters.group_sizes) == 200
    assert parameters.close_ns == 16 * 3600 * 10**9


def test_durations_are_written_as_people_write_them():
    assert SessionParameters(half_life=("20s", "5m")).half_life == (20 * 10**9, 300 * 10**9)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"symbols": 30}, "at least two a group"),
        ({"symbols": 40}, "within groups; use fewer groups"),
        ({"symbols": 20, "groups": 10, "pairs": 5, "controls": 181}, "181 controls asked for, there are 180"),
        ({"levels": 32}, "levels 32 must be below orders_max 32"),
        ({"messages": 3606}, "use at least 3607"),
        ({"price": (20.0, 400.0)}, "prices from 20.0 could fall to zero"),
        ({"beta": (1.5, 0.5)}, "upside down"),
        ({"hours": 0}, "greater than 0"),
        ({"half_spread_ticks": (0, 2)}, "greater than 0"),
        ({"half_life": ("20", "5m")}, "not a duration"),
        ({"colour": "red"}, "Extra inputs"),
    ],
)
def test_impossible_sessions_are_refused(wrong, says):
    with pytest.raises(ValidationError, match=says):
        SessionParameters(**wrong)


def test_the_least_number_of_messages_is_enough():
    assert SessionParameters(messages=3607).continuous_messages == 1


def test_every_parameter_is_described():
    assert all(field.description for field in SessionParameters.model_fields.values())
