"""Saying what was wrong with a rejected row: what was expected, what came."""

from decimal import Decimal

import numpy as np

from operators.feeds.rows_kernel import Reason
from operators.tables.row import ROW
from schemas.instrument import Instrument
from schemas.market import EventKind
from schemas.record import DECIMAL_SCALE

_SIZE = ROW.itemsize
_QUOTE_FIELDS = {"bid": "price", "bid quantity": "qty", "ask": "ask", "ask quantity": "ask_qty"}
_FIELDS = {"price": "price", "quantity": "qty"}


def explain(reason: int, message: bytes, instrument: Instrument | None) -> tuple[str, bytes]:
    """(what was expected and what came, the row as it stands in the file)."""
    if reason == Reason.LENGTH:
        return f"message: expected a record of {_SIZE} bytes, came {len(message)}", message
    row, text = np.frombuffer(message[:_SIZE], ROW)[0], message[_SIZE:]
    if reason == Reason.REFUSED:
        length = max(int(row["order"]), 0)
        return text[:length].decode("ascii", "backslashreplace"), text[length:]
    return _of_record(Reason(reason), row, instrument), text


def _of_record(reason: Reason, row: np.void, instrument: Instrument | None) -> str:
    kind, order = int(row["kind"]), int(row["order"])
    if reason == Reason.SYMBOL or instrument is None:
        return "row: expected the symbol of an instrument, as its feed speaks of several, came none"
    if reason == Reason.KIND:
        return f"row: expected a kind of event, and a side where it needs one, came kind {kind}"
    if reason == Reason.ZERO:
        return f"row: expected price, quantity and reference above 0, came {_amounts(row)} and {order}"
    if reason == Reason.AMOUNT:
        return f"row: expected no less than 0 and at most 1e12 ticks and lots, came {_amounts(row)}"
    step, name = (instrument.tick, "tick") if reason == Reason.TICK else (instrument.lot, "lot")
    return f"row: expected multiples of the {name} {step.normalize():f}, came {_amounts(row)}"


def _amounts(row: np.void) -> str:
    fields = _QUOTE_FIELDS if row["kind"] == EventKind.QUOTE else _FIELDS
    shown = (
        f"{name} {Decimal(int(row[field])).scaleb(-DECIMAL_SCALE).normalize():f}" for name, field in fields.items()
    )
    return ", ".join(shown)
