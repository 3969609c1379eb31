"""What a simulated session is made of."""

import datetime
from typing import Annotated

from pydantic import AfterValidator, Field, PositiveFloat, PositiveInt, model_validator

from operators.operator import Parameters
from schemas.parameter_types import Duration


def _ordered(bounds: tuple[float, float]) -> tuple[float, float]:
    if bounds[0] > bounds[1]:
        raise ValueError(f"the range {bounds[0]}..{bounds[1]} is upside down; write the smaller number first")
    return bounds


Range = Annotated[tuple[PositiveFloat, PositiveFloat], AfterValidator(_ordered)]
TickRange = Annotated[tuple[PositiveInt, PositiveInt], AfterValidator(_ordered)]
DurationRange = Annotated[tuple[Duration, Duration], AfterValidator(_ordered)]

SECOND_NS = 10**9
OPEN_NS = (9 * 3600 + 30 * 60) * SECOND_NS
"""The market opens at 9:30, ns since midnight."""

_SYSTEM_EVENTS = 6
_SAFE_DEVIATIONS = 8


class SessionParameters(Parameters):
    """A session in which pairs are cointegrated by construction; prices and volatilities are in ticks of 0.01 USD.

    The fair price of a member of a group is `price + beta * factor + own`: `factor` is the group's random
    walk, `own` an Ornstein-Uhlenbeck process that reverts at the group's rate.
    """

    symbols: int = Field(200, ge=2, le=4000, description="instruments")
    groups: int = Field(20, ge=1, description="groups of instruments that share a random walk; as equal as they come")
    pairs: int = Field(500, ge=0, description="cointegrated pairs, each within one group")
    controls: int = Field(0, ge=0, description="pairs across groups, which are not cointegrated")
    messages: int = Field(2_500_000, description="messages in the session, all types together")
    seed: int = Field(1, ge=0, description="the session is a function of this and the other parameters")
    date: datetime.date = Field(datetime.date(2026, 1, 5), description="trading day (stated in the truth only)")
    hours: float = Field(6.5, gt=0, le=14, description="length of the session, from 9:30")
    price: Range = Field((60.0, 400.0), description="price of an instrument at the open, USD")
    beta: Range = Field((0.5, 1.5), description="loading of an instrument on its group's random walk")
    half_life: DurationRange = Field((60 * SECOND_NS, 300 * SECOND_NS), description="half-life of a group's spreads")
    factor_volatility_ticks: float = Field(2.0, gt=0, description="deviation of the random walk after one second")
    own_deviation_ticks: Range = Field((12.0, 24.0), description="stationary deviation of an instrument's own part")
    half_spread_ticks: TickRange = Field((1, 3), description="distance of an instrument's best quotes from fair")
    levels: int = Field(8, ge=4, description="orders a side of a book tends to hold")
    orders_max: int = Field(32, le=1024, description="orders a side of a book never exceeds")
    telling: float = Field(
        0.0, ge=0, le=1, description="how far sizes in the book lean to where an instrument's own part goes; 0: not"
    )
    depth_ticks: int = Field(40, ge=1, le=1000, description="how far behind the best quote orders are placed")

    @property
    def close_ns(self) -> int:
        """When the market closes, ns since midnight."""
        return OPEN_NS + int(self.hours * 3600 * SECOND_NS)

    @property
    def group_sizes(self) -> tuple[int, ...]:
        """Members of every group, the larger groups first."""
        size, larger = divmod(self.symbols, self.groups)
        return (size + 1,) * larger + (size,) * (self.groups - larger)

    @property
    def opening_orders(self) -> int:
        """Orders that are in the books when the market opens."""
        return 2 * self.levels * self.symbols

    @property
    def continuous_messages(self) -> int:
        """Messages between open and close: what the directory, the system and the opening books leave over."""
        return self.messages - _SYSTEM_EVENTS - 2 * self.symbols - self.opening_orders

    @model_validator(mode="after")
    def _possible(self) -> "SessionParameters":
        if self.symbols < 2 * self.groups:
            raise ValueError(f"{self.symbols} symbols make no pairs in {self.groups} groups; use at least two a group")
        within = sum(n * (n - 1) // 2 for n in self.group_sizes)
        if self.pairs > within:
            raise ValueError(f"{self.pairs} pairs asked for, there are {within} within groups; use fewer groups")
        across = self.symbols * (self.symbols - 1) // 2 - within
        if self.controls > across:
            raise ValueError(f"{self.controls} controls asked for, there are {across} pairs across groups")
        if self.levels >= self.orders_max:
            raise ValueError(f"levels {self.levels} must be below orders_max {self.orders_max}")
        if self.continuous_messages < 1:
            least = self.messages - self.continuous_messages + 1
            raise ValueError(f"{self.messages} messages do not cover directory and opening books; use at least {least}")
        return self

    @model_validator(mode="after")
    def _prices_stay_positive(self) -> "SessionParameters":
        walk = self.beta[1] * self.factor_volatility_ticks * (self.hours * 3600) ** 0.5
        own = self.own_deviation_ticks[1]
        reach = (_SAFE_DEVIATIONS * (walk + own) + self.half_spread_ticks[1] + 2 * self.depth_ticks) / 100
        if self.price[0] <= reach:
            raise ValueError(
                f"prices from {self.price[0]} could fall to zero: {_SAFE_DEVIATIONS} deviations are {reach:.2f}; "
                "raise price or lower factor_volatility_ticks"
            )
        return self
