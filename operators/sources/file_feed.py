"""What a feed that is a file of rows must say of itself, and what the columns of LEAN's files mean."""

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

from operators.tables.table import Table

if TYPE_CHECKING:
    from operators.sources.feed import FeedConfig

FILES = ("lean", "lobster", "table")

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


def lean_table(ticks: LeanTicks, assumed_qty: Decimal | None, drops_suspicious: bool) -> Table:
    """The columns of LEAN's tick files, as its `LeanData.GenerateLine` writes them: milliseconds since midnight first.

    A row of equity quotes that tells one side has zeros on the other, which is as before.
    """
    rows, columns, scale, flag = _LEAN[ticks]
    is_quote = rows == "quotes"
    declared: dict[str, Any] = {
        "rows": rows,
        "columns": {"time": {"column": 1, "unit": "ms", "since": "midnight"}, **columns},
        "header": False,
        "price_scale": scale,
        "assumed_qty": assumed_qty,
        "absent": "unchanged" if is_quote else "gone",
        "only": {flag: ("0",)} if flag and drops_suspicious else {},
    }
    return Table.model_validate(declared)


def check_file_feed(feed: "FeedConfig") -> None:
    """Raise ValueError where a feed says too little of its file, or too much."""
    _check_belongs(feed)
    if feed.format == "lean":
        _check_lean(feed)
    elif feed.format == "table":
        _check_table(feed)
    elif feed.format == "lobster":
        _check_clock(feed, needs_date=True, needs_timezone=True)
        _check_instruments(feed, has_symbols=False)


_BELONGS = {"ticks": "lean", "assumed_qty": "lean", "suspicious": "lean", "table": "table"}


def _check_belongs(feed: "FeedConfig") -> None:
    for name, form in _BELONGS.items():
        if getattr(feed, name) is not None and feed.format != form:
            raise ValueError(f"feed {feed.id!r} is of format {feed.format}; remove {name!r}, or use {form}")
    if feed.member is not None and not (feed.format in ("lean", "table") and feed.path.endswith(".zip")):
        raise ValueError(f"feed {feed.id!r} is no zip of lean or table files; remove 'member'")


def _check_lean(feed: "FeedConfig") -> None:
    if feed.ticks is None:
        raise ValueError(f"feed {feed.id!r} has no ticks; say what its rows are: {', '.join(_LEAN)}")
    is_forex = feed.ticks == "forex_quote"
    if is_forex and feed.assumed_qty is None:
        raise ValueError(
            f"feed {feed.id!r} has prices without quantities; name the one to assume, such as `assumed_qty: 1_000_000`"
        )
    if not is_forex and feed.assumed_qty is not None:
        raise ValueError(f"feed {feed.id!r} has quantities of its own; remove 'assumed_qty'")
    if is_forex and feed.suspicious is not None:
        raise ValueError(f"feed {feed.id!r} flags no tick; remove 'suspicious'")
    _check_clock(feed, needs_date=True, needs_timezone=True)
    _check_instruments(feed, has_symbols=False)


def _check_table(feed: "FeedConfig") -> None:
    if feed.table is None:
        raise ValueError(f"feed {feed.id!r} has no table; say what its columns mean (docs/files.md)")
    time = feed.table.columns.time
    _check_clock(feed, time.needs_date, time.needs_timezone)
    _check_instruments(feed, feed.table.columns.symbol is not None)


def _check_clock(feed: "FeedConfig", needs_date: bool, needs_timezone: bool) -> None:
    for name, is_needed, why, example in (
        ("date", needs_date, "its times count from midnight", "date: 2013-10-07"),
        ("timezone", needs_timezone, "its times are those of a clock somewhere", "timezone: America/New_York"),
    ):
        is_there = getattr(feed, name) is not None
        if is_needed and not is_there:
            raise ValueError(f"feed {feed.id!r} has no {name}, but {why}; add it, such as `{example}`")
        if is_there and not is_needed:
            raise ValueError(f"feed {feed.id!r} tells time without a {name}; remove {name!r}")


def _check_instruments(feed: "FeedConfig", has_symbols: bool) -> None:
    count = len(feed.instruments)
    if has_symbols and not count:
        raise ValueError(f"feed {feed.id!r} lists no instruments; name those to take, whose symbols its rows have")
    if not has_symbols and count != 1:
        raise ValueError(
            f"feed {feed.id!r} has no symbols in its rows, so that all are of one instrument; "
            f"list that one under `instruments`, not {count}"
        )
