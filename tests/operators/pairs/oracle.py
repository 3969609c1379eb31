"""The spread operator again, in exact or sixty-digit arithmetic and with nothing but lists."""

import math
from decimal import Decimal, getcontext
from fractions import Fraction
from typing import Any

from operators.operator import Desk
from schemas.parameter_types import duration_ns
from schemas.record import Frame

COLD, LEG, DEGENERATE, STALE = 1, 2, 4, 8
BAR_NS = 100_000_000
getcontext().prec = 60

Line = tuple[Fraction, Fraction]


class PairOracle:
    """One pair: every sample ever taken, and the window functions recomputed from them each time."""

    def __init__(self, parameters: dict[str, Any], hedge: float, intercept: float) -> None:
        self.parameters, self.hedge, self.zscore = parameters, parameters["hedge"], parameters["zscore"]
        own = Fraction(str(hedge)), Fraction(str(intercept))
        self.line: Line | None = own if self.hedge["type"] in {"static", "kalman"} else None
        self.filter = Filter(self.hedge, own) if self.hedge["type"] == "kalman" else None
        self.prices: list[Fraction | None] = [None, None]
        self.tradable = [False, False]
        self.is_old = False
        self.bar: int | None = None
        self.samples: list[tuple[int, Fraction, Fraction]] = []  # bar, x, y
        self.residuals: list[tuple[int, Fraction]] = []
        self.singular = self.waits = False
        self.scale = Fraction(0)

    def touch(self, leg: int, bar: int | None, price: Fraction | None, is_old: bool) -> tuple[float, ...] | None:
        is_due = bar is None or (self.bar is not None and bar > self.bar)
        if self.parameters["every"] == "change":
            is_due = price is not None and price != self.prices[leg]
        if is_due and all(self.tradable) and not self.is_old:
            self.sample()
        self.bar = bar
        self.is_old = is_old
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
        self.samples.append((self.bar or 0, x, y))  # type: ignore[arg-type]
        before = self.line
        fate = self.refresh()
        self.waits, self.singular = fate == "wait", fate == "singular" or (self.singular and fate == "keep")
        if fate is not None:
            return
        residual = self.residual()
        if before is not None and self.hedge["type"] in {"ewls", "kalman"}:
            residual = y - before[0] * x - before[1]  # type: ignore[operator]
        self.residuals.append((self.bar or 0, residual))
        self.scale = abs(y) + abs(self.line[0] * x)  # type: ignore[arg-type, operator, index]

    def refresh(self) -> str | None:
        """Renew the line; why there is no residual, or None."""
        kind = self.hedge["type"]
        if kind == "static":
            return None
        if self.filter is not None:
            _, x, y = self.samples[-1]
            self.line = self.filter.update(x, y)
            return "wait" if len(self.samples) < self.hedge["warm_up"] else None
        intercept, n = self.hedge["intercept"], len(self.samples)
        if kind == "ewls":
            if n < max(2 + intercept, math.ceil(3 * self.hedge["half_life"])):
                return "wait"
            keep = Fraction(2 ** (-1 / self.hedge["half_life"]))
            weighted = [(keep ** (n - 1 - i), x, y) for i, (_, x, y) in enumerate(self.samples)]
        else:
            chosen, is_enough = in_window(self.samples, self.hedge["window"], 2 + intercept)
            if not is_enough:
                return "wait"
            weighted = [(Fraction(1), x, y) for _, x, y in chosen]
        line = fit(weighted, intercept, total=kind == "tls", decayed=kind == "ewls")
        if line is None:
            return "singular"
        self.line = line
        return None

    def statistics(self) -> tuple[Fraction, float] | None:
        zscore = self.zscore
        if zscore["type"] == "rolling":
            chosen, is_enough = in_window(self.residuals, zscore["window"], 2)
            if not is_enough:
                return None
            values = [value for _, value in chosen]
            mean = sum(values) / Fraction(len(values))
            variance = sum((v - mean) ** 2 for v in values) / (len(values) - 1)
        else:
            values = [value for _, value in self.residuals]
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
        state |= STALE if self.is_old else 0
        state |= DEGENERATE if self.singular else 0
        if self.zscore["type"] == "innovation":
            return self.innovation_row(state | (COLD if len(self.samples) < self.hedge["warm_up"] else 0))
        statistics = self.statistics()
        if statistics is None or self.waits:
            state |= COLD
        mean, deviation = statistics or (Fraction(0), 0.0)
        if statistics is not None and deviation == 0.0 and not self.waits:
            state |= DEGENERATE
        if self.line is None:
            return 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, state
        z = 0.0 if state & (COLD | DEGENERATE) else float(self.residual() - mean) / deviation
        hedge, intercept = self.line
        return float(self.residual()), float(hedge), float(intercept), float(mean), deviation, z, state

    def innovation_row(self, state: int) -> tuple[float, ...]:
        assert self.filter is not None
        assert self.line is not None
        deviation = math.sqrt(self.filter.variance(decimal(self.prices[1])))  # type: ignore[arg-type]
        error = float(self.residual())
        z = 0.0 if state & COLD else error / deviation
        return error, float(self.line[0]), float(self.line[1]), 0.0, deviation, z, state


