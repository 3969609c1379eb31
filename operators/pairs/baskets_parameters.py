"""The parameters of the baskets operator."""

from pydantic import Field, model_validator

from operators.operator import Parameters
from schemas.parameter_types import Duration
from schemas.signal import LEGS_MAX


class Basket(Parameters):
    """Instruments that may belong together."""

    id: str = Field(min_length=1, description="unique name, as shown in tables")
    instruments: tuple[str, ...] = Field(min_length=2, max_length=LEGS_MAX, description="ids of its instruments")

    @model_validator(mode="after")
    def _different(self) -> "Basket":
        for i, name in enumerate(self.instruments):
            if name in self.instruments[:i]:
                raise ValueError(f"basket {self.id!r} has {name!r} twice; a basket needs different instruments")
        return self


class BasketsParameters(Parameters):
    """What is tested, how often, and what it takes to pass."""

    baskets: tuple[Basket, ...] = Field(min_length=1, description="the baskets, each tested by itself")
    every: Duration = Field(10**9, gt=0, description="length of the bars whose ends are the samples")
    window: int = Field(600, ge=50, le=20_000, description="samples of the test")
    step: int = Field(60, ge=1, description="samples from one test to the next")
    lags: int = Field(1, ge=1, le=10, description="lagged changes of every instrument in the test's regressions")
    max_age: Duration | None = Field(
        None, gt=0, description="a sample of an instrument without a tradable quote for longer is missing; null: never"
    )
    missing: float = Field(
        0.1, ge=0, lt=1, description="share of the samples that an instrument may miss, its last mid standing for them"
    )
    open: float = Field(0.05, gt=0, lt=1, description="a basket opens at a p-value of at most this")
    close: float = Field(0.1, gt=0, lt=1, description="an open basket closes at a p-value above this")

    @model_validator(mode="after")
    def _makes_sense(self) -> "BasketsParameters":
        if self.close < self.open:
            raise ValueError(f"close {self.close:g} must not be below open {self.open:g}, or baskets would flicker")
        names = [basket.id for basket in self.baskets]
        for i, name in enumerate(names):
            if name in names[:i]:
                raise ValueError(f"two baskets are called {name!r}; rename one")
        most = max(len(basket.instruments) for basket in self.baskets)
        least = 10 * (1 + most * (self.lags + 1))
        if self.window < least:
            raise ValueError(f"{self.lags} lags of {most} instruments need a window of at least {least} samples")
        return self
