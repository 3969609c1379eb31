"""A random but mostly coherent order stream for schema EVENTS."""

import numpy as np

from operators.operator import Desk
from schemas.market import LAST, EventKind, Side, TradingStatus
from schemas.record import Frame

_CONTRADICTIONS = 0.02
_FIRST_PRICE = {int(Side.BID): 9_990, int(Side.ASK): 10_010}


def order_events(frame: Frame, desk: Desk, rng: np.random.Generator) -> None:
    """Fill in orders that join, shrink, move and leave; every book is declared whole first, few events contradict it.

    The last row of each cause and instrument carries LAST.
    """
    live: dict[int, tuple[int, int, int]] = {}  # order -> instrument, side, quantity
    is_whole = [False] * len(desk.instruments)
    for i in range(len(frame)):
        row = frame[i]
        instrument = int(row["instrument"])
        row["order_new"] = 0
        if not is_whole[instrument]:
            row["kind"], row["order"], row["price"], row["qty"], row["side"] = int(EventKind.SYNC), 0, 0, 1, 0
            is_whole[instrument] = True
        elif rng.random() < _CONTRADICTIONS:
            row["kind"], row["order"] = int(EventKind.EXECUTE), 10**9 + i
        elif rng.random() < 0.01:
            row["kind"], row["order"], row["qty"] = int(EventKind.STATUS), 0, int(rng.choice(list(TradingStatus)))
        elif len(live) < 20 or rng.random() < 0.45:
            _add(row, i + 1, live, rng)
        else:
            _change(row, i + 1, live, rng)
    changes = np.flatnonzero(np.diff(frame["cause"], append=frame["cause"][-1:] + 1))
    frame["flags"] = 0
    for start, end in zip(np.concatenate(([0], changes[:-1] + 1)), changes + 1, strict=True):
        _, last_reversed = np.unique(frame["instrument"][start:end][::-1], return_index=True)
        frame["flags"][end - 1 - last_reversed] = LAST


def _add(row: Frame, order: int, live: dict[int, tuple[int, int, int]], rng: np.random.Generator) -> None:
    side = int(rng.integers(0, 2))
    away = int(rng.integers(0, 10))
    row["kind"], row["order"], row["side"] = int(EventKind.ADD), order, side
    row["price"] = _FIRST_PRICE[side] + (away if side == int(Side.ASK) else -away)
    live[order] = (int(row["instrument"]), side, int(row["qty"]))


def _change(row: Frame, order_new: int, live: dict[int, tuple[int, int, int]], rng: np.random.Generator) -> None:
    order = int(rng.choice(list(live)))
    instrument, side, qty = live.pop(order)
    row["instrument"], row["side"], row["order"] = instrument, side, order
    kind = EventKind(rng.choice([EventKind.EXECUTE, EventKind.CANCEL, EventKind.DELETE, EventKind.REPLACE]))
    row["kind"] = int(kind)
    if kind is EventKind.REPLACE:
        row["order_new"], row["price"] = order_new, _FIRST_PRICE[side]
        live[order_new] = (instrument, side, int(row["qty"]))
    elif kind is not EventKind.DELETE:
        row["qty"] = int(rng.integers(1, qty + 1))
        if row["qty"] < qty:
            live[order] = (instrument, side, qty - int(row["qty"]))
