"""Reference data: instruments and pairs, validated once, then used by index."""

from decimal import Decimal
from functools import lru_cache
from itertools import combinations
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from schemas.record import DECIMAL_SCALE, MONEY_QUANTUM

Positive = Annotated[Decimal, Field(gt=0, max_digits=18, decimal_places=DECIMAL_SCALE)]


class Definition(BaseModel):
    """Base of every configured definition: frozen, unknown keys rejected."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Instrument(Definition):
    """A tradable instrument. Prices are counted in ticks and quantities in lots of it."""

    id: str = Field(min_length=1, description="unique name, as shown in tables")
    venue: str = Field(min_length=1, description="where it trades")
    symbol: str = Field(min_length=1, description="the venue's own symbol")
    tick: Positive = Field(description="smallest price step, in currency")
    lot: Positive = Field(description="smallest quantity step, in units")
    currency: str = Field(min_length=1, description="currency of the price")
    multiplier: Positive = Field(default=Decimal(1), description="units of the underlying per unit of quantity")

    @model_validator(mode="after")
    def _money_is_exact(self) -> "Instrument":
        value = self.tick * self.lot * self.multiplier * MONEY_QUANTUM
        if value != value.to_integral_value() or int(value) % 2:
            raise ValueError(
                f"one tick of one lot is worth {self.tick * self.lot * self.multiplier} {self.currency}, "
                "which is not an even multiple of 1e-8; choose a coarser tick or lot"
            )
        return self

    @property
    def tick_value(self) -> int:
        """Money quanta that one lot gains when the price rises one tick."""
        return int(self.tick * self.lot * self.multiplier * MONEY_QUANTUM)

    @property
    def tick_nanos(self) -> int:
        """The tick in units of 1e-9 currency."""
        return int(self.tick * 10**DECIMAL_SCALE)

    @property
    def lot_nanos(self) -> int:
        """The lot in units of 1e-9."""
        return int(self.lot * 10**DECIMAL_SCALE)


class Pair(Definition):
    """Two instruments traded against each other: spread = y - hedge * x - intercept."""

    id: str = Field(min_length=1, description="unique name, as shown in tables")
    y: str = Field(description="id of the dependent instrument")
    x: str = Field(description="id of the hedging instrument")
    hedge: float | None = Field(default=None, description="units of x per unit of y, for a static hedge")
    intercept: float = Field(default=0.0, description="intercept that goes with a static hedge")

    @model_validator(mode="after")
    def _two_legs(self) -> "Pair":
        if self.y == self.x:
            raise ValueError(f"pair {self.id!r} has {self.y!r} on both legs; a pair needs two different instruments")
        return self


@lru_cache(maxsize=8)
def every_pair(instruments: tuple[Instrument, ...]) -> tuple[Pair, ...]:
    """Every two of the instruments as a pair called Y/X: the one listed first is y."""
    return tuple(Pair.model_construct(id=f"{y.id}/{x.id}", y=y.id, x=x.id) for y, x in combinations(instruments, 2))
