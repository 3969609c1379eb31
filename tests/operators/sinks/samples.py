"""A desk and rows of it, and what its tables should hold, computed one row at a time."""

from datetime import UTC, datetime
from decimal import Decimal

import numpy as np

from operators.operator import Desk, Feed
from schemas.instrument import Instrument, Pair
from schemas.record import Column, Frame, Kind, Schema
from schemas.trade import FILLS

DESK = Desk(
    "eu",
    (
        Instrument(id="A", venue="X", symbol="AAA", tick=Decimal("0.01"), lot=Decimal(1), currency="USD"),
        Instrument(id="B", venue="X", symbol="BBB", tick=Decimal("0.5"), lot=Decimal("0.001"), currency="USD"),
        Instrument(
            id="F",
            venue="Y",
            symbol="FUT",
            tick=Decimal("0.25"),
            lot=Decimal(1),
            currency="USD",
            multiplier=Decimal(50),
        ),
    ),
    (Pair(id="A-B", y="A", x="B"), Pair(id="A-F", y="A", x="F")),
    (Feed("one"), Feed("two")),
)


UNITS = [(i.tick_nanos, i.lot_nanos) for i in DESK.instruments]
MOST = 10**18 - 1


def fills(first: int, count: int) -> Frame:
    """Fills numbered from `first`, each a function of its number."""
    n = np.arange(first, first + count)
    rows = np.zeros(count, FILLS.dtype)
    rows["cause"], rows["ts"], rows["ts_venue"] = n, 10**18 + n, 10**18 + n - 5
    rows["fill_id"], rows["order_id"], rows["trade_id"] = n, n // 2, n // 4
    rows["price"], rows["qty"], rows["fee"] = 10_000 + n % 97, 1 + n % 5, n % 13 - 3
    rows["pair"], rows["instrument"], rows["side"], rows["liquidity"] = n % 2, n % 3, 1 - 2 * (n % 2), 1 + n % 2
    return rows


def expected(schema: Schema, run: str, desk: Desk, first_seq: int, rows: Frame) -> list[dict[str, object]]:
    """What the table must hold for `rows`."""
    names = {
        Kind.INSTRUMENT: [i.id for i in desk.instruments],
        Kind.PAIR: [p.id for p in desk.pairs],
        Kind.FEED: [f.id for f in desk.feeds],
    }
    stored = []
    for i, row in enumerate(rows):
        out: dict[str, object] = {"run": run, "desk": desk.id, "seq": first_seq + i}
        for column in schema.columns:
            value = row[column.name]
            if column.kind in names:
                out[column.name] = names[column.kind][value] if value >= 0 else ""
            elif column.kind is Kind.PRICE:
                out[column.name] = _unit(desk, row, "tick") * int(value)
            elif column.kind is Kind.QUANTITY:
                out[column.name] = _unit(desk, row, "lot") * int(value)
            elif column.kind is Kind.MONEY:
                out[column.name] = Decimal(int(value)).scaleb(-8)
            elif column.kind is Kind.TIME:
                seconds, ns = divmod(int(value), 10**9)
                out[column.name] = f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S}.{ns:09d}"
            elif column.kind is Kind.SIDE:
                out[column.name] = {1: "buy", 0: "none", -1: "sell"}[int(value)]
            elif column.labels is not None:
                out[column.name] = column.labels(value).name.lower()
            else:
                out[column.name] = value.item() if isinstance(value, np.generic) else value
        stored.append(out)
    return stored


def _unit(desk: Desk, row: np.void, which: str) -> Decimal:
    return getattr(desk.instruments[row["instrument"]], which) if row["instrument"] >= 0 else Decimal(0)


def frame(of: Schema, seed: int, count: int = 100):
    """Rows of every value there is, the largest included."""
    rng = np.random.default_rng(seed)
    rows = np.zeros(count, of.dtype)
    instrument = next((c.name for c in of.columns if c.kind is Kind.INSTRUMENT), None)
    if instrument:
        rows[instrument] = rng.integers(-1, len(DESK.instruments), count)
    for column in of.columns:
        if column.kind in (Kind.PRICE, Kind.QUANTITY):
            units = np.array([UNITS[i][column.kind is Kind.QUANTITY] if i >= 0 else 2**60 for i in rows[instrument]])
            rows[column.name] = values(rng, MOST // units)
        elif column.kind in (Kind.TEXT, Kind.BYTES):
            texts = ["", "naïve – µ", "'\\\t\n", "\x00"]
            rows[column.name] = [t if column.kind is Kind.TEXT else t.encode() for t in rng.choice(texts, count)]
        elif column.kind is Kind.FLOAT:
            rows[column.name] = rng.choice([0.0, -1.5, 1e300, 5e-324, np.inf, -np.inf], count)
        elif column.kind is not Kind.INSTRUMENT:
            rows[column.name] = rng.choice(choices(column), count)
    return rows


def values(rng, most):
    """Integers of either sign up to and including `most`, of every magnitude."""
    return (rng.choice([-1, 1], len(most)) * np.floor_divide(most, 10 ** rng.integers(0, 19, len(most)))).astype(
        np.int64
    )


def choices(column: Column) -> list[int]:
    """Values of a column that depend on nothing else."""
    if column.labels is not None:
        return [m.value for m in column.labels]
    return {
        Kind.PAIR: [-1, 0, 1],
        Kind.FEED: [-1, 0, 1],
        Kind.SIDE: [-1, 0, 1],
        Kind.MONEY: [-MOST, -1, 0, 1, 10**8, MOST],
        Kind.TIME: [0, 1, 1_600_000_000_123_456_789],
        Kind.FLAGS: [-(2**31), 0, 2**31 - 1],
        Kind.COUNT: [-(2**31), 0, 2**31 - 1],
    }.get(column.kind, [-(2**63), 0, 1, 2**63 - 1])
