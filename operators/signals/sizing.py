"""How the size of an entry follows from what is expected of it."""

from itertools import pairwise
from typing import Annotated, Literal

import numpy as np
from pydantic import Field, model_validator

from operators.operator import Parameters
from operators.signals.decision import FLAT_SIZE, KELLY_SIZE, LINEAR_SIZE, SIZE, STEP_SIZE
from schemas.parameter_types import Money
from schemas.record import Frame


class ScaledSizing(Parameters):
    """A share of the notional by probability or expected gain, in steps or along straight lines."""

    type: Literal["step", "linear"] = Field(
        description="the share of the last point passed, or on the line between two"
    )
    by: Literal["probability", "expected"] = Field(
        "probability", description="what the points speak of: the probability, or the expected gain in bps"
    )
    points: tuple[tuple[float, float], ...] = Field(
        min_length=1, description="[value, share of the notional], values rising; below the first there is no entry"
    )

    @model_validator(mode="after")
    def _rises(self) -> "ScaledSizing":
        for (low, _), (high, _) in pairwise(self.points):
            if low >= high:
                raise ValueError(f"points: {high:g} comes after {low:g}; write values in rising order")
        for value, share in self.points:
            if share < 0.0:
                raise ValueError(f"points: the share at {value:g} is {share:g}; a size is 0 or more")
        return self


class KellySizing(Parameters):
    """A fraction of the growth-optimal bet: capital times gain over its variance (Kelly 1956; Thorp 2006)."""

    type: Literal["kelly"] = Field(description="fraction * capital * expected gain / risk squared")
    capital: Money = Field(gt=0, description="capital that is bet with, in currency")
    fraction: float = Field(0.1, gt=0, le=1, description="of the growth-optimal bet; the whole is far too much")
    most: float = Field(1.0, gt=0, description="the largest size, as a share of the notional")


Sizing = Annotated[ScaledSizing | KellySizing, Field(discriminator="type")]


def size_points(sizing: Sizing | None) -> Frame:
    """The points of a rule as the kernel of bands reads them."""
    return np.array(list(sizing.points) if isinstance(sizing, ScaledSizing) else [], SIZE)


def write_sizing(terms: Frame, sizing: Sizing | None, notional: int) -> None:
    """Fill in the terms of bands that a rule decides; `notional` in money quanta."""
    terms["sizing"], terms["most"] = FLAT_SIZE, np.inf
    if isinstance(sizing, KellySizing):
        terms["sizing"], terms["most"] = KELLY_SIZE, sizing.most
        terms["kelly"] = sizing.fraction * sizing.capital / notional * 1e4
    elif sizing is not None:
        terms["sizing"] = LINEAR_SIZE if sizing.type == "linear" else STEP_SIZE
        terms["by_expected"] = sizing.by == "expected"
