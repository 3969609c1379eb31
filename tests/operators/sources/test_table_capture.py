"""Files of rows: what stands in them, read by other means, is what becomes of them."""

import csv
import gzip
import io
import zipfile
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from backports import zstd
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from operators.sources import table_capture
from operators.sources.desk_input import DeskInput
from operators.sources.feed import feed_config
from operators.tables.row import ROW, RowKind, Told, words
from schemas.errors import CaptureError
from schemas.market import EventKind, RawKind

UNIT = 10**9
SIZE = ROW.itemsize
COLUMNS = {"time": {"column": "ts", "unit": "ns"}, "symbol": "sym", "price": "px", "qty": "qty", "side": "side"}
SIDES = {"buy": ["B"], "sell": ["S"]}
TRADES = {"rows": "trades", "columns": COLUMNS, "sides": SIDES}
TEXT = b"ts,sym,px,qty,side\n5,A,1.25,3,B\n4,B,2,0.5,S\n9,A,1.5,1,B\n"
READ = [
    (5, EventKind.TRADE, "A", "1.25", "3", Told.BUY),
    (5, EventKind.TRADE, "B", "2", "0.5", Told.SELL),
    (9, EventKind.TRADE, "A", "1.5", "1", Told.BUY),
]


def feed(path, table=TRADES, instruments=("A", "B"), **other):
    config = {"id": "f", "format": "table", "path": path.name, "table": table, "instruments": instruments, **other}
    return feed_config(**config), path


def log(*feeds, frame=7, resume=None):
    """(clock, record, text) of every message, and the positions after each frame."""
    source = DeskInput(list(feeds), frame, resume)
    found, positions = [], []
    while (cut := source.next()) is not None:
        for i, row in enumerate(cut.rows):
            if row["kind"] == RawKind.MESSAGE:
                message = cut.message(i)
                found.append((int(row["ts"]), np.frombuffer(message[:SIZE], ROW)[0], message[SIZE:]))
        positions.append((len(found), source.snapshot()))
    source.close()
    return found, positions


def trades(found):
    return [
        (ts, row["kind"], row["symbol"].tobytes().strip(b"\0").decode(), *map(plain, (row["price"], row["qty"])),
         row["told"] & (Told.BUY | Told.SELL))
        for ts, row, _ in found
    ]  # fmt: skip


def plain(nanos):
    return f"{Decimal(int(nanos)).scaleb(-9).normalize():f}"


def refusal(found):
    """(reason, text) of a refused row."""
    _, row, text = found
    assert row["kind"] == RowKind.REFUSED
    return text[: row["order"]].decode(), text[row["order"] :]


