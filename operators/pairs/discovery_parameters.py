"""The parameters of the discovery operator."""

from typing import Literal

from pydantic import Field, model_validator

from operators.operator import Parameters
from schemas.parameter_types import Duration


class DiscoveryParameters(Parameters):
    """How pairs are screened, and what it takes to come into the traded set and to leave it."""

    every: Duration = Field(60 * 10**9, gt=0, description="length of the bars whose ends are the samples")
    window: int = Field(300, ge=50, le=5_000, description="samples of a screening")
    step: int = Field(1, ge=1, description="samples from one screening to the next")
    lags: int = Field(8, ge=0, le=12, description="lagged changes in the Dickey-Fuller regression at most")
    max_age: Duration | None = Field(
        None, gt=0, description="a sample of an instrument without a tradable quote for longer is missing; null: never"
    )
    missing: float = Field(
        0.1, ge=0, lt=1, description="share of the samples that an instrument may miss, its last mid standing for them"
    )
    false_discovery: float = Field(0.05, gt=0, lt=1, description="expected share of false discoveries in a screening")
    dependence: Literal["any", "positive"] = Field(
        "any", description="of the tests on each other: `any` (Benjamini-Yekutieli), or `positive` (Benjamini-Hochberg)"
    )
    min_correlation: float = Field(-1.0, ge=-1, le=1, description="no discovery where the legs' changes correlate less")
    max_distance: float | None = Field(
        None, gt=0, description="no discovery where the legs' log mids are further apart; null: wherever they are"
    )
    traded: int = Field(50, ge=1, le=5_000, description="pairs traded at most")
    confirm: int = Field(2, ge=1, description="a pair is promoted when so many screenings in a row have found it")
    retire: float = Field(
        0.2, gt=0, lt=1, description="a traded pair fails a screening at an adjusted p-value above this"
    )
    patience: int = Field(3, ge=1, description="a traded pair is retired when so many screenings in a row failed it")

    @model_validator(mode="after")
    def _makes_sense(self) -> "DiscoveryParameters":
        if 3 * self.lags + 10 > self.window:
            raise ValueError(f"{self.lags} lags need a window of at least {3 * self.lags + 10} samples")
        if self.retire < self.false_discovery:
            raise ValueError(
                f"retire {self.retire:g} must not be below false_discovery {self.false_discovery:g}, "
                "or pairs would come and go"
            )
        return self
