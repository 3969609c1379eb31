"""Which pairs are traded: found again and again they are promoted, failing again and again retired."""

from dataclasses import dataclass

import numpy as np

from operators.kernel import State
from schemas.record import Frame


@dataclass(frozen=True)
class Admission:
    """What it takes to come in and to go."""

    traded: int
    confirm: int
    retire: float
    patience: int


def first_standing(pairs: int) -> dict[str, Frame]:
    """What is known of the pairs before the first screening, as tables of a State: no pair is traded.

    `streaks` count the last screenings, one after the other, that found a pair which is not traded, or that one
    which is traded failed.
    """
    return {"streaks": np.zeros(pairs, np.int32), "traded": np.zeros(pairs, np.int8)}


def renew(state: State, terms: Admission, p_values: Frame, in_view: Frame, is_found: Frame) -> tuple[Frame, Frame]:
    """Take in a screening; return the pairs retired, in order, and those promoted, the least p-value first.

    A traded pair fails where its p-value `in_view` of all tests is above `retire`. Where more pairs are ready than
    there is room for, those with the least p-values are promoted, and the others stay ready while they are found.
    """
    streaks, is_traded = state["streaks"], state["traded"].view(np.bool_)
    goes_on = np.where(is_traded, in_view > terms.retire, is_found)
    streaks[:] = np.where(goes_on, np.minimum(streaks, np.iinfo(np.int32).max - 1) + 1, 0)
    retired = np.flatnonzero(is_traded & (streaks >= terms.patience))
    ready = np.flatnonzero(~is_traded & (streaks >= terms.confirm))
    room = terms.traded - int(is_traded.sum()) + len(retired)
    promoted = ready[np.argsort(p_values[ready], kind="stable")][:room]
    is_traded[retired], is_traded[promoted] = False, True
    streaks[retired] = streaks[promoted] = 0
    return retired, promoted
