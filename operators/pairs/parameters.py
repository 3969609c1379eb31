"""The parameters of the spread operator."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from operators.operator import Parameters
from schemas.parameter_types import Duration

_WINDOW_MAX = 1_000_000


class StaticHedge(Parameters):
    """Hedge ratio and intercept as the pair's definition gives them."""

    type: Literal["static"] = Field("static", description="take `hedge` and `intercept` of each pair")


class RollingHedge(Parameters):
    """Least squares of y on x over the last samples."""

    type: Literal["rolling"] = Field(description="regress y on x, sample by sample")
    window: int = Field(ge=2, le=_WINDOW_MAX, description="samples the regression looks back on")
    intercept: bool = Field(True, description="fit an intercept; otherwise the line goes through the origin")

    @model_validator(mode="after")
    def _leaves_a_residual(self) -> "RollingHedge":
        if self.intercept and self.window < 3:
            raise ValueError("a line with intercept fits 2 samples exactly; make window 3 or more, or intercept false")
        return self


class RollingDeviation(Parameters):
    """Mean and sample standard deviation (ddof 1) of the last samples."""

    type: Literal["rolling"] = Field(description="equal weights over a window")
    window: int = Field(ge=2, le=_WINDOW_MAX, description="samples of the spread")


class EwmDeviation(Parameters):
    """Exponentially weighted mean and deviation; `alpha = 1 - 2 ** (-1 / half_life)`."""

    type: Literal["ewm"] = Field(description="weights that halve every `half_life` samples")
    half_life: float = Field(gt=0, le=_WINDOW_MAX, description="samples after which a weight has halved")


class SpreadParameters(Parameters):
    """How spreads are measured."""

    price: Literal["mid", "log_mid"] = Field("mid", description="mid price in currency, or its natural logarithm")
    hedge: Annotated[StaticHedge | RollingHedge, Field(discriminator="type")] = Field(
        StaticHedge(type="static"), description="where hedge ratio and intercept come from"
    )
    zscore: Annotated[RollingDeviation | EwmDeviation, Field(discriminator="type")] = Field(
        description="what the spread is compared with"
    )
    every: Duration | Literal["event"] = Field(
        10**9, description="length of the bars whose ends are the samples of the statistics, or `event`"
    )

    @model_validator(mode="after")
    def _time_passes(self) -> "SpreadParameters":
        if self.every != "event" and not 0 < self.every <= 366 * 86_400 * 10**9:
            raise ValueError("every must be longer than 0 and at most 366d; `event` samples at every quote")
        return self
