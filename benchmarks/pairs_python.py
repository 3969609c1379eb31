"""What `benchmarks.pairs_kernels` measures, in plain Python: floats, lists and deques."""

import math
from collections import deque
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import fmean

from benchmarks.pairs_terms import BAR_NS, FIGURES, NOISE, STEP, WALK, WINDOW
from operators.operator import Desk
from schemas.record import Frame


@dataclass(slots=True)
class _Pair:
    slope: float = 1.0
    level: float = 0.0
    r11: float = 0.0
    r12: float = 0.0
    r22: float = 0.0
    spread: float = 0.0
    y: float = math.nan  # log mids of the last sample
    x: float = math.nan
    changes: deque[tuple[float, float]] = field(default_factory=deque)
    sums: tuple[float, float, float, float, float] = (0.0, 0.0, 0.0, 0.0, 0.0)
    bar: int = 0
    taken: int = 0
    samples: deque[tuple[float, float, float]] = field(default_factory=lambda: deque(maxlen=WINDOW))
    found: list[float] = field(default_factory=lambda: [0.0] * len(FIGURES))


def followed(desk: Desk, quotes: Frame) -> list[list[float]]:
    """The last figures of each pair."""
    legs = desk.legs
    touched = [[p for p, pair in enumerate(legs) if i in pair] for i in range(len(desk.instruments))]
    mids: list[float | None] = [None] * len(desk.instruments)
    pairs = [_Pair() for _ in legs]
    columns = (quotes[name].tolist() for name in ("instrument", "bid", "ask", "ts"))
    for instrument, bid, ask, ts in zip(*columns, strict=True):
        now, bar = (bid + ask) * 0.005, ts // BAR_NS
        for p in touched[instrument]:
            pair, (i, j) = pairs[p], legs[p]
            y, x = mids[i], mids[j]
            if y is not None and x is not None:
                _take(pair, y, x, bar)
            pair.bar = bar
            y, x = (now, x) if i == instrument else (y, now)
            if y is not None and x is not None:
                pair.spread = y - pair.slope * x - pair.level
                pair.found[0] = pair.spread / math.sqrt((pair.r11 * x + 2 * pair.r12) * x + pair.r22 + NOISE)
        mids[instrument] = now
    return [pair.found for pair in pairs]


def _take(pair: _Pair, y: float, x: float, bar: int) -> None:
    g, h = pair.r11 * x + pair.r12, pair.r12 * x + pair.r22
    q = g * x + h + NOISE
    e = (y - pair.slope * x - pair.level) / q
    pair.slope += g * e
    pair.level += h * e
    pair.r11 += WALK - g * g / q
    pair.r12 -= g * h / q
    pair.r22 += WALK - h * h / q
    log_y, log_x = math.log(y), math.log(x)
    if pair.y == pair.y:  # not the first sample
        _correlate(pair, log_y - pair.y, log_x - pair.x)
    pair.y, pair.x = log_y, log_x
    if bar > pair.bar:
        pair.samples.append((log_y, log_x, pair.spread))
        pair.taken += 1
        if pair.taken >= WINDOW and (pair.taken - WINDOW) % STEP == 0:
            ys, xs, spreads = (list(values) for values in zip(*pair.samples, strict=True))
            pair.found[2:] = _half_life(spreads), _hurst(spreads), _dickey_fuller(ys, xs)


def _correlate(pair: _Pair, dy: float, dx: float) -> None:
    sy, sx, yy, xx, xy = pair.sums
    pair.changes.append((dy, dx))
    sy, sx, yy, xx, xy = sy + dy, sx + dx, yy + dy * dy, xx + dx * dx, xy + dy * dx
    if len(pair.changes) > WINDOW:
        dy, dx = pair.changes.popleft()
        sy, sx, yy, xx, xy = sy - dy, sx - dx, yy - dy * dy, xx - dx * dx, xy - dy * dx
    pair.sums = sy, sx, yy, xx, xy
    if len(pair.changes) == WINDOW:
        squares = (WINDOW * xx - sx * sx) * (WINDOW * yy - sy * sy)
        pair.found[1] = (WINDOW * xy - sx * sy) / math.sqrt(squares) if squares > 0 else 0.0


def _half_life(spread: list[float]) -> float:
    before = spread[:-1]
    mean = fmean(before)
    phi = sum((b - mean) * a for b, a in zip(before, spread[1:], strict=True)) / sum((b - mean) ** 2 for b in before)
    return -math.log(2) / math.log(phi) if 0 < phi < 1 else 0.0


def _hurst(spread: list[float]) -> float:
    us, vs, lag = [], [], 1
    while lag <= len(spread) // 4:
        us.append(math.log(lag))
        vs.append(math.log(fmean([(b - a) ** 2 for a, b in zip(spread, spread[lag:], strict=False)])))
        lag *= 2
    mean = fmean(us)
    return 0.5 * sum((u - mean) * v for u, v in zip(us, vs, strict=True)) / sum((u - mean) ** 2 for u in us)


def _dickey_fuller(y: list[float], x: list[float]) -> float:
    mean_y, mean_x = fmean(y), fmean(x)
    y, x = [v - mean_y for v in y], [v - mean_x for v in x]
    hedge = sum(a * b for a, b in zip(y, x, strict=True)) / sum(b * b for b in x)
    r = [a - hedge * b for a, b in zip(y, x, strict=True)]
    change = [b - a for a, b in pairwise(r)]
    ll = lg = gg = cl = cg = cc = 0.0
    for level, lagged, now in zip(r[1:], change, change[1:], strict=False):
        ll += level * level
        lg += level * lagged
        gg += lagged * lagged
        cl += level * now
        cg += lagged * now
        cc += now * now
    left, product = ll - lg * lg / gg, cl - lg * cg / gg
    return product / math.sqrt(left * (cc - cg * cg / gg - product * product / left) / (len(r) - 4))
