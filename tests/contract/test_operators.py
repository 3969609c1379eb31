"""Every operator of pairflow, and the example of one's own, keep the contract."""

import pytest

from docs.examples.wide_quotes import WideQuotes
from flows.contract import check_operator
from operators.execution.loop import Loop
from operators.operator import Operator
from operators.registry import built_in

OPERATORS = [cls for cls in built_in().values() if issubclass(cls, Operator)]


@pytest.mark.parametrize("cls", [*OPERATORS, Loop, WideQuotes], ids=lambda cls: cls.__name__)
@pytest.mark.parametrize("seed", [1, 2])
def test_keeps_the_contract(cls: type[Operator], seed: int) -> None:
    assert [f"{v.name}: {v.message}" for v in check_operator(cls, seed) if not v.passed] == []


def test_the_example_makes_the_same_rows_in_another_process() -> None:
    assert all(verdict.passed for verdict in check_operator(WideQuotes, in_other_process=True))
