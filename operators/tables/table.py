"""How a table is declared: what its rows are, which column means what, and how numbers and times are written."""

import re
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator, model_validator

from operators.tables.row import WORDS_LENGTH
from operators.tables.time_format import has_date, steps_of
from schemas.instrument import Definition, Positive

COLUMNS_MAX = 1000
"""More columns than this no table has."""


def _column(value: object) -> object:
    if type(value) is int and 1 <= value <= COLUMNS_MAX:
        return value
    if isinstance(value, str) and value.strip():
        return value
    raise ValueError(f"{value!r} is no column; write its name in the header, or its number, from 1 to {COLUMNS_MAX}")


Column = Annotated[int | str, BeforeValidator(_column)]
"""A column by its name in the header, or by its number, from 1."""

TimeUnit = Literal["s", "ms", "us", "ns"]
RowsOf = Literal["quotes", "trades", "levels", "orders"]
OrderKind = Literal["add", "execute", "cancel", "delete", "trade", "clear"]


class TimeColumn(Definition):
    """When a row happened: a number of units, or text in a format."""

    column: Column = Field(description="the column")
    unit: TimeUnit | None = Field(default=None, description="what a number counts")
    since: Literal["1970", "midnight"] = Field(
        default="1970", description="what it counts from: 1970 UTC, or midnight of the feed's date in its timezone"
    )
    format: str | None = Field(
        default=None, min_length=2, description="how text is written: %Y %m %d %H %M %S %f %z, %F and %T"
    )

    @field_validator("format")
    @classmethod
    def _is_known(cls, value: str | None) -> str | None:
        if value is not None:
            steps_of(value)
        return value

    @model_validator(mode="after")
    def _one_way(self) -> "TimeColumn":
        if (self.unit is None) == (self.format is None):
            raise ValueError(
                "a time is a number or text: write either `unit: ms` (s, ms, us, ns) or `format: '%F %T.%f'`"
            )
        if self.format is not None and self.since != "1970":
            raise ValueError("`since` is for numbers; a format without a date counts from the feed's date by itself")
        return self

    @property
    def needs_date(self) -> bool:
        """Whether the day has to be told beside."""
        return self.since == "midnight" if self.format is None else not has_date(steps_of(self.format))

    @property
    def needs_timezone(self) -> bool:
        """Whether it is told by a clock on a wall, somewhere."""
        return self.since == "midnight" if self.format is None else "%z" not in self.format


class Columns(Definition):
    """Which column holds what. Columns that are not named are not looked at."""

    time: TimeColumn = Field(description="when the row happened")
    symbol: Column | None = Field(default=None, description="the instrument's `symbol`; none: all is of one instrument")
    bid: Column | None = Field(default=None, description="quotes: best bid")
    bid_qty: Column | None = Field(default=None, description="quotes: quantity there")
    ask: Column | None = Field(default=None, description="quotes: best ask")
    ask_qty: Column | None = Field(default=None, description="quotes: quantity there")
    price: Column | None = Field(default=None, description="trades, levels, orders: price")
    qty: Column | None = Field(default=None, description="trades, levels, orders: quantity")
    side: Column | None = Field(default=None, description="levels, orders: side of the book; trades: the taker's")
    kind: Column | None = Field(default=None, description="orders: what happened")
    order: Column | None = Field(default=None, description="orders: the order's reference, a whole number")

    @property
    def present(self) -> tuple[str, ...]:
        """What there is a column for, besides the time."""
        return tuple(role for role in _ROLES if getattr(self, role) is not None)

    @property
    def listed(self) -> tuple[Column, ...]:
        """The columns in the order of the fields above; 0 for those that there are not."""
        others = (getattr(self, role) for role in _ROLES)
        return self.time.column, *(0 if column is None else column for column in others)


_ROLES = tuple(name for name in Columns.model_fields if name != "time")
_TAKES: dict[str, tuple[str, ...]] = {
    "quotes": ("symbol", "bid", "bid_qty", "ask", "ask_qty"),
    "trades": ("symbol", "price", "qty", "side"),
    "levels": ("symbol", "price", "qty", "side"),
    "orders": ("symbol", "price", "qty", "side", "kind", "order"),
}
_NEEDS: dict[str, tuple[str, ...]] = {
    "quotes": (),
    "trades": ("price",),
    "levels": ("price", "qty", "side"),
    "orders": ("price", "qty", "side", "kind", "order"),
}


class Sides(Definition):
    """How the two sides are written."""

    buy: tuple[str, ...] = Field(min_length=1, description="words of the buying side")
    sell: tuple[str, ...] = Field(min_length=1, description="words of the selling side")


