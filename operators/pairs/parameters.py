"""The parameters of the spread operator."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from operators.operator import Parameters
from operators.pairs.window import Sampling
from schemas.parameter_types import Duration, TimeSpan, duration_ns

WINDOW_MAX = 1_000_000

Window = Annotated[int, Field(ge=2, le=WINDOW_MAX)] | TimeSpan
"""A number of samples, or a time."""


class StaticHedge(Parameters):
    """Hedge ratio and intercept as the pair's definition gives them."""

    type: Literal["static"] = Field("static", description="take `hedge` and `intercept` of each pair")


class _WindowedHedge(Parameters):
    window: Window = Field(description="samples the regression looks back on, or the time, such as 10m")
    intercept: bool = Field(True, description="fit an intercept; otherwise the line goes through the origin")

    @model_validator(mode="after")
    def _leaves_a_residual(self) -> "_WindowedHedge":
        if self.intercept and self.window == 2:
            raise ValueError("a line with intercept fits 2 samples exactly; make window 3 or more, or intercept false")
        return self


class RollingHedge(_WindowedHedge):
    """Least squares of y on x over the last samples."""

    type: Literal["rolling"] = Field(description="regress y on x, sample by sample")


class TotalHedge(_WindowedHedge):
    """Total least squares over the last samples: the same line whichever leg is called y."""

    type: Literal["tls"] = Field(description="total least squares of y and x, sample by sample")


class EwlsHedge(Parameters):
    """Least squares of y on x over all samples, with weights that decay."""

    type: Literal["ewls"] = Field(description="recursive least squares with exponential forgetting")
    half_life: float = Field(gt=0, le=WINDOW_MAX, description="samples after which a weight has halved")
    intercept: bool = Field(True, description="fit an intercept; otherwise the line goes through the origin")


class KalmanHedge(Parameters):
    """Hedge and intercept as a random walk, followed by a Kalman filter from the pair's own, or from 0."""

    type: Literal["kalman"] = Field(description="Kalman filter of hedge and intercept")
    delta: float = Field(1e-4, gt=0, lt=1, description="both gain a variance of delta / (1 - delta) per sample")
    noise: float = Field(1e-3, gt=0, description="variance of a measurement, in units of y squared")
    adapt: float | None = Field(
        None,
        gt=0,
        le=WINDOW_MAX,
        description="once warm, estimate the noise with this half-life in samples; null: it stays",
    )
    prior: float = Field(0.0, ge=0, description="variance of hedge and intercept before the first sample")
    warm_up: int = Field(30, ge=0, le=WINDOW_MAX, description="samples until the filter is trusted")


class RollingDeviation(Parameters):
    """Mean and sample standard deviation (ddof 1) of the last samples."""

    type: Literal["rolling"] = Field(description="equal weights over a window")
    window: Window = Field(description="samples of the spread, or the time, such as 10m")


class EwmDeviation(Parameters):
    """Exponentially weighted mean and deviation; `alpha = 1 - 2 ** (-1 / half_life)`."""

    type: Literal["ewm"] = Field(description="weights that halve every `half_life` samples")
    half_life: float = Field(gt=0, le=WINDOW_MAX, description="samples after which a weight has halved")


class Innovation(Parameters):
    """Mean 0 and the deviation that a Kalman filter predicts for its own error."""

    type: Literal["innovation"] = Field(description="prediction error over its deviation; for hedge type kalman")


Hedge = StaticHedge | RollingHedge | TotalHedge | EwlsHedge | KalmanHedge
Zscore = RollingDeviation | EwmDeviation | Innovation


class SpreadParameters(Parameters):
    """How spreads are measured."""

    price: Literal["mid", "log_mid"] = Field("mid", description="mid price in currency, or its natural logarithm")
    hedge: Annotated[Hedge, Field(discriminator="type")] = Field(
        StaticHedge(type="static"), description="where hedge ratio and intercept come from"
    )
    zscore: Annotated[Zscore, Field(discriminator="type")] = Field(description="what the spread is compared with")
    every: Sampling = Field(
        10**9,
        description="length of the bars whose ends are the samples of the statistics, or `event`, or `change`: "
        "what each change of a leg's mid put an end to",
    )
    max_age: Duration | None = Field(
        None, gt=0, description="a leg without a tradable quote for longer makes the spread STALE; null: never"
    )
    executable: bool = Field(False, description="also emit spread_quotes: what each spread can be traded at")

    @model_validator(mode="after")
    def _time_passes(self) -> "SpreadParameters":
        if not isinstance(self.every, str) and not 0 < self.every <= 366 * 86_400 * 10**9:
            raise ValueError(
                "every must be longer than 0 and at most 366d; `event` samples at every quote, "
                "`change` at every new mid"
            )
        return self

    @model_validator(mode="after")
    def _fit_together(self) -> "SpreadParameters":
        if isinstance(self.zscore, Innovation) and not isinstance(self.hedge, KalmanHedge):
            raise ValueError(f"zscore innovation needs a hedge of type kalman, found {self.hedge.type}")
        for name, chosen in (("hedge", self.hedge), ("zscore", self.zscore)):
            window = getattr(chosen, "window", 0)
            if isinstance(window, str) and not 3 <= self.bars(window) <= WINDOW_MAX:
                raise ValueError(
                    f"{name}: a window of {window} must be 3 to {WINDOW_MAX:,} bars of `every` long; with "
                    "`every: event` or `change` give the window as a number of samples"
                )
        return self

    def bars(self, window: int | str) -> int:
        """A window in samples, or in bars where it is a time: those that end within it. 0 without bars."""
        if isinstance(window, int):
            return window
        return 0 if isinstance(self.every, str) else -(-duration_ns(window) // self.every)
