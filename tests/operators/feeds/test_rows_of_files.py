"""From files to books: declared tables through source, decoder and book."""

from contextlib import closing
from decimal import Decimal

import pyarrow as pa
from pyarrow import csv, parquet

from operators.book.book import Book, BookParameters
from operators.feeds.rows import Rows
from operators.operator import Desk, Feed
from operators.sources.desk_input import DeskInput
from operators.sources.feed import feed_config
from schemas.instrument import Instrument

TERMS = {"venue": "t", "tick": Decimal("0.01"), "lot": Decimal("0.1"), "currency": "USD"}
DESK = Desk(
    id="d",
    instruments=(Instrument(id="A", symbol="A-USD", **TERMS), Instrument(id="B", symbol="B-USD", **TERMS)),
    feeds=(Feed("f", ("A", "B")),),
)
ORDERS = {
    "rows": "orders",
    "columns": {
        "time": {"column": "at", "format": "%Y-%m-%dT%H:%M:%S.%f%z"},
        "symbol": "symbol", "kind": "what", "order": "id", "side": "side", "price": "price", "qty": "size",
    },
    "sides": {"buy": ["bid"], "sell": ["ask"]},
    "kinds": {"new": "add", "fill": "execute", "part": "cancel", "gone": "delete", "trade": "trade"},
}  # fmt: skip
TEXT = """\
at,symbol,what,id,side,price,size
2024-03-01T10:00:00Z,A-USD,new,1,bid,99.50,10
2024-03-01T10:00:00.25Z,A-USD,new,2,ask,99.75,2.5
2024-03-01T12:00:01+02:00,B-USD,new,3,bid,7.00,1
2024-03-01T10:00:02Z,A-USD,fill,2,ask,99.75,0.5
2024-03-01T10:00:03Z,C-USD,new,4,bid,1,1
2024-03-01T10:00:04Z,A-USD,new,5,bid,99.505,1
2024-03-01T10:00:05Z,B-USD,new,six,bid,7,1
2024-03-01T10:00:06Z,A-USD,trade,0,bid,99.6,0.1
2024-03-01T10:00:07Z,A-USD,gone,1,bid,,
"""


def replayed(path, table):
    """Quotes (second, instrument, bid, its quantity, ask, its quantity, state) and dead letters (reason, row)."""
    config = {"id": "f", "format": "table", "path": path.name, "instruments": ["A", "B"], "table": table}
    decoder, book = Rows(Rows.Parameters(feeds=("f",)), DESK), Book(BookParameters(), DESK)
    quotes, letters, trades = [], [], []
    with closing(DeskInput([(feed_config(**config), path)], 3, None)) as source:
        while (raw := source.next()) is not None:
            decoded = decoder.process({"raw": raw})
            letters += [(str(d["reason"]), bytes(d["bytes"]).decode()) for d in decoded.get("dead_letters", ())]
            events = decoded.get("events")
            if events is None:
                continue
            trades += events[events["kind"] == 8][["price", "qty", "side"]].tolist()
            for q in book.process({"events": events}).get("quotes", ()):
                second = (int(q["ts_event"]) - 1_709_287_200 * 10**9) / 10**9 if q["ts_event"] else None
                quotes.append(
                    (second, *(int(q[c]) for c in ("instrument", "bid", "bid_qty", "ask", "ask_qty", "state")))
                )
    return quotes, letters, trades


def test_orders_of_a_declared_table_become_books_and_what_is_wrong_stays_as_it_stands(tmp_path):
    (tmp_path / "orders.csv").write_text(TEXT)
    quotes, letters, trades = replayed(tmp_path / "orders.csv", ORDERS)
    rows = TEXT.splitlines()
    assert letters == [
        ("row: expected multiples of the tick 0.01, came price 99.505, quantity 1", rows[6]),
        ("order (column id): expected a whole number, came 'six'", rows[7]),
    ]
    assert quotes[:4] == [
        (0.0, 0, 9950, 100, 0, 0, 8),
        (0.25, 0, 9950, 100, 9975, 25, 0),
        (1.0, 1, 700, 10, 0, 0, 8),
        (2.0, 0, 9950, 100, 9975, 20, 0),
    ]
    assert [q[1:] for q in quotes[4:]] == [
        (0, 9950, 100, 9975, 20, 1),  # what was rejected may have changed A's book
        (1, 700, 10, 0, 0, 9),  # and B's
        (0, 0, 0, 9975, 20, 9),
    ]
    assert trades == [(9960, 1, 1)]


def test_csv_and_parquet_of_the_same_quotes_make_the_same_books(tmp_path):
    table = pa.table(
        {
            "ts": pa.array([1_709_287_200_000 + i for i in range(500)]),
            "sym": [("A-USD", "B-USD", "C-USD")[i % 3] for i in range(500)],
            "bid": [100 + (i * 7 % 50) / 100 for i in range(500)],
            "bq": [(i % 9 + 1) / 10 for i in range(500)],
            "ask": [101 + (i * 11 % 50) / 100 for i in range(500)],
            "aq": [i % 5 for i in range(500)],
        }
    )
    declared = {
        "rows": "quotes",
        "columns": {"time": {"column": "ts", "unit": "ms"}, "symbol": "sym"}
        | {"bid": "bid", "bid_qty": "bq", "ask": "ask", "ask_qty": "aq"},
    }
    csv.write_csv(table, tmp_path / "quotes.csv")
    parquet.write_table(table, tmp_path / "quotes.parquet", row_group_size=64)
    from_csv, letters, _ = replayed(tmp_path / "quotes.csv", declared)
    assert letters == []
    assert len(from_csv) > 300
    assert replayed(tmp_path / "quotes.parquet", declared)[0] == from_csv
