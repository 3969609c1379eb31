"""Feeds that are files of rows, and what each must say of itself; docs/files.md tells of them."""

import datetime
from abc import abstractmethod
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from operators.sources.base_feed import DelayedFeed, SessionDate, Timezone
from operators.tables.table import Table
from schemas.instrument import Positive

LeanTicks = Literal["equity_quote", "equity_trade", "crypto_quote", "crypto_trade", "forex_quote"]
"""Kinds of LEAN's tick files, whose columns differ."""

_QUOTE = {"bid": 2, "bid_qty": 3, "ask": 4, "ask_qty": 5}
_TRADE = {"price": 2, "qty": 3}
_LEAN: dict[str, tuple[str, dict[str, int], int, int | None]] = {
    "equity_quote": ("quotes", _QUOTE, 10_000, 8),
    "equity_trade": ("trades", _TRADE, 10_000, 6),
    "crypto_quote": ("quotes", _QUOTE, 1, 6),
    "crypto_trade": ("trades", _TRADE, 1, 4),
    "forex_quote": ("quotes", {"bid": 2, "ask": 3}, 1, None),
}
"""Of each kind: what a row is, its columns, what prices are multiplied by, and the column of the suspicious flag."""

_CLOCK = {
    "date": "its times count from midnight; add it, such as `date: 2013-10-07`",
    "timezone": "its times are those of a clock somewhere; add it, such as `timezone: America/New_York`",
}
"""Why a table may need them."""


def _one(value: tuple[str, ...]) -> tuple[str, ...]:
    if len(value) != 1:
        raise ValueError(
            "there are no symbols in the rows, so that all are of one instrument; list that one under `instruments`, "
            f"not {len(value)}"
        )
    return value


OneInstrument = Annotated[
    tuple[str, ...], AfterValidator(_one), Field(description="the instrument that all rows are of, as a list of one")
]


class RowsFeed(DelayedFeed):
    """A file of rows, which record event time only. A zip of it is read as well."""


class ColumnsFeed(RowsFeed):
    """A file of rows whose columns mean what a table says."""

    date: datetime.date | None = Field(default=None, description="the session's date, where times count from midnight")
    timezone: Timezone | None = Field(default=None, description="where times are those of a clock somewhere")
    member: str | None = Field(default=None, min_length=1, description="which of a zip's files, of several")

    @property
    @abstractmethod
    def rows(self) -> Table:
        """What the columns mean."""

    @model_validator(mode="after")
    def _is_a_zip(self) -> "ColumnsFeed":
        if self.member is not None and not self.path.endswith(".zip"):
            raise ValueError(f"feed {self.id!r} is no zip; remove 'member'")
        return self


class LeanFeed(ColumnsFeed):
    """LEAN's tick files, as its `LeanData.GenerateLine` writes them: milliseconds since midnight first.

    A row of equity quotes that tells one side has zeros on the other, which is as before.
    """

    format: Literal["lean"]
    date: SessionDate
    timezone: Timezone
    instruments: OneInstrument
    ticks: LeanTicks = Field(description=f"what a row is: {', '.join(_LEAN)}")
    assumed_qty: Positive | None = Field(default=None, description="forex: quantity of every quote, units")
    suspicious: Literal["keep", "drop"] | None = Field(
        default=None, description="whether ticks that are flagged change anything; drop where not said"
    )

    @model_validator(mode="after")
    def _fits_its_ticks(self) -> "LeanFeed":
        is_forex = self.ticks == "forex_quote"
        if is_forex and self.assumed_qty is None:
            raise ValueError(
                f"feed {self.id!r} has prices without quantities; name the one to assume, such as "
                "`assumed_qty: 1_000_000`"
            )
        if not is_forex and self.assumed_qty is not None:
            raise ValueError(f"feed {self.id!r} has quantities of its own; remove 'assumed_qty'")
        if is_forex and self.suspicious is not None:
            raise ValueError(f"feed {self.id!r} flags no tick; remove 'suspicious'")
        return self

    @property
    def rows(self) -> Table:
        """What the columns mean."""
        rows, columns, scale, flag = _LEAN[self.ticks]
        declared: dict[str, Any] = {
            "rows": rows,
            "columns": {"time": {"column": 1, "unit": "ms", "since": "midnight"}, **columns},
            "header": False,
            "price_scale": scale,
            "assumed_qty": self.assumed_qty,
            "absent": "unchanged" if rows == "quotes" else "gone",
            "only": {flag: ("0",)} if flag and self.suspicious != "keep" else {},
        }
        return Table.model_validate(declared)


class LobsterFeed(RowsFeed):
    """LOBSTER's two files, of messages and of the books they lead to: a zip of both, or `path` is the first."""

    format: Literal["lobster"]
    date: SessionDate
    timezone: Timezone
    instruments: OneInstrument


class TableFeed(ColumnsFeed):
    """Any other CSV or Parquet, whose columns `table` declares."""

    format: Literal["table"]
    table: Table = Field(description="what its columns mean (docs/files.md)")

    @property
    def rows(self) -> Table:
        """What the columns mean."""
        return self.table

    @model_validator(mode="after")
    def _tells_time(self) -> "TableFeed":
        time = self.table.columns.time
        for name, is_needed in (("date", time.needs_date), ("timezone", time.needs_timezone)):
            is_there = getattr(self, name) is not None
            if is_needed and not is_there:
                raise ValueError(f"feed {self.id!r} has no {name}, but {_CLOCK[name]}")
            if is_there and not is_needed:
                raise ValueError(f"feed {self.id!r} tells time without a {name}; remove {name!r}")
        return self

    @model_validator(mode="after")
    def _speaks_of_instruments(self) -> "TableFeed":
        if self.table.columns.symbol is None:
            _one(self.instruments)
        elif not self.instruments:
            raise ValueError(f"feed {self.id!r} lists no instruments; name those to take, whose symbols its rows have")
        return self