def zipped(**files):
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return target.getvalue()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("t.csv", TEXT),
        ("t.csv", b"\xef\xbb\xbf" + TEXT),
        ("t.csv", TEXT.replace(b"\n", b"\r\n").strip()),
        ("t.csv", TEXT.replace(b"\n", b"\n\n")),
        ("t.csv", TEXT.replace(b",", b" , ")),
        ("t.csv", TEXT.replace(b"A", b'"A"').replace(b",2,", b',"2",').replace(b"px", b'"px"')),
        ("t.csv.gz", gzip.compress(TEXT)),
        ("t.csv.zst", zstd.compress(TEXT)),
        ("t.zip", zipped(t=TEXT)),
    ],
    ids=["plain", "marked", "carriage returns", "empty lines", "spaces", "quoted", "gzip", "zstandard", "zip"],
)
def test_the_same_rows_however_they_are_kept(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    found, _ = log(feed(tmp_path / name))
    assert trades(found) == READ
    if name == "t.csv" and content == TEXT:
        assert [text for _, _, text in found] == TEXT.splitlines()[1:]


def test_columns_by_number_and_another_delimiter(tmp_path):
    (tmp_path / "t.csv").write_bytes(TEXT.partition(b"\n")[2].replace(b",", b";"))
    numbered = {role: {"column": 1, "unit": "ns"} if role == "time" else i + 1 for i, role in enumerate(COLUMNS)}
    found, _ = log(feed(tmp_path / "t.csv", TRADES | {"columns": numbered, "header": False, "delimiter": ";"}))
    assert trades(found) == READ


@pytest.mark.parametrize("price", [pa.float64(), pa.string(), pa.decimal128(18, 9)])
@pytest.mark.parametrize("time", [pa.int64(), pa.timestamp("ns"), pa.timestamp("ns", "America/New_York")])
def test_parquet_is_read_as_the_text_it_would_be(tmp_path, price, time):
    table = pa.table(
        {
            "unused": [None, "x", "y"],
            "ts": pa.array([5, 4, 9], pa.int64()).cast(time),
            "sym": pa.array(["A", "B", "A"]).dictionary_encode(),
            "px": pa.array(["1.25", "2", "1.5"]).cast(price),
            "qty": [3.0, 0.5, 1.0],
            "side": ["B", "S", "B"],
        }
    )
    parquet.write_table(table, tmp_path / "t.parquet", row_group_size=2)
    assert trades(log(feed(tmp_path / "t.parquet"))[0]) == READ


def test_a_float_is_the_decimal_that_was_meant(tmp_path):
    values = [0.1 + 0.2, 1.38833, 1e-5, 123456.789]
    table = pa.table({"ts": [1, 2, 3, 4], "sym": ["A"] * 4, "px": values, "qty": [1] * 4, "side": ["B"] * 4})
    parquet.write_table(table, tmp_path / "t.parquet")
    first, *rest = log(feed(tmp_path / "t.parquet"))[0]
    assert refusal(first)[0] == (
        "price (column px): expected no more than nine decimal places, came '0.30000000000000004'"
    )
    assert [plain(row["price"]) for _, row, _ in rest] == ["1.38833", "0.00001", "123456.789"]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"x,A,1,1,B", "time (column ts): expected a plain decimal number, came 'x'"),
        (b"-1,A,1,1,B", "time (column ts): expected a time from 1970 to 2116, came '-1'"),
        (b"9e18,A,1,1,B", "time (column ts): expected a time from 1970 to 2116, came '9e18'"),
        (b"1,A,1,1", "row: expected 5 columns, came 4"),
        (b"1,A,1,1,B,", "row: expected 5 columns, came 6"),
        (b"1,A,,1,B", "price (column px): expected a number, came ''"),
        (b"1,A,1e,1,B", "price (column px): expected a plain decimal number, came '1e'"),
        (b"1,A,-1,1,B", "price (column px): expected no less than 0, came '-1'"),
        (b"1,A,1e11,1,B", "price (column px): expected at most 9.2e9, came '1e11'"),
        (b"1,A,1,0.1234567891,B", "qty (column qty): expected no more than nine decimal places, came '0.1234567891'"),
        (b"1,A,1,1,buy", "side (column side): expected a declared word, came 'buy'"),
        (b'1,A,1,1,"B', None),
    ],
)
def test_a_row_that_cannot_be_read_is_passed_on_with_the_reason(tmp_path, line, reason):
    (tmp_path / "t.csv").write_bytes(TEXT + line + b"\n12,A,1,1,B\n")
    found, _ = log(feed(tmp_path / "t.csv"))
    *before, refused, after = found
    assert trades(before) == READ
    assert after[0] == 12
    if reason is None:
        assert trades([refused])[0][1:] == (EventKind.TRADE, "A", "1", "1", Told.BUY)
        return
    assert refusal(refused) == (reason, line)
    assert refused[0] == 9
    assert not refused[1]["told"] & Told.AT_STAKE  # a trade changes no book


def test_a_line_longer_than_a_block_is_passed_on_in_pieces(tmp_path):
    line = b"1" * (table_capture._BLOCK_BYTES + 10)
    (tmp_path / "t.csv").write_bytes(TEXT + line + b"\n12,A,1,1,B\n")
    found, _ = log(feed(tmp_path / "t.csv"))
    assert [row["kind"] for _, row, _ in found[3:]] == [RowKind.REFUSED, RowKind.REFUSED, EventKind.TRADE]
    assert refusal(found[3])[0] == f"row: expected an end of line within {table_capture._BLOCK_BYTES} bytes, came none"


def test_rows_left_out_by_only_stand_in_the_log_and_say_so(tmp_path):
    (tmp_path / "t.csv").write_bytes(TEXT)
    found, _ = log(feed(tmp_path / "t.csv", TRADES | {"only": {"sym": ["B"], "side": ["S", "X"]}}))
    assert [row["kind"] for _, row, _ in found] == [RowKind.PASSED, EventKind.TRADE, RowKind.PASSED]


QUOTES = {
    "rows": "quotes",
    "columns": {"time": {"column": 1, "unit": "ms"}, "bid": 2, "bid_qty": 3, "ask": 4, "ask_qty": 5},
    "header": False,
    "price_scale": 100,
}