class Filter:
    """The Kalman filter as the books have it."""

    def __init__(self, hedge: dict[str, Any], start: Line) -> None:
        delta = hedge["delta"]
        self.walk, self.noise = Decimal(delta / (1 - delta)), Decimal(hedge["noise"])
        self.b = [decimal(part) for part in start]
        self.p = [Decimal(hedge["prior"]), Decimal(0), Decimal(hedge["prior"])]
        self.adapt = Decimal(1 - 2 ** (-1 / hedge["adapt"])) if hedge["adapt"] else Decimal(0)
        self.cold = hedge["warm_up"]

    def variance(self, x: Decimal) -> Decimal:
        return x * x * self.p[0] + 2 * x * self.p[1] + self.p[2] + self.noise

    def update(self, x: Fraction, y: Fraction) -> Line:
        h, q = decimal(x), self.variance(decimal(x))
        gains = (h * self.p[0] + self.p[1]) / q, (h * self.p[1] + self.p[2]) / q
        error = decimal(y) - self.b[0] * h - self.b[1]
        self.b = [b + k * error for b, k in zip(self.b, gains, strict=True)]
        self.p = [
            self.p[0] - gains[0] * gains[0] * q,
            self.p[1] - gains[0] * gains[1] * q,
            self.p[2] - gains[1] * gains[1] * q,
        ]
        if self.cold <= 0:
            residual = decimal(y) - self.b[0] * h - self.b[1]
            left = self.variance(h) - self.noise
            self.noise += self.adapt * (residual * residual + left - self.noise)
        self.cold -= 1
        self.p[0] += self.walk
        self.p[2] += self.walk
        return Fraction(self.b[0]), Fraction(self.b[1])


def decimal(value: Fraction) -> Decimal:
    return Decimal(value.numerator) / Decimal(value.denominator)


def in_window(samples: list[Any], window: int | str, least: int) -> tuple[list[Any], bool]:
    """The samples of a window that ends with the newest, and whether they are enough."""
    if isinstance(window, int):
        return samples[-window:], len(samples) >= window
    bars = math.ceil(duration_ns(window) / BAR_NS)
    chosen = [sample for sample in samples if sample[0] > samples[-1][0] - bars]
    return chosen, len(chosen) >= max(least, math.ceil(bars / 2))


def fit(samples: list[tuple[Fraction, ...]], intercept: bool, total: bool, decayed: bool) -> Line | None:
    """Slope and intercept of (weight, x, y), or None where there is no line."""
    n = sum(w for w, _, _ in samples)
    mean_x = sum(w * x for w, x, _ in samples) / n if intercept else Fraction(0)
    mean_y = sum(w * y for w, _, y in samples) / n if intercept else Fraction(0)
    xx = sum(w * (x - mean_x) ** 2 for w, x, _ in samples)
    xy = sum(w * (x - mean_x) * (y - mean_y) for w, x, y in samples)
    yy = sum(w * (y - mean_y) ** 2 for w, _, y in samples)
    if total:
        d, c = decimal(yy - xx), 2 * decimal(xy)  # type: ignore[arg-type]
        if c == 0 and d >= 0:
            return None
        slope = Fraction((d + (d * d + c * c).sqrt()) / c) if c else Fraction(0)
    elif xx == 0 or (decayed and intercept and xx <= (Fraction(2) ** -50 * n * mean_x) ** 2 * n):
        return None
    else:
        slope = xy / xx
    return slope, mean_y - slope * mean_x


def expected_rows(parameters: dict[str, Any], desk: Desk, quotes: Frame) -> list[tuple[float, ...]]:
    """(cause, ts, pair, spread, hedge, intercept, mean, deviation, z, state) of every row."""
    pairs = [PairOracle(parameters, pair.hedge, pair.intercept) for pair in desk.pairs]  # type: ignore[arg-type]
    max_age = parameters.get("max_age")
    seen: dict[str, int] = {}
    rows = []
    for q in quotes:
        name = desk.instruments[q["instrument"]].id
        price = Fraction(int(q["bid"]) + int(q["ask"]), 2) * Fraction(desk.instruments[q["instrument"]].tick)
        if parameters["price"] == "log_mid":
            price = Fraction(math.log(price))
        bar = None if parameters["every"] in {"event", "change"} else int(q["ts"]) // BAR_NS
        if q["state"] == 0:
            seen[name] = int(q["ts"])
        for number, definition in enumerate(desk.pairs):
            if name in (definition.y, definition.x):
                leg = 0 if name == definition.y else 1
                oldest = min(seen.get(definition.y, 0), seen.get(definition.x, 0))
                is_old = max_age is not None and int(q["ts"]) - oldest > duration_ns(max_age)
                row = pairs[number].touch(leg, bar, None if q["state"] else price, is_old)
                if row is not None:
                    rows.append((int(q["cause"]), int(q["ts"]), number, *row))
    return rows
