"""Made-up rows for the contract suite: of one instrument and of several, valid, foreign, refused and damaged."""

from decimal import Decimal

import numpy as np

from operators.feeds.raw_log import arrived, raw_frame
from operators.operator import Desk, Example, Feed
from operators.tables.row import RowKind, Told, encode_refused, encode_row, words
from schemas.instrument import Instrument
from schemas.market import EventKind

_START_NS = 1_381_132_800 * 10**9
_CENT, _SHARE = 10**7, 10**9
_ROWS = 2_000
_KINDS = (EventKind.ADD, EventKind.EXECUTE, EventKind.CANCEL, EventKind.DELETE, EventKind.LEVEL, EventKind.CLEAR)


def rows_example(seed: int) -> Example:
    """Quotes of A, quotes and trades of B and C, orders of D on three feeds, and a feed of something else."""
    rng = np.random.default_rng(seed)
    terms = {"venue": "test", "tick": Decimal("0.01"), "lot": Decimal(1), "currency": "USD"}
    instruments = tuple(Instrument(id=f"{s}.T", symbol=s, **terms) for s in ("A", "B", "C", "D"))
    feeds = (Feed("other"), Feed("one", ("A.T",)), Feed("several", ("C.T", "B.T")), Feed("orders", ("D.T",)))
    desk = Desk(id="example", instruments=instruments, feeds=feeds)
    log: list[tuple[int, bytes]] = []
    for i in range(_ROWS):
        feed = int(rng.choice(4, p=(0.05, 0.35, 0.35, 0.25)))
        message = (_foreign, _of_one, _of_several, _of_order)[feed](rng, _START_NS + i * 10**6)
        log += [(feed, came) for came in arrived(rng, float(rng.random()), message)]
    return Example(desk, {"feeds": ["one", "several", "orders"]}, {"raw": raw_frame(log)})


def _foreign(rng: np.random.Generator, ts: int) -> bytes:
    return rng.bytes(int(rng.integers(100)))


def _of_one(rng: np.random.Generator, ts: int) -> bytes:
    """A quote of one side or both, now and then not of whole cents."""
    if rng.random() < 0.03:
        return encode_refused(Told.AT_STAKE, (0, 0), "bid (column 2): expected a number, came 'x'", b"1,x,2")
    told = int(rng.integers(1, 4))
    return encode_row(EventKind.QUOTE, told, b"", b"as it stands", ts_event=ts, **_prices(rng))


def _of_several(rng: np.random.Generator, ts: int) -> bytes:
    symbol = bytes(rng.choice([b"B", b"C", b"OTHER"], p=(0.45, 0.45, 0.1)))
    fate = rng.random()
    if fate < 0.02:
        told = int(rng.choice([0, Told.AT_STAKE, Told.AT_STAKE | Told.SYMBOL]))
        return encode_refused(told, words(symbol), "time: expected a time as declared, came 'x'", b"x,B")
    if fate < 0.05:
        return encode_row(RowKind.PASSED, symbol=symbol, ts_event=ts, text=b"left out")
    if fate < 0.3:
        prices = _prices(rng)
        told = int(rng.choice([0, Told.BUY, Told.SELL]))
        return encode_row(EventKind.TRADE, told, symbol, b"", ts_event=ts, price=prices["price"], qty=prices["qty"])
    return encode_row(EventKind.QUOTE, Told.BID | Told.ASK, symbol, b"", ts_event=ts, **_prices(rng))


def _of_order(rng: np.random.Generator, ts: int) -> bytes:
    kind = rng.choice(_KINDS, p=(0.5, 0.15, 0.1, 0.2, 0.03, 0.02))
    told = Told.BUY if rng.random() < 0.5 else Told.SELL
    prices = _prices(rng)
    order = int(rng.integers(0, 200))
    return encode_row(kind, told, ts_event=ts, order=order, price=prices["price"], qty=prices["qty"])


def _prices(rng: np.random.Generator) -> dict[str, int]:
    mid, width = int(rng.integers(1_000, 1_010)), int(rng.integers(1, 4))
    amounts = {"price": (mid - width) * _CENT, "qty": int(rng.integers(1, 9)) * _SHARE}
    amounts |= {"ask": (mid + width) * _CENT, "ask_qty": int(rng.integers(1, 9)) * _SHARE}
    fate = rng.random()
    if fate < 0.06:
        amounts[str(rng.choice(list(amounts)))] += int(rng.choice([1, _CENT // 2, -(10**12)]))
    elif fate < 0.12:
        side = str(rng.choice(["price", "ask"]))
        amounts[side] = 0
    return amounts
