"""An operator and an example input: running it in pieces and comparing what came."""

import hashlib
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any

import numpy as np

from flows.contract.cutting import Cut, causes_of, part
from operators.operator import Example, Operator
from schemas.errors import ContractError
from schemas.record import Frame

Rows = dict[str, Frame]
"""All rows that came, by output port; ports without any are absent."""


class Trial:
    """Fresh operators of one class, all on the same example. Whatever `process` raises becomes a ContractError."""

    def __init__(self, cls: type[Operator], example: Example) -> None:
        self.cls = cls
        self.example = example
        self.frames = example.frames
        self.causes = causes_of(example.frames)

    @cached_property
    def whole(self) -> Rows:
        """The rows when all input comes in one frame: what every other way is compared with."""
        return self.run([self.everything()])

    def everything(self) -> Cut:
        """A copy of all input."""
        return part(self.frames, int(self.causes[0]) - 1, int(self.causes[-1]))

    def fresh(self) -> Operator:
        """A new operator."""
        return self.cls(self.cls.Parameters.model_validate(dict(self.example.parameters)), self.example.desk)

    def run(self, pieces: Iterable[Cut], operator: Operator | None = None) -> Rows:
        """Hand the pieces to `operator` (a fresh one) one by one, and join what comes."""
        operator = operator or self.fresh()
        came: dict[str, list[Frame]] = {}
        for piece in pieces:
            for port, frame in step(operator, piece).items():
                came.setdefault(port, []).append(frame)
        return {port: np.concatenate(frames) for port, frames in came.items()}


def step(operator: Operator, piece: Cut) -> Rows:
    """One call of `process`, and copies of what it returned."""
    try:
        returned: Any = operator.process(piece)
    except Exception as e:
        raise ContractError(f"process raised {type(e).__name__} ({e}) {span(piece)}") from e
    if not isinstance(returned, Mapping):
        raise ContractError(f"process returned {returned!r:.60} {span(piece)}, expected a mapping from port to frame")
    for port, frame in returned.items():
        if not isinstance(frame, np.ndarray) or frame.dtype.names is None or frame.ndim != 1:
            raise ContractError(f"port {port!r} returned {frame!r:.60} {span(piece)}, expected an array of rows")
    return {port: np.array(frame) for port, frame in returned.items() if len(frame)}


def span(piece: Cut) -> str:
    """Which input a piece is."""
    causes = causes_of(piece)
    if not len(causes):
        return "on a call without rows"
    return f"at cause {causes[0]}" if len(causes) == 1 else f"on causes {causes[0]} to {causes[-1]}"


def through(rows: Rows, cause: int) -> Rows:
    """The rows caused by entries up to `cause`."""
    early = {port: frame[frame["cause"] <= cause] for port, frame in rows.items()}
    return {port: frame for port, frame in early.items() if len(frame)}


def beyond(rows: Rows, cause: int) -> Rows:
    """The rows caused by entries after `cause`."""
    late = {port: frame[frame["cause"] > cause] for port, frame in rows.items()}
    return {port: frame for port, frame in late.items() if len(frame)}


def difference(expected: Rows, came: Rows) -> str:
    """The first difference in words, empty where there is none."""
    for port in sorted(expected.keys() | came.keys()):
        found = _port_difference(port, expected.get(port), came.get(port))
        if found:
            return found
    return ""


def _port_difference(port: str, expected: Frame | None, came: Frame | None) -> str:
    some = expected if expected is not None else came
    assert some is not None
    expected = some[:0] if expected is None else expected
    came = some[:0] if came is None else came
    shared = min(len(expected), len(came))
    rows, column = _first_unequal(expected[:shared], came[:shared])
    if column:
        cause = expected["cause"][rows]
        return (
            f"port {port!r}, row {rows} (cause {cause}): {column} expected {expected[column][rows]!s}, "
            f"came {came[column][rows]!s}"
        )
    if len(expected) == len(came):
        return ""
    longer, what = (expected, "missing") if len(expected) > len(came) else (came, "surplus")
    return (
        f"port {port!r}: expected {len(expected)} rows, came {len(came)}; the first {what} one is of cause "
        f"{longer['cause'][shared]}"
    )


def _first_unequal(a: Frame, b: Frame) -> tuple[int, str]:
    """Row and column of the first difference; no column where there is none. NaN equals NaN."""
    first, column = len(a), ""
    for name in a.dtype.names or ():
        unequal = (a[name] != b[name]) & ~((a[name] != a[name]) & (b[name] != b[name]))
        where = np.flatnonzero(unequal)
        if len(where) and where[0] < first:
            first, column = int(where[0]), name
    return first, column


def digest(rows: Rows) -> str:
    """SHA-256 of all rows, the same in every process."""
    sha = hashlib.sha256()
    for port in sorted(rows):
        for name in rows[port].dtype.names or ():
            values = rows[port][name]
            sha.update(repr((port, name)).encode())
            sha.update(repr(values.tolist()).encode() if values.dtype.hasobject else values.tobytes())
    return sha.hexdigest()
