import numpy as np

from operators.kernel import State
from operators.pairs.traded_set import Admission, first_standing, renew

TERMS = Admission(traded=2, confirm=2, retire=0.1, patience=3)


def standing(pairs: int = 4) -> State:
    return State(**first_standing(pairs))


def seen(state: State, *p_values: float, terms: Admission = TERMS) -> tuple[list[int], list[int]]:
    """A screening in which a p-value up to 0.01 is a discovery: (retired, promoted)."""
    p_values = np.array(p_values)
    retired, promoted = renew(state, terms, p_values, p_values, p_values <= 0.01)
    return retired.tolist(), promoted.tolist()


def test_a_pair_is_promoted_when_found_often_enough_in_a_row():
    state = standing(1)
    assert [seen(state, p) for p in (0.01, 0.02, 0.01, 0.0)] == [([], []), ([], []), ([], []), ([], [0])]
    assert seen(state, 0.0) == ([], [])


def test_the_least_p_values_come_first_and_the_others_wait():
    state = standing()
    assert seen(state, 0.005, 0.001, 0.003, 0.9) == ([], [])
    assert seen(state, 0.005, 0.001, 0.003, 0.9) == ([], [1, 2])
    for _ in range(2):
        assert seen(state, 0.005, 0.001, 0.5, 0.9) == ([], [])
    assert seen(state, 0.005, 0.001, 0.5, 0.9) == ([2], [0]), "room is there as soon as it is left"


def test_a_pair_is_retired_when_it_fails_often_enough_in_a_row():
    state = standing(1)
    seen(state, 0.0), seen(state, 0.0)
    found = [seen(state, p) for p in (0.2, 0.2, 0.1, 0.11, 1.0, 0.3, 0.0, 0.0)]
    assert found == [([], [])] * 5 + [([0], []), ([], []), ([], [0])]


def test_ties_are_broken_by_the_pairs_number():
    state, terms = standing(), Admission(traded=1, confirm=1, retire=0.1, patience=1)
    assert seen(state, 0.9, 0.001, 0.001, 0.001, terms=terms) == ([], [1])
    assert seen(state, 0.9, 0.9, 0.001, 0.001, terms=terms) == ([1], [2])
