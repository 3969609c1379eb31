"""Published results, through a declared graph over daily closes."""

import csv
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from flows.chain import Chain
from flows.config import Config
from flows.graph import build_graph
from flows.streams import SOURCE, Streams
from operators.operator import Frames, Operator
from schemas.market import QUOTES, RAW, RawFrame, RawKind
from schemas.record import Frame, Schema

DAYS = 252


class DailyCloses(Operator):
    """Messages `name,close` as quotes without a width, in ticks of a cent."""

    inputs: ClassVar = {"raw": RAW}
    outputs: ClassVar[dict[str, Schema]] = {"quotes": QUOTES}

    def process(self, frames: Frames) -> Frames:
        raw = frames["raw"]
        assert isinstance(raw, RawFrame)
        rows = []
        for i, row in enumerate(raw.rows):
            name, close = raw.message(i).decode().split(",")
            ticks = int(Decimal(close) * 100)
            rows.append((row["cause"], row["ts"], row["ts"], ticks, ticks, 1, 1, self.desk.index[name], 0))
        return {"quotes": QUOTES.rows(rows)}

    def snapshot(self) -> Any:
        """Nothing to keep."""

    def restore(self, state: Any) -> None:
        """Nothing to restore."""


def config(y: str, x: str, **spread: Any) -> Config:
    terms = {"venue": "NYSE", "tick": "0.01", "lot": 1, "currency": "USD"}
    feed = {"id": "closes", "format": "recording", "path": "-", "instruments": [y, x]}
    pair = {"id": f"{y}/{x}", "y": y, "x": x}
    return Config.model_validate(
        {
            "run": "published",
            "target": "chdb:///unused",
            "instruments": [{"id": name, "symbol": name, **terms} for name in (y, x)],
            "desks": [{"id": "desk", "capital": 1, "feeds": [feed], "pairs": [pair]}],
            "operators": [
                {"id": "closes", "type": f"{__name__}:DailyCloses", "input": "feeds"},
                {"id": "spread", "type": "spread", "input": "closes", "every": "1d", **spread},
            ],
            "tables": {"spreads": "on"},
        }
    )


def days(path: Path, y: str, x: str) -> Iterator[tuple[int, dict[str, str]]]:
    with path.open() as file:
        for line in csv.DictReader(file):
            day = datetime.strptime(line["Date"], "%Y%m%d").replace(tzinfo=UTC)
            yield int(day.timestamp()) * 10**9, {x: line[x], y: line[y]}


def replay(path: Path, y: str, x: str, **spread: Any) -> tuple[Frame, Frame, Frame]:
    """The row of `spreads` that each day ends with, and the closes of y and of x."""
    declared = config(y, x, **spread)
    chain = Chain(build_graph(declared), declared.desk("desk"))
    rows, closes = [], []
    for cause, (ts, values) in enumerate(days(path, y, x)):
        messages = [f"{name},{close}".encode() for name, close in values.items()]
        entries = [
            (2 * cause + k + 1, ts, RawKind.MESSAGE, 0, k * len(messages[0]), len(message))
            for k, message in enumerate(messages)
        ]
        streams: Streams = {SOURCE: RawFrame(RAW.rows(entries), np.frombuffer(b"".join(messages), np.uint8))}
        for step in chain.steps:
            step.run(streams)
        rows.append(streams["spread", "spreads"][-1:].copy())
        closes.append((float(values[y]), float(values[x])))
    return np.concatenate(rows), *np.array(closes).T


def returns_of(side: Frame, hedge: Frame, y: Frame, x: Frame) -> Frame:
    """Profit of each day on the unit spread held from the day before, over its gross value; 0 where flat."""
    held_y, held_x = side * y, -side * hedge * x
    profit = held_y[:-1] * np.diff(y) / y[:-1] + held_x[:-1] * np.diff(x) / x[:-1]
    gross = np.abs(held_y) + np.abs(held_x)
    return np.concatenate([[0.0], np.divide(profit, gross[:-1], out=np.zeros(len(profit)), where=gross[:-1] > 0)])


def sharpe(returns: Frame) -> float:
    return float(np.sqrt(DAYS) * returns.mean() / returns.std(ddof=1))


def test_chan_2013_example_3_3(data_path: Path) -> None:
    """Kalman regression of EWC on EWA: long while e < -sqrt(Q), short while e > sqrt(Q), else flat."""
    rows, y, x = replay(
        data_path / "pairs" / "ewa_ewc_daily.csv",
        "EWC",
        "EWA",
        hedge={"type": "kalman", "delta": 1e-4, "noise": 1e-3, "warm_up": 0},
        zscore={"type": "innovation"},
    )
    assert len(rows) == 1500
    assert not rows["state"].any()
    side = np.where(rows["z"] < -1, 1.0, np.where(rows["z"] > 1, -1.0, 0.0))
    # The rule holds the hedge as the day's own sample leaves it, which is the one that the next day's row shows.
    returns = returns_of(side, np.append(rows["hedge"][1:], rows["hedge"][-1]), y, x)
    apr = np.prod(1 + returns) ** (DAYS / len(returns)) - 1
    assert apr == pytest.approx(0.262252, abs=5e-7)
    assert sharpe(returns) == pytest.approx(2.361162, abs=5e-7)


def test_chan_2009_example_3_6(data_path: Path) -> None:
    """GLD on GDX through the origin over 252 days; enter at |z| >= 2, leave at |z| <= 1."""
    path = data_path / "pairs" / "gld_gdx_daily.csv"
    rows, y, x = replay(
        path,
        "GLD",
        "GDX",
        hedge={"type": "rolling", "window": DAYS, "intercept": False},
        zscore={"type": "rolling", "window": 2},
    )
    hedge = rows["hedge"][DAYS]  # after the first 252 days
    assert hedge == pytest.approx(1.631009, abs=5e-7)
    spread = y - hedge * x
    train = spread[:DAYS]
    z = (spread - train.mean()) / train.std(ddof=1)
    side = held(z)
    returns = returns_of_shares(side, y, x)
    assert sharpe(returns[1:DAYS]) == pytest.approx(2.328, abs=5e-4)
    assert sharpe(returns[DAYS:]) == pytest.approx(1.508, abs=5e-4)


def held(z: Frame) -> Frame:
    side, sides = 0, []
    for value in z:
        if abs(value) <= 1:
            side = 0
        elif abs(value) >= 2:
            side = -1 if value > 0 else 1
        sides.append(side)
    return np.array(sides, float)


def returns_of_shares(side: Frame, y: Frame, x: Frame) -> Frame:
    profit = side[:-1] * (np.diff(y) / y[:-1] - np.diff(x) / x[:-1])
    return np.concatenate([[0.0], profit])
