"""The contract every operator passes, built in or a user's own, found out by running it on an example input."""

from flows.contract.declaration import check_declaration
from flows.contract.examples import example_of
from flows.contract.properties import PROPERTIES
from flows.contract.replay import makes_the_same_rows_in_another_process
from flows.contract.trial import Trial
from flows.contract.verdict import Verdict
from operators.operator import Operator
from schemas.errors import ContractError

__all__ = ["Verdict", "check_operator"]

_DECLARATION = "is declared soundly"
_OTHER_PROCESS = "makes the same rows in another process"


def check_operator(cls: type[Operator], seed: int = 1, in_other_process: bool = False) -> list[Verdict]:
    """One verdict per property. A declaration that is not sound ends the suite at once: nothing can be run.

    The input is `cls.example(seed)`, or random rows of the declared schemas with default parameters.
    `in_other_process` also runs a fresh interpreter with another hash seed, which takes a second or two.
    """
    try:
        example = example_of(cls, seed)
        check_declaration(cls, example)
    except ContractError as e:
        return [Verdict(_DECLARATION, str(e))]
    except Exception as e:
        return [Verdict(_DECLARATION, f"example({seed}) raised {type(e).__name__} ({e})")]
    trial = Trial(cls, example)
    properties = PROPERTIES | (
        {_OTHER_PROCESS: lambda trial: makes_the_same_rows_in_another_process(trial, seed)} if in_other_process else {}
    )
    verdicts = [Verdict(_DECLARATION)]
    for name, holds in properties.items():
        try:
            holds(trial)
        except ContractError as e:
            verdicts.append(Verdict(name, str(e)))
        else:
            verdicts.append(Verdict(name))
    return verdicts
