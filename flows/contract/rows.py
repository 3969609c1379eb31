"""Whether rows are what an operator declares: port, columns, causes, and values that a table can hold."""

import numpy as np

from flows.contract.cutting import Cut, causes_of
from flows.contract.trial import span
from operators.operator import Component, Desk
from schemas.errors import ContractError
from schemas.record import Column, Frame, Kind


def check_rows(component: type[Component], port: str, frame: Frame, piece: Cut, desk: Desk) -> None:
    """Raise ContractError for the first thing wrong with `frame`, which came out of `port` for `piece`."""
    schema = component.outputs.get(port)
    if schema is None:
        declared = ", ".join(component.outputs) or "none"
        raise ContractError(f"rows came out of port {port!r} {span(piece)}; the declared ports are: {declared}")
    if frame.dtype != schema.dtype:
        raise ContractError(
            f"port {port!r} returned rows of {frame.dtype} {span(piece)}, expected {schema.name}: {schema.dtype}"
        )
    causes = frame["cause"]
    falls = np.flatnonzero(np.diff(causes) < 0)
    if len(falls):
        i = falls[0] + 1
        raise ContractError(f"port {port!r}: cause {causes[i]} comes after cause {causes[i - 1]}; order rows by cause")
    strangers = causes[~np.isin(causes, causes_of(piece))]
    if len(strangers):
        raise ContractError(
            f"port {port!r}: a row of cause {strangers[0]} came {span(piece)}; a row's cause is an entry of the frame "
            "at hand"
        )
    for column in schema.columns:
        bad = np.flatnonzero(~_possible(frame[column.name], column, desk))
        if len(bad):
            value, cause = frame[column.name][bad[0]], causes[bad[0]]
            raise ContractError(
                f"port {port!r}, cause {cause}: {column.name} is {value!r:.40}, expected {_expected(column, desk)}"
            )


def _possible(values: Frame, column: Column, desk: Desk) -> Frame:
    size = _sizes(desk).get(column.kind)
    if size is not None:
        return (values >= -1) & (values < size)
    if column.kind is Kind.SIDE:
        return np.isin(values, (-1, 0, 1))
    if column.kind is Kind.ENUM:
        return np.isin(values, [int(member) for member in column.labels or ()])
    if column.kind in {Kind.TEXT, Kind.BYTES}:
        wanted = str if column.kind is Kind.TEXT else bytes
        return np.array([isinstance(value, wanted) for value in values], bool)
    return np.ones(len(values), bool)


def _expected(column: Column, desk: Desk) -> str:
    size = _sizes(desk).get(column.kind)
    if size is not None:
        return f"an index of the desk's {size} {column.kind.value}s, or -1"
    if column.kind is Kind.ENUM:
        return f"one of {', '.join(f'{m.value} ({m.name.lower()})' for m in column.labels or ())}"
    return {Kind.SIDE: "-1, 0 or 1", Kind.TEXT: "a str", Kind.BYTES: "bytes"}[column.kind]


def _sizes(desk: Desk) -> dict[Kind, int]:
    return {Kind.INSTRUMENT: len(desk.instruments), Kind.PAIR: len(desk.pairs), Kind.FEED: len(desk.feeds)}
