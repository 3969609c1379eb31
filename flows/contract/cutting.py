"""Input cut into frames, between entries of the input log and never inside one."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from operators.operator import Frames
from schemas.market import RawFrame, RawKind
from schemas.record import Frame, Kind, Schema

Cut = dict[str, Frame | RawFrame]

_LATER_NS = 10**9
_MOVED: dict[Kind, int] = {Kind.PRICE: 7, Kind.QUANTITY: 3, Kind.FLOAT: 1, Kind.MONEY: 10**8}
"""Added to every value of the other future, so that sums and extremes differ too."""


def rows_of(frame: Frame | RawFrame) -> Frame:
    """The rows, of a frame with or without bytes behind it."""
    return frame.rows if isinstance(frame, RawFrame) else frame


def causes_of(frames: Frames) -> Frame:
    """The causes of all ports together, ascending, each once."""
    columns = [rows_of(frame)["cause"] for frame in frames.values()]
    return np.unique(np.concatenate(columns)) if columns else np.empty(0, np.int64)


def part(frames: Frames, after: int, through: int) -> Cut:
    """Copies of the rows with `after < cause <= through`. Ports without any are absent."""
    chosen: Cut = {}
    for port, frame in frames.items():
        rows = rows_of(frame)
        start, stop = np.searchsorted(rows["cause"], (after, through), side="right")
        if start < stop:
            chosen[port] = _part_of_raw(frame, start, stop) if isinstance(frame, RawFrame) else rows[start:stop].copy()
    return chosen


def _part_of_raw(frame: RawFrame, start: int, stop: int) -> RawFrame:
    """Rows and only the bytes they point into, as another read of the input would have brought them."""
    rows = frame.rows[start:stop].copy()
    is_message = rows["kind"] == int(RawKind.MESSAGE)
    if not is_message.any():
        return RawFrame(rows, np.frombuffer(b"", np.uint8))
    first = rows["start"][is_message].min()
    last = (rows["start"] + rows["size"])[is_message].max()
    rows["start"][is_message] -= first
    return RawFrame(rows, _read_only(frame.data[first:last].copy()))


def _read_only(data: Any) -> Any:
    """A read-only view of writable bytes, which is how bytes from a file look to NumPy."""
    view = data.view()
    view.flags.writeable = False
    return view


def cuts(frames: Frames, edges: Iterable[int]) -> Iterator[Cut]:
    """The input in pieces, each up to and with the next cause of `edges`; the last edge is the last cause."""
    after = np.iinfo(np.int64).min
    for edge in edges:
        yield part(frames, after, edge)
        after = edge


def edges_every(causes: Frame, size: int) -> list[int]:
    """Edges for pieces of `size` entries."""
    return [*causes[size - 1 : -1 : size].tolist(), int(causes[-1])]


def random_edges(causes: Frame, rng: np.random.Generator) -> list[int]:
    """Edges for pieces of random length."""
    chosen = rng.random(len(causes)) < rng.choice([0.02, 0.1, 0.5])
    chosen[-1] = True
    return [int(cause) for cause in causes[chosen]]


def with_other_future(frames: Frames, schemas: Mapping[str, Schema], after: int) -> Cut:
    """The same input up to cause `after`; from there on contents in the opposite order, moved and a second later."""
    changed = part(frames, np.iinfo(np.int64).min, np.iinfo(np.int64).max)
    for port, frame in changed.items():
        rows = rows_of(frame)
        future = rows[np.searchsorted(rows["cause"], after, side="right") :]
        future["ts"] += _LATER_NS
        for column in schemas[port].columns[2:]:
            future[column.name] = future[column.name][::-1].copy()
            if column.kind in _MOVED:
                future[column.name] += _MOVED[column.kind]
    return changed


def overwrite(cut: Cut) -> None:
    """Destroy a cut, as an upstream operator does that uses its buffers again."""
    for frame in cut.values():
        rows = rows_of(frame)
        rows[...] = np.zeros(len(rows), rows.dtype)
        if isinstance(frame, RawFrame) and frame.data.base is not None:
            np.asarray(frame.data.base)[...] = 0
