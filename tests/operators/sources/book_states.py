"""What a venue's operator makes of entries, as the books that come of it: after which message which book was whole."""

import heapq
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from operators.operator import Desk, Feed
from operators.sources.line import Entry
from operators.sources.websocket_venue import Venue
from schemas.instrument import Instrument
from schemas.market import RAW, EventKind, RawFrame

_SEQUENCE = re.compile(rb'"sequence_num":\s*\d+')

State = tuple[Any, ...]


class Moment(NamedTuple):
    """The book of an instrument after a message that told of it."""

    cause: int
    instrument: int
    is_whole: bool
    state: State
    is_snapshot: bool


def raw(entries: Sequence[Entry]) -> RawFrame:
    rows = np.zeros(len(entries), RAW.dtype)
    rows["cause"] = np.arange(1, len(entries) + 1)
    rows["ts"] = [entry.clock for entry in entries]
    rows["kind"] = [entry.kind for entry in entries]
    rows["size"] = [len(entry.data) for entry in entries]
    rows["start"] = np.cumsum(rows["size"]) - rows["size"]
    return RawFrame(rows, np.frombuffer(b"".join(entry.data for entry in entries), np.uint8))


def decoded(
    venue: Venue, instruments: Sequence[Instrument], depth: int, frames: Iterable[RawFrame], ignored: Sequence[str] = ()
) -> Mapping[str, Any]:
    """All rows that the venue's operator makes of an input log."""
    desk = Desk("d", tuple(instruments), feeds=(Feed("f", tuple(i.id for i in instruments)),))
    kind = venue.decoder
    operator = kind(
        kind.Parameters.model_validate(
            {"feeds": ("f",), **venue.parameters(depth), **({"ignored": ignored} if ignored else {})}
        ),
        desk,
    )
    found: dict[str, list[Any]] = {}
    for frame in frames:
        for port, rows in operator.process({"raw": frame}).items():
            found.setdefault(port, []).append(rows.copy())
    return {port: np.concatenate(rows) for port, rows in found.items()}


def moments(events: Any, levels: int | None) -> list[Moment]:
    """The books after every message: their best `levels` a side, or all of them as a sum of what each contributes."""
    sides: dict[int, tuple[dict[int, int], dict[int, int]]] = {}
    sums: dict[int, int] = {}
    whole: dict[int, bool] = {}
    found: list[Moment] = []
    touched: dict[int, bool] = {}
    cause = -1

    def told() -> Iterable[Moment]:
        for i, cleared in touched.items():
            bids, asks = sides.get(i, ({}, {}))
            state: State = (sums.get(i, 0),)
            if levels is not None:
                best = heapq.nlargest(levels, bids), heapq.nsmallest(levels, asks)
                state = tuple((p, side[p]) for side, prices in zip((bids, asks), best, strict=True) for p in prices)
            yield Moment(cause, i, whole.get(i, False), state, cleared)

    columns = ["cause", "kind", "instrument", "side", "price", "qty"]
    for at, kind, i, side, price, qty in events[columns].tolist():
        if kind not in (EventKind.CLEAR, EventKind.LEVEL, EventKind.SYNC):
            continue
        if at != cause:
            found += told()
            cause, touched = at, {}
        touched.setdefault(i, False)
        if kind == EventKind.CLEAR:
            sides[i], sums[i], touched[i] = ({}, {}), 0, True
        elif kind == EventKind.LEVEL:
            book = sides.setdefault(i, ({}, {}))[side]
            before = book.pop(price, 0)
            if qty:
                book[price] = qty
            sums[i] = sums.get(i, 0) ^ _part(side, price, before) ^ _part(side, price, qty)
        else:
            whole[i] = bool(qty)
    return found + list(told())


def key(message: bytes) -> bytes:
    """What tells a message from others; the numbers of a connection do not."""
    return _SEQUENCE.sub(b"", message)


def _part(side: int, price: int, qty: int) -> int:
    return hash((side, price, qty)) if qty else 0
