"""The market behind a session: groups, instruments, pairs, and the truth about them."""

import math
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np

from operators.simulator.parameters import SECOND_NS, SessionParameters
from schemas.instrument import Instrument, Pair
from schemas.record import Frame

TICK = Decimal("0.01")
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

GROUP = np.dtype(
    [
        ("factor", "f8"),  # the random walk, ticks
        ("ts", "i8"),  # when it was last advanced, ns since midnight
        ("volatility", "f8"),  # ticks after one second
        ("rate", "f8"),  # mean reversion of the members' own parts, per second
    ]
)

MEMBER = np.dtype(
    [
        ("own", "f8"),  # the Ornstein-Uhlenbeck part, ticks
        ("ts", "i8"),  # when it was last advanced, ns since midnight
        ("deviation", "f8"),  # its stationary deviation, ticks
        ("price", "f8"),  # fair price where factor and own part are zero, ticks
        ("beta", "f8"),  # loading on the group's factor
        ("stock", "u8"),  # symbol, padded with spaces, as a big-endian number
        ("group", "i4"),
        ("half_spread", "i4"),  # ticks
    ]
)


@dataclass(frozen=True)
class Market:
    """What a session draws before it starts; `groups` and `members` are of dtype GROUP and MEMBER."""

    symbols: tuple[str, ...]
    groups: Frame
    members: Frame
    legs: tuple[tuple[int, int], ...]
    """(y, x) of every pair, the controls last."""

    @property
    def instruments(self) -> tuple[Instrument, ...]:
        """Reference data, in order of stock locate code."""
        return tuple(
            Instrument(id=s, venue="NASDAQ", symbol=s, tick=TICK, lot=Decimal(1), currency="USD") for s in self.symbols
        )

    @property
    def pairs(self) -> tuple[Pair, ...]:
        """Reference data without hedges: those are for an operator to find."""
        return tuple(
            Pair(id=f"{self.symbols[y]}/{self.symbols[x]}", y=self.symbols[y], x=self.symbols[x]) for y, x in self.legs
        )

    def truth(self) -> list[dict[str, Any]]:
        """What is true of every pair, in order of `pairs`; None where a control has no such number.

        Within a group y - hedge * x = intercept + own_y - hedge * own_x, and both own parts revert at one
        rate: the spread is itself an Ornstein-Uhlenbeck process. Money is in USD, half-lives in seconds.
        """
        return [{"id": pair.id} | self._truth(y, x) for pair, (y, x) in zip(self.pairs, self.legs, strict=True)]

    def _truth(self, y: int, x: int) -> dict[str, Any]:
        leg_y, leg_x = self.members[y], self.members[x]
        if leg_y["group"] != leg_x["group"]:
            return dict.fromkeys(("hedge", "intercept", "half_life_s", "deviation")) | {"cointegrated": False}
        hedge = float(leg_y["beta"] / leg_x["beta"])
        tick = float(TICK)
        return {
            "hedge": hedge,
            "intercept": tick * float(leg_y["price"] - hedge * leg_x["price"]),
            "half_life_s": math.log(2) / float(self.groups["rate"][leg_y["group"]]),
            "deviation": tick * math.sqrt(leg_y["deviation"] ** 2 + (hedge * leg_x["deviation"]) ** 2),
            "cointegrated": True,
        }


def draw_market(parameters: SessionParameters) -> Market:
    """The market of a session, a function of its parameters alone."""
    rng = np.random.default_rng(parameters.seed)
    groups = np.zeros(parameters.groups, GROUP)
    groups["volatility"] = parameters.factor_volatility_ticks
    low, high = (half_life / SECOND_NS for half_life in parameters.half_life)
    groups["rate"] = math.log(2) / (low + (high - low) * rng.random(parameters.groups))

    symbols = tuple(_symbol(i) for i in range(parameters.symbols))
    members = np.zeros(parameters.symbols, MEMBER)
    members["stock"] = [int.from_bytes(s.ljust(8).encode(), "big") for s in symbols]
    members["group"] = np.repeat(np.arange(parameters.groups), parameters.group_sizes)
    members["price"] = np.rint(_between(rng, parameters.price, parameters.symbols) / float(TICK))
    members["beta"] = _between(rng, parameters.beta, parameters.symbols)
    members["deviation"] = _between(rng, parameters.own_deviation_ticks, parameters.symbols)
    narrow, wide = parameters.half_spread_ticks
    members["half_spread"] = narrow + (rng.random(parameters.symbols) * (wide - narrow + 1)).astype(int)
    return Market(symbols, groups, members, _draw_pairs(rng, members["group"], parameters))


def _draw_pairs(rng: np.random.Generator, group: Frame, parameters: SessionParameters) -> tuple[tuple[int, int], ...]:
    every = np.column_stack(np.triu_indices(len(group), 1))
    alike = group[every[:, 0]] == group[every[:, 1]]
    chosen: list[tuple[int, int]] = []
    for candidates, count in ((every[alike], parameters.pairs), (every[~alike], parameters.controls)):
        picked = np.sort(rng.random(len(candidates)).argsort(kind="stable")[:count])
        chosen += [(int(y), int(x)) for y, x in candidates[picked]]
    return tuple(chosen)


def _between(rng: np.random.Generator, bounds: tuple[float, float], size: int) -> Frame:
    return bounds[0] + (bounds[1] - bounds[0]) * rng.random(size)


def _symbol(number: int) -> str:
    return "".join(_LETTERS[number // 26**power % 26] for power in (2, 1, 0))
