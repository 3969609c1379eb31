"""A graph has no seat of the loop, or one of each."""

import pytest

from operators.execution.stage import check_loop
from operators.execution.trader import Trader
from operators.execution.venue import SimulatedVenue
from operators.portfolio.portfolio import Portfolio
from operators.risk.limits import Limits
from schemas.errors import ConfigError

LOOP = [("t", Trader), ("l", Limits), ("v", SimulatedVenue), ("p", Portfolio)]


def test_no_stage_or_one_of_each_is_a_loop() -> None:
    check_loop([])
    check_loop(LOOP)


@pytest.mark.parametrize(
    ("stages", "message"),
    [
        (LOOP[1:], "exactly one trader stage, found none"),
        (LOOP[:3], "exactly one portfolio stage, found none"),
        ([*LOOP, ("second", SimulatedVenue)], r"exactly one venue stage, found 2 \(v, second\)"),
    ],
)
def test_anything_else_is_refused_with_what_was_found(stages: list[tuple[str, type]], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        check_loop(stages)