class Table(Definition):
    """A table of market data.

    `quotes` are best prices, of one side or both; `trades` are trades; `levels` are new totals of price levels (0:
    gone); `orders` are what becomes of single orders, by `kinds`.
    """

    rows: RowsOf = Field(description="what a row is")
    columns: Columns = Field(description="which column holds what")
    header: bool = Field(default=True, description="whether the first line names the columns (Parquet has names)")
    delimiter: str = Field(default=",", min_length=1, max_length=1, description="what is between two columns")
    price_scale: Positive = Field(default=Decimal(1), description="the table holds prices times this")
    qty_scale: Positive = Field(default=Decimal(1), description="the table holds quantities times this")
    assumed_qty: Positive | None = Field(
        default=None, description="quotes, trades: quantity where no column has one, units"
    )
    absent: Literal["gone", "unchanged"] = Field(
        default="gone", description="quotes: what is meant by a side that is empty or 0"
    )
    sides: Sides | None = Field(default=None, description="how `side` is written")
    kinds: dict[str, OrderKind] = Field(default={}, description="orders: what each word of `kind` means")
    only: dict[Column, tuple[str, ...]] = Field(
        default={}, description="rows to take: those with one of these texts in that column; others change nothing"
    )

    @field_validator("delimiter")
    @classmethod
    def _separates(cls, value: str) -> str:
        if not value.isascii() or re.fullmatch(r'[\w."\r\n+-]', value):
            raise ValueError(f"{value!r} cannot be between columns; write one of , ; | or a tab")
        return value

    @field_validator("columns")
    @classmethod
    def _are_its_columns(cls, columns: Columns, info: ValidationInfo) -> Columns:
        rows = info.data.get("rows")
        if rows is None:
            return columns
        for name in columns.present:
            if name not in _TAKES[rows]:
                raise ValueError(f"rows of {rows} have no {name!r}; they take {', '.join(_TAKES[rows])}")
        absent = [name for name in _NEEDS[rows] if name not in columns.present]
        if absent:
            raise ValueError(f"rows of {rows} need {' and '.join(map(repr, absent))}; name their columns")
        if rows == "quotes":
            if columns.bid is None and columns.ask is None:
                raise ValueError("rows of quotes need 'bid' or 'ask', or both; name their columns")
            for side in ("bid", "ask"):
                if f"{side}_qty" in columns.present and side not in columns.present:
                    raise ValueError(f"'{side}_qty' is of no price; name the column of {side!r} too")
        return columns

    @model_validator(mode="after")
    def _has_quantities(self) -> "Table":
        present, is_assumed = self.columns.present, self.assumed_qty is not None
        if self.rows == "quotes":
            for side in ("bid", "ask"):
                if side in present and (f"{side}_qty" in present) == is_assumed:
                    raise ValueError(f"{side!r} needs either a column '{side}_qty' or an `assumed_qty`, and not both")
        elif self.rows == "trades" and ("qty" in present) == is_assumed:
            raise ValueError("trades need either a column 'qty' or an `assumed_qty`")
        elif self.rows in ("levels", "orders") and is_assumed:
            raise ValueError(f"rows of {self.rows} state their quantity; remove 'assumed_qty'")
        return self

    @model_validator(mode="after")
    def _has_its_words(self) -> "Table":
        if (self.columns.side is None) != (self.sides is None):
            raise ValueError("`columns: side` and `sides` go together, such as `sides: {buy: [B], sell: [S]}`")
        if bool(self.kinds) != (self.columns.kind is not None):
            raise ValueError("`columns: kind` and `kinds` go together, such as `kinds: {A: add, D: delete}`")
        if self.sides is not None and (both := set(self.sides.buy) & set(self.sides.sell)):
            raise ValueError(f"{min(both)!r} is on both sides; keep it on one")
        if self.absent != "gone" and self.rows != "quotes":
            raise ValueError(f"`absent` is for quotes; rows of {self.rows} have no side that could be")
        for word in (*self.kinds, *(self.sides.buy + self.sides.sell if self.sides else ())):
            _check_word(word)
        for column, texts in self.only.items():
            if not texts:
                raise ValueError(f"`only` takes no row at all of column {column!r}; name the texts to take")
            for text in texts:
                _check_word(text)
        return self

    @model_validator(mode="after")
    def _names_what_is_named(self) -> "Table":
        named = [column for column in self.columns_used if isinstance(column, str)]
        if not self.header and named:
            raise ValueError(f"column {named[0]!r} is a name, but `header: false`; number the columns, from 1")
        return self

    @property
    def columns_used(self) -> tuple[Column, ...]:
        """Every column that is looked at."""
        return *(column for column in self.columns.listed if column != 0), *self.only


def _check_word(word: str) -> None:
    if len(word.encode()) > WORDS_LENGTH:
        raise ValueError(f"{word!r} is longer than the {WORDS_LENGTH} bytes that are compared")
