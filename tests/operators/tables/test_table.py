import pytest
from pydantic import ValidationError

from operators.tables.table import Table

TIME = {"column": "t", "unit": "ms"}
QUOTES = {"time": TIME, "bid": "b", "bid_qty": "bq", "ask": "a", "ask_qty": "aq"}
LEVELS = {"time": TIME, "price": "p", "qty": "q", "side": "s"}
ORDERS = LEVELS | {"kind": "k", "order": "o"}
SIDES = {"buy": ["B"], "sell": ["S"]}


def table(rows="quotes", columns=QUOTES, **settings):
    return Table.model_validate({"rows": rows, "columns": columns, **settings})


def test_what_there_is_to_declare():
    assert table().columns.listed == ("t", 0, "b", "bq", "a", "aq", 0, 0, 0, 0, 0)
    assert table(only={"flag": ["0"]}).columns_used == ("t", "b", "bq", "a", "aq", "flag")
    table("trades", {"time": TIME, "price": "p", "qty": "q"})
    table("levels", LEVELS, sides=SIDES)
    orders = table("orders", ORDERS, sides=SIDES, kinds={"A": "add", "D": "delete"})
    assert Table.model_validate_json(orders.model_dump_json()) == orders


@pytest.mark.parametrize(
    ("time", "needs"),
    [
        ({"unit": "ns"}, (False, False)),
        ({"unit": "ms", "since": "midnight"}, (True, True)),
        ({"format": "%F %T.%f"}, (False, True)),
        ({"format": "%F %T%z"}, (False, False)),
        ({"format": "%T"}, (True, True)),
    ],
)
def test_what_a_time_needs_besides(time, needs):
    column = table(columns=QUOTES | {"time": {"column": 1, **time}}).columns.time
    assert (column.needs_date, column.needs_timezone) == needs


def without(columns, *names):
    return {name: column for name, column in columns.items() if name not in names}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"rows": "bars"}, "'quotes', 'trades', 'levels' or 'orders'"),
        ({"columns": without(QUOTES, "time")}, "Field required"),
        ({"columns": QUOTES | {"bidd": "x"}}, "Extra inputs are not permitted"),
        ({"columns": QUOTES | {"bid": 0}}, "0 is no column; write its name in the header, or its number, from 1"),
        ({"columns": QUOTES | {"bid": " "}}, "is no column"),
        ({"columns": QUOTES | {"bid": True}}, "True is no column"),
        ({"columns": QUOTES | {"price": "p"}}, "rows of quotes have no 'price'; they take symbol, bid"),
        ({"columns": without(QUOTES, "bid", "bid_qty", "ask", "ask_qty")}, "need 'bid' or 'ask', or both"),
        ({"columns": without(QUOTES, "bid")}, "'bid_qty' is of no price; name the column of 'bid' too"),
        ({"columns": without(QUOTES, "bid_qty")}, "'bid' needs either a column 'bid_qty' or an `assumed_qty`"),
        ({"assumed_qty": 5}, "'bid' needs either a column 'bid_qty' or an `assumed_qty`, and not both"),
        ({"columns": QUOTES | {"time": {"column": "t"}}}, "write either `unit: ms`"),
        ({"columns": QUOTES | {"time": TIME | {"format": "%T"}}}, "write either `unit: ms`"),
        ({"columns": QUOTES | {"time": {"column": "t", "format": "%b %T"}}}, "has %b; of formats of time are known"),
        ({"columns": QUOTES | {"time": {"column": "t", "format": "%T", "since": "midnight"}}}, "`since` is for"),
        ({"columns": QUOTES | {"time": TIME | {"unit": "min"}}}, "'s', 'ms', 'us' or 'ns'"),
        ({"header": False}, "column 't' is a name, but `header: false`; number the columns"),
        ({"delimiter": ""}, "at least 1 character"),
        ({"delimiter": "."}, "cannot be between columns"),
        ({"delimiter": "7"}, "cannot be between columns"),
        ({"price_scale": 0}, "greater than 0"),
        ({"sides": SIDES}, "`columns: side` and `sides` go together"),
        ({"kinds": {"A": "add"}}, "`columns: kind` and `kinds` go together"),
        ({"only": {"flag": []}}, "takes no row at all of column 'flag'"),
        ({"only": {"flag": ["x" * 17]}}, "longer than the 16 bytes"),
        ({"rows": "trades", "columns": {"time": TIME, "qty": "q"}}, "rows of trades need 'price'; name their columns"),
        ({"rows": "trades", "columns": {"time": TIME, "price": "p"}}, "either a column 'qty' or an `assumed_qty`"),
        ({"rows": "trades", "columns": {"time": TIME, "price": "p", "qty": "q"}, "absent": "unchanged"}, "`absent` is"),
        ({"rows": "levels", "columns": LEVELS}, "`columns: side` and `sides` go together"),
        ({"rows": "levels", "columns": LEVELS, "sides": SIDES, "assumed_qty": 1}, "state their quantity"),
        ({"rows": "levels", "columns": LEVELS, "sides": {"buy": ["B"], "sell": ["B"]}}, "'B' is on both sides"),
        ({"rows": "levels", "columns": LEVELS, "sides": {"buy": ["B"]}}, "Field required"),
        ({"rows": "orders", "columns": LEVELS, "sides": SIDES}, "need 'kind' and 'order'; name their columns"),
        ({"rows": "orders", "columns": ORDERS, "sides": SIDES, "kinds": {"R": "replace"}}, "'add', 'execute',"),
    ],
)  # fmt: skip
def test_what_cannot_work_is_refused_with_what_to_do(settings, message):
    with pytest.raises(ValidationError, match=message):
        table(**{"rows": "quotes", "columns": QUOTES} | settings)
