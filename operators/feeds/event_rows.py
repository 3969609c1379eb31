"""Event rows written into a scratch frame that is reused and grows as needed."""

import struct
from collections.abc import Sequence

import numpy as np

from schemas.market import EVENTS, LAST, EventKind
from schemas.record import Frame

_ROW = struct.Struct("=7q4i")
_TWO_ROWS = struct.Struct("=7q4i7q4i")
_QUOTE, _LEVEL = int(EventKind.QUOTE), int(EventKind.LEVEL)
_BYTES = EVENTS.dtype.itemsize
_FEW = 16
"""Rows packed one by one; of more, columns are cheaper to assign."""
assert _ROW.size == _BYTES, "the columns of EVENTS are not those packed here"


class EventRows:
    """Rows of EVENTS for one instrument after another. Packing a row costs a tenth of assigning it in NumPy."""

    def __init__(self) -> None:
        self.count = 0
        self._template = np.zeros(1, EVENTS.dtype)
        self._template_bytes = self._template.view(np.uint8).data
        self._frame: Frame = EVENTS.empty
        self._room = 0
        self._reserve(64)

    @property
    def frame(self) -> Frame:
        """The rows written since `count` was set to 0."""
        return self._frame[: self.count]

    def one(
        self, kind: int, cause: int, ts: int, ts_event: int, order: int, price: int, qty: int, instrument: int,
        side: int, flags: int,
    ) -> None:  # fmt: skip
        """A single event."""
        if self.count + 1 > self._room:
            self._reserve(1)
        _ROW.pack_into(
            self._bytes, self.count * _BYTES, cause, ts, ts_event, order, 0, price, qty, instrument, kind, side, flags
        )
        self.count += 1

    def quote(self, cause: int, ts: int, ts_event: int, order: int, top: Sequence[int], instrument: int) -> None:
        """The venue's best prices: `top` is bid, its quantity, ask, its quantity."""
        if self.count + 2 > self._room:
            self._reserve(2)
        _TWO_ROWS.pack_into(
            self._bytes, self.count * _BYTES,
            cause, ts, ts_event, order, 0, top[0], top[1], instrument, _QUOTE, 0, 0,
            cause, ts, ts_event, order, 0, top[2], top[3], instrument, _QUOTE, 1, LAST,
        )  # fmt: skip
        self.count += 2

    def levels(
        self, cause: int, ts: int, ts_event: int, order: int, instrument: int, prices: Sequence[int],
        quantities: Sequence[int], bids: int,
    ) -> None:  # fmt: skip
        """New totals of levels, the first `bids` of them on the bid side."""
        first, end = self.count, self.count + len(prices)
        if end > self._room:
            self._reserve(len(prices))
        if end - first <= _FEW:
            pack_into, data, asks_at = _ROW.pack_into, self._bytes, (first + bids) * _BYTES
            for at, price, qty in zip(range(first * _BYTES, end * _BYTES, _BYTES), prices, quantities, strict=True):
                side = 1 if at >= asks_at else 0
                pack_into(data, at, cause, ts, ts_event, order, 0, price, qty, instrument, _LEVEL, side, 0)
            self.count = end
            return
        _ROW.pack_into(self._template_bytes, 0, cause, ts, ts_event, order, 0, 0, 0, instrument, _LEVEL, 0, 0)
        self._frame[first:end] = self._template
        self._price[first:end] = prices
        self._qty[first:end] = quantities
        self._side[first + bids : end] = 1
        self.count = end

    def copy(self, source: memoryview, first: int, end: int) -> None:
        """Rows `first` to `end` of `source`, the bytes of such rows."""
        count = end - first
        if self.count + count > self._room:
            self._reserve(count)
        at = self.count * _BYTES
        self._bytes[at : at + count * _BYTES] = source[first * _BYTES : end * _BYTES]
        self.count += count

    def end_message(self) -> None:
        """The row written last is the last of its message."""
        self._flags[self.count - 1] = LAST

    def _reserve(self, rows: int) -> None:
        self._room = 1 << (self.count + rows).bit_length()
        frame = np.zeros(self._room, EVENTS.dtype)
        frame[: self.count] = self._frame[: self.count]
        self._frame, self._bytes = frame, frame.view(np.uint8).data
        self._price, self._qty, self._side, self._flags = (frame[c] for c in ("price", "qty", "side", "flags"))
