"""What `benchmarks.pairs_kernels` measures, as vectorised NumPy: event by event, all pairs touched at once."""

import numpy as np

from benchmarks.pairs_terms import BAR_NS, FIGURES, NOISE, STEP, WALK, WINDOW
from operators.operator import Desk
from schemas.record import Frame


def followed(desk: Desk, quotes: Frame) -> Frame:
    """(pairs, FIGURES): the last figures of each pair."""
    legs = np.array(desk.legs)
    touched = [np.flatnonzero((legs == i).any(axis=1)) for i in range(len(desk.instruments))]
    count = len(legs)
    mids = np.full(len(desk.instruments), np.nan)
    state = np.zeros((5, count))  # slope, level, r11, r12, r22
    state[0] = 1.0
    last = np.full((2, count), np.nan)  # log mids of the last sample
    changes, sums, taken = np.zeros((2, count, WINDOW)), np.zeros((5, count)), np.zeros(count, np.int64)
    bars, samples, sampled = np.zeros(count, np.int64), np.zeros((3, count, WINDOW)), np.zeros(count, np.int64)
    spreads, found = np.zeros(count), np.zeros((count, len(FIGURES)))
    columns = (quotes[name] for name in ("instrument", "bid", "ask", "ts"))
    for instrument, bid, ask, ts in zip(*columns, strict=True):
        pairs = touched[instrument]
        y, x = mids[legs[pairs, 0]], mids[legs[pairs, 1]]
        known = ~np.isnan(y + x)
        if known.any():
            some, y, x = pairs[known], y[known], x[known]
            _filter(state, some, y, x)
            logs = np.log(y), np.log(x)
            _correlate(found, changes, sums, taken, last, some, logs)
            later = bars[some] < ts // BAR_NS
            if later.any():
                ended, slots = some[later], sampled[some[later]] % WINDOW
                for ring, value in zip(samples, (*logs, spreads[some]), strict=True):
                    ring[ended, slots] = value[later]
                sampled[ended] += 1
                due = ended[(sampled[ended] >= WINDOW) & ((sampled[ended] - WINDOW) % STEP == 0)]
                if len(due):
                    order = (sampled[due, None] + np.arange(WINDOW)) % WINDOW
                    found[due, 2:] = _described(*(ring[due[:, None], order] for ring in samples))
        bars[pairs] = ts // BAR_NS
        mids[instrument] = (bid + ask) * 0.005
        y, x = mids[legs[pairs, 0]], mids[legs[pairs, 1]]
        slope, level, r11, r12, r22 = state[:, pairs]
        spreads[pairs] = y - slope * x - level
        found[pairs, 0] = spreads[pairs] / np.sqrt((r11 * x + 2 * r12) * x + r22 + NOISE)
    return np.nan_to_num(found)


def _filter(state: Frame, some: Frame, y: Frame, x: Frame) -> None:
    slope, level, r11, r12, r22 = state[:, some]
    g, h = r11 * x + r12, r12 * x + r22
    q = g * x + h + NOISE
    e = y - slope * x - level
    state[0, some] = slope + g / q * e
    state[1, some] = level + h / q * e
    state[2, some] = r11 - g * g / q + WALK
    state[3, some] = r12 - g * h / q
    state[4, some] = r22 - h * h / q + WALK


def _correlate(
    found: Frame, changes: Frame, sums: Frame, taken: Frame, last: Frame, some: Frame, logs: tuple[Frame, Frame]
) -> None:
    dy, dx = logs[0] - last[0, some], logs[1] - last[1, some]
    last[0, some], last[1, some] = logs
    moved = ~np.isnan(dy)
    some, dy, dx = some[moved], dy[moved], dx[moved]
    slots = taken[some] % WINDOW
    old_y, old_x = changes[0, some, slots], changes[1, some, slots]
    changes[0, some, slots], changes[1, some, slots] = dy, dx
    taken[some] += 1
    sums[:, some] += dy - old_y, dx - old_x, dy * dy - old_y * old_y, dx * dx - old_x * old_x, dy * dx - old_y * old_x
    sy, sx, yy, xx, xy = sums[:, some]
    with np.errstate(invalid="ignore", divide="ignore"):
        together = (WINDOW * xy - sx * sy) / np.sqrt((WINDOW * xx - sx * sx) * (WINDOW * yy - sy * sy))
    found[some, 1] = np.where(taken[some] >= WINDOW, together, 0.0)


def _described(y: Frame, x: Frame, spread: Frame) -> Frame:
    """Half-life, Hurst exponent and Dickey-Fuller statistic with one lag, of windows of several pairs."""
    before, after = spread[:, :-1], spread[:, 1:]
    gap = before - before.mean(axis=1, keepdims=True)
    phi = (gap * after).sum(axis=1) / (gap * gap).sum(axis=1)
    life = np.where((phi > 0) & (phi < 1), -np.log(2) / np.log(np.clip(phi, 1e-300, 1 - 1e-16)), 0.0)
    lags = 2 ** np.arange(int(np.log2(WINDOW // 4)) + 1)
    u = np.log(lags) - np.log(lags).mean()
    v = np.stack([np.log(((spread[:, lag:] - spread[:, :-lag]) ** 2).mean(axis=1)) for lag in lags])
    hurst = 0.5 * (u @ v) / (u @ u)
    y, x = y - y.mean(axis=1, keepdims=True), x - x.mean(axis=1, keepdims=True)
    r = y - ((x * y).sum(axis=1) / (x * x).sum(axis=1))[:, None] * x
    level, change, lagged = r[:, 1:-1], np.diff(r)[:, 1:], np.diff(r)[:, :-1]
    ll, lg, gg = (level * level).sum(axis=1), (level * lagged).sum(axis=1), (lagged * lagged).sum(axis=1)
    cl, cg, cc = (level * change).sum(axis=1), (lagged * change).sum(axis=1), (change * change).sum(axis=1)
    left = ll - lg * lg / gg
    product = cl - lg * cg / gg
    unexplained = cc - cg * cg / gg - product * product / left
    statistic = product / np.sqrt(left * unexplained / (level.shape[1] - 2))
    return np.stack([life, hurst, statistic], axis=1)
