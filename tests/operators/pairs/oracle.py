"""The spread operator again, in exact rational arithmetic and with nothing but lists."""

import math
from fractions import Fraction
from typing import Any

from operators.operator import Desk
from schemas.record import Frame

COLD, LEG, DEGENERATE = 1, 2, 4


class PairOracle:
    """One pair: every sample ever taken, and the window functions recomputed from them each time."""

    def __init__(self, parameters: dict[str, Any], hedge: float, intercept: float) -> None:
        self.parameters = parameters
        self.rolling_hedge = parameters["hedge"]["type"] == "rolling"
        self.line = None if self.rolling_hedge else (Fraction(str(hedge)), Fraction(str(intercept)))
        self.prices: list[Fraction | None] = [None, None]
        self.tradable = [False, False]
        self.bar: int | None = None
        self.samples: list[tuple[Fraction, Fraction]] = []
        self.residuals: list[Fraction] = []
        self.singular = False
        self.scale = Fraction(0)

    def touch(self, leg: int, bar: int | None, price: Fraction | None) -> tuple[float, ...] | None:
        if (bar is None or (self.bar is not None and bar > self.bar)) and all(self.tradable):
            self.sample()
        self.bar = bar
        self.tradable[leg] = price is not None
        if price is not None:
            self.prices[leg] = price
        return None if None in self.prices else self.row()

    def residual(self) -> Fraction:
        assert self.line is not None
        y, x = self.prices
        return y - self.line[0] * x - self.line[1]  # type: ignore[operator]

    def sample(self) -> None:
        y, x = self.prices
        self.samples.append((x, y))  # type: ignore[arg-type]
        if self.rolling_hedge:
            window = self.parameters["hedge"]["window"]
            if len(self.samples) < window:
                return
            line = least_squares(self.samples[-window:], self.parameters["hedge"]["intercept"])
            self.singular = line is None
            if line is None:
                return
            self.line = line
        self.residuals.append(self.residual())
        self.scale = abs(y) + abs(self.line[0] * x)  # type: ignore[arg-type, operator, index]

    def statistics(self) -> tuple[Fraction, float] | None:
        zscore, values = self.parameters["zscore"], self.residuals
        if zscore["type"] == "rolling":
            if len(values) < zscore["window"]:
                return None
            values = values[-zscore["window"] :]
            mean = sum(values) / Fraction(len(values))
            variance = sum((v - mean) ** 2 for v in values) / (len(values) - 1)
        else:
            if len(values) < 2 or len(values) < 3 * zscore["half_life"]:
                return None
            keep = Fraction(2 ** (-1 / zscore["half_life"]))
            weights = [(1 - keep) * keep ** (len(values) - 1 - i) for i in range(len(values))]
            weights[0] = keep ** (len(values) - 1)
            mean = sum(w * v for w, v in zip(weights, values, strict=True))
            variance = sum(w * v * v for w, v in zip(weights, values, strict=True)) - mean**2
        deviation = math.sqrt(variance)
        return mean, deviation if deviation > 1e-13 * self.scale else 0.0

    def row(self) -> tuple[float, ...]:
        state = 0 if all(self.tradable) else LEG
        state |= DEGENERATE if self.singular else 0
        statistics = self.statistics()
        if statistics is None:
            state |= COLD
        mean, deviation = statistics or (Fraction(0), 0.0)
        if statistics is not None and deviation == 0.0:
            state |= DEGENERATE
        if self.line is None:
            return 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, state
        z = 0.0 if state & (COLD | DEGENERATE) else float(self.residual() - mean) / deviation
        hedge, intercept = self.line
        return float(self.residual()), float(hedge), float(intercept), float(mean), deviation, z, state


def least_squares(samples: list[tuple[Fraction, Fraction]], intercept: bool) -> tuple[Fraction, Fraction] | None:
    n = len(samples)
    mean_x = sum(x for x, _ in samples) / Fraction(n) if intercept else Fraction(0)
    mean_y = sum(y for _, y in samples) / Fraction(n) if intercept else Fraction(0)
    xx = sum((x - mean_x) ** 2 for x, _ in samples)
    if xx == 0:
        return None
    slope = sum((x - mean_x) * (y - mean_y) for x, y in samples) / xx
    return slope, mean_y - slope * mean_x


def expected_rows(parameters: dict[str, Any], desk: Desk, quotes: Frame) -> list[tuple[float, ...]]:
    """(cause, ts, pair, spread, hedge, intercept, mean, deviation, z, state) of every row."""
    pairs = [PairOracle(parameters, pair.hedge, pair.intercept) for pair in desk.pairs]  # type: ignore[arg-type]
    rows = []
    for q in quotes:
        name = desk.instruments[q["instrument"]].id
        price = Fraction(int(q["bid"]) + int(q["ask"]), 2) * Fraction(desk.instruments[q["instrument"]].tick)
        if parameters["price"] == "log_mid":
            price = Fraction(math.log(price))
        bar = None if parameters["every"] == "event" else int(q["ts"]) // 100_000_000
        for number, definition in enumerate(desk.pairs):
            if name in (definition.y, definition.x):
                leg = 0 if name == definition.y else 1
                row = pairs[number].touch(leg, bar, None if q["state"] else price)
                if row is not None:
                    rows.append((int(q["cause"]), int(q["ts"]), number, *row))
    return rows
