"""A declared table as what the kernel reads by: numbers of columns, scales, words, a timezone."""

import datetime
from collections.abc import Sequence
from decimal import Decimal
from enum import IntEnum

import numpy as np

from operators.kernel import State
from operators.tables.ratios import RATIO, ratios
from operators.tables.row import TABLE_KINDS, Told, words
from operators.tables.table import Column, Columns, Table
from operators.tables.time_format import STEP, steps_of
from operators.tables.zone import zone_table
from schemas.market import EventKind
from schemas.record import DECIMAL_SCALE, Frame

ROLES = tuple(Columns.model_fields)
TIME, SYMBOL, BID, BID_QTY, ASK, ASK_QTY, PRICE, QTY, SIDE, KIND, ORDER = range(len(ROLES))

WORD = np.dtype([("column", "i8"), ("word", "i8"), ("rest", "i8"), ("meaning", "i8")])
"""A word that a column may hold, see `words`; of `only` it means nothing."""


class Setting(IntEnum):
    """Numbers in the table of settings."""

    KIND = 0  # the EventKind of every row, where no column tells
    DELIMITER = 1
    FIELDS = 2  # columns there must be at least
    FIELDS_EXACTLY = 3  # columns there must be, 0 where nothing says
    BASE = 4  # ns since 1970 on the wall's clock that times count from
    IS_TEXT = 5  # times are text
    IS_WALL = 6  # times are those of a clock on the wall
    IS_UNCHANGED = 7  # a side that is absent from a quote is as before
    ASSUMED_QTY = 8  # units of 1e-9


# Tables behind the layout's ctx, in order.
SETTINGS, COLUMN_OF, TIME_RATIOS, PRICE_RATIOS, QTY_RATIOS, STEPS, ZONES, WORDS, ONLY = range(9)
FIELD_STARTS, FIELD_ENDS = 9, 10
"""Scratch: where in the block the columns of a row begin and end."""

_UNITS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


class UnknownColumnError(ValueError):
    """The header does not have a column that the table names."""


def layout_of(table: Table, date: datetime.date | None, timezone: str | None, header: Sequence[str] | None) -> State:
    """What `read_rows` needs. Raises UnknownColumnError where `header` lacks a column."""
    time = table.columns.time
    column_of = np.array([_number(column, header) if column else -1 for column in table.columns.listed], np.int64)
    only = _only(table, header)
    fields = 1 + max(column_of.max(), *(only["column"] if len(only) else (-1,)))
    settings = np.zeros(len(Setting), np.int64)
    settings[Setting.KIND] = TABLE_KINDS[table.rows]
    settings[Setting.DELIMITER] = ord(table.delimiter)
    settings[Setting.FIELDS] = fields
    settings[Setting.FIELDS_EXACTLY] = len(header) if header is not None else 0
    settings[Setting.BASE] = _midnight(date) if time.needs_date else 0
    settings[Setting.IS_TEXT] = time.format is not None
    settings[Setting.IS_WALL] = time.needs_timezone
    settings[Setting.IS_UNCHANGED] = table.absent == "unchanged"
    settings[Setting.ASSUMED_QTY] = int((table.assumed_qty or 0) * 10**DECIMAL_SCALE)
    return State(
        settings=settings,
        column_of=column_of,
        time_ratios=ratios(Decimal(_UNITS[time.unit])) if time.unit else np.zeros(1, RATIO),
        price_ratios=ratios(table.price_scale),
        qty_ratios=ratios(table.qty_scale),
        steps=steps_of(time.format) if time.format else np.zeros(0, STEP),
        zones=zone_table(timezone or "UTC"),
        words=_words(table, column_of),
        only=only,
        field_starts=np.zeros(fields, np.int64),
        field_ends=np.zeros(fields, np.int64),
    )


def _number(column: Column, header: Sequence[str] | None) -> int:
    if isinstance(column, int):
        if header is not None and column > len(header):
            raise UnknownColumnError(f"expected a column number {column}, but there are {len(header)}")
        return column - 1
    names = [] if header is None else list(header)
    if names.count(column) != 1:
        found = "several" if column in names else "none"
        raise UnknownColumnError(f"expected one column {column!r}, there is {found}; the columns are {_listed(names)}")
    return names.index(column)


def _listed(names: Sequence[str]) -> str:
    text = ", ".join(map(repr, names))
    return text if len(text) <= 400 else f"{text[:400]}…"


def _words(table: Table, column_of: Frame) -> Frame:
    rows: list[tuple[int, ...]] = [
        (column_of[KIND], *words(w.encode()), EventKind[kind.upper()]) for w, kind in table.kinds.items()
    ]
    if table.sides is not None:
        for side, meaning in ((table.sides.buy, Told.BUY), (table.sides.sell, Told.SELL)):
            rows += [(column_of[SIDE], *words(word.encode()), meaning) for word in side]
    return np.array(rows, WORD)


def _only(table: Table, header: Sequence[str] | None) -> Frame:
    rows = [(_number(c, header), *words(text.encode()), 0) for c, texts in table.only.items() for text in texts]
    return np.array(sorted(rows), WORD)


def _midnight(date: datetime.date | None) -> int:
    """Midnight of the date on a wall's clock, ns since 1970."""
    assert date is not None, "the feed has been checked to have one"
    return (date - datetime.date(1970, 1, 1)).days * 86_400 * 10**9