@pytest.mark.parametrize(("absent", "told"), [("gone", Told.BID | Told.ASK), ("unchanged", Told.ASK)])
def test_an_absent_side_is_gone_or_as_before(tmp_path, absent, told):
    (tmp_path / "t.csv").write_bytes(b"1,0,0,150,2\n2,,,150,2\n")
    found, _ = log(feed(tmp_path / "t.csv", QUOTES | {"absent": absent}, ["A"]))
    for _, row, _ in found:
        assert row["told"] == told
        assert (plain(row["price"]), plain(row["ask"]), plain(row["ask_qty"])) == ("0", "1.5", "2")


def test_a_missing_column_is_told_with_those_there_are(tmp_path):
    (tmp_path / "t.csv").write_bytes(TEXT)
    for name in ("price", "side"):
        config = feed(tmp_path / "t.csv", TRADES | {"columns": COLUMNS | {name: "prize"}})
        with pytest.raises(CaptureError, match=r"one column 'prize', there is none; the columns are 'ts', 'sym', 'px'"):
            log(config)
    with pytest.raises(CaptureError, match="expected a column number 9, but there are 5; correct the feed's `table`"):
        log(feed(tmp_path / "t.csv", TRADES | {"columns": COLUMNS | {"price": 9}}))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("t.csv", None, "cannot read"),
        ("t.zip", b"no zip", "is damaged"),
        ("t.zip", zipped(t=TEXT)[:-30], "is damaged"),
        (
            "t.zip",
            zipped(a=TEXT, b=TEXT),
            "expected one file in the zip, found 2 of a, b; name one of them as the feed's `member`",
        ),
        ("t.parquet", b"no parquet", "is damaged"),
    ],
)
def test_files_that_cannot_be_read_are_refused(tmp_path, name, content, message):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(CaptureError, match=message):
        log(feed(tmp_path / name))


def test_one_of_a_zips_files_by_its_name(tmp_path):
    (tmp_path / "t.zip").write_bytes(zipped(a=TEXT, b=TEXT[:32]))
    assert len(log(feed(tmp_path / "t.zip", member="b"))[0]) == 1


def test_resuming_anywhere_goes_on_with_the_next_row(tmp_path, monkeypatch):
    monkeypatch.setattr(table_capture, "_BLOCK_BYTES", 256)
    monkeypatch.setattr(table_capture, "_OUT_BYTES", 700)
    rows = [f"{i},{'AB'[i % 2]},{i / 4},{i},{'BSX'[i % 3]}" for i in range(200)]
    (tmp_path / "t.csv.gz").write_bytes(gzip.compress("\n".join(["ts,sym,px,qty,side", *rows]).encode()))
    configured = feed(tmp_path / "t.csv.gz")
    whole, positions = log(configured)
    assert len(whole) == 200
    assert [refusal(f)[1].decode() for f in whole if f[1]["kind"] == RowKind.REFUSED] == rows[2::3]
    for count, position in positions[::5]:
        rest, _ = log(configured, resume=position)
        assert [(ts, row.tobytes(), text) for ts, row, text in rest] == [
            (ts, row.tobytes(), text) for ts, row, text in whole[count:]
        ]


field = st.text(st.sampled_from('ab,"1.5 '), max_size=6)


@settings(max_examples=60)
@given(rows=st.lists(st.lists(field, min_size=4, max_size=6), min_size=1, max_size=8), chunk=st.integers(150, 300))
def test_columns_are_cut_as_the_csv_module_cuts_them(tmp_path_factory, rows, chunk):
    """What comes as the word of a column is what Python's reader finds there."""
    path = tmp_path_factory.mktemp("csv") / "t.csv"
    written = io.StringIO()
    csv.writer(written, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows([["1", *row] for row in rows])
    path.write_text(written.getvalue())
    table = {
        "rows": "trades",
        "columns": {"time": {"column": 1, "unit": "s"}, "symbol": 4, "price": 2},
        "header": False,
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(table_capture, "_BLOCK_BYTES", chunk)
        found, _ = log(feed(path, table | {"assumed_qty": 1}))
    assert len(found) == len(rows)
    for (_, row, text), fields in zip(found, rows, strict=True):
        if '"' not in fields[2]:  # a doubled quote stays doubled
            assert (row["symbol"], row["symbol_rest"]) == words(fields[2].encode())
        whole = text[row["order"] :] if row["kind"] == RowKind.REFUSED else text
        assert next(csv.reader([whole.decode()])) == ["1", *fields]
