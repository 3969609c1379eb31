import pytest
from pydantic import ValidationError

from operators.sources.feed import FeedConfig
from tests.operators.sources.log import ITCH, MIDNIGHT_NS


def feed(**settings):
    return FeedConfig.model_validate({"id": "f", "format": "recording", "path": "f.gz", **settings})


def test_a_recording_needs_no_more_than_a_path():
    assert feed().origin_ns == 0
    assert feed().instruments == ()


def test_itch_counts_from_midnight_in_the_sessions_timezone_plus_delay():
    assert feed(**ITCH).origin_ns == MIDNIGHT_NS
    assert feed(**ITCH, delay="250us").origin_ns == MIDNIGHT_NS + 250_000
    assert feed(**ITCH | {"date": "2019-07-01"}).origin_ns % (86_400 * 10**9) == 4 * 3600 * 10**9  # summer time


def test_configurations_are_frozen_and_survive_json():
    config = feed(**ITCH, delay="1ms", instruments=["A", "B"])
    with pytest.raises(ValidationError, match="frozen"):
        config.id = "g"
    assert FeedConfig.model_validate_json(config.model_dump_json()) == config


def test_a_capture_of_packets_may_have_a_second_line():
    config = feed(format="mold_pcap", path_b="b.pcap", port=26477, patience="50ms")
    assert (config.path_b, config.port, config.patience, config.origin_ns) == ("b.pcap", 26477, 50_000_000, 0)
    assert FeedConfig.model_validate_json(feed(format="mold_pcap").model_dump_json()).patience == 100_000_000


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"format": "itch50"}, "no date and no timezone: itch50 counts time from the session's midnight"),
        ({"format": "itch50", "date": "2019-12-30"}, "no timezone"),
        ({"format": "pcap"}, "'itch50', 'recording', 'session', 'mold_pcap'"),
        ({"timezone": "America/New_Work", "format": "itch50", "date": "2019-12-30"}, "is not a timezone"),
        ({"timezone": "../etc/passwd"}, "is not a timezone"),
        ({"delay": "1ms"}, "records the receive time of every message; remove 'delay'"),
        ({"date": "2019-12-30"}, "remove 'date'"),
        ({"timezone": "UTC"}, "remove 'timezone'"),
        ({**ITCH, "delay": -1}, "greater than or equal to 0"),
        ({**ITCH, "delay": "soon"}, "is not a duration"),
        ({"instruments": ["A", "B", "A"]}, "'A' is listed twice"),
        ({"path_b": "b.pcap"}, "is no capture of packets; remove 'path_b', or use mold_pcap"),
        ({"port": 26477}, "remove 'port'"),
        ({**ITCH, "patience": "1s"}, "remove 'patience'"),
        ({"format": "mold_pcap", "port": 70_000}, "less than or equal to 65535"),
        ({"format": "mold_pcap", "patience": "0s"}, "greater than 0"),
        ({"format": "mold_pcap", "delay": "1s"}, "remove 'delay'"),
        ({"path": ""}, "feed 'f' has no path; add the capture's file"),
        ({"venue": "kraken"}, "feed 'f' is no websocket; remove 'venue'"),
        ({"format": "session", "connection": "A", "record": "a.jsonl"}, "no websocket; remove 'record'"),
        ({"format": "session"}, "has no connection: a session holds several"),
        ({"connection": "A"}, "is of one connection alone; remove 'connection'"),
        ({"format": "session", "connection": ""}, "at least 1 character"),
        ({"format": "session", "connection": "A", "delay": "1ms"}, "remove 'delay'"),
        ({"id": ""}, "at least 1 character"),
        ({"speed": 3}, "Extra inputs are not permitted"),
    ],
)
def test_what_cannot_work_is_refused_with_what_to_do(settings, message):
    with pytest.raises(ValidationError, match=message):
        feed(**settings)


WEBSOCKET = {"id": "f", "format": "websocket", "venue": "kraken", "instruments": ["A"]}
LEAN = {"format": "lean", "ticks": "equity_quote", "instruments": ["A"], "date": "2013-10-07", "timezone": "UTC"}
FOREX = LEAN | {"ticks": "forex_quote", "assumed_qty": 1000}
LOBSTER = {"format": "lobster", "instruments": ["A"], "date": "2012-06-21", "timezone": "America/New_York"}
TABLE = {
    "format": "table",
    "instruments": ["A"],
    "table": {"rows": "trades", "columns": {"time": {"column": 1, "unit": "ns"}, "price": 2}, "assumed_qty": 1},
}
WALL = {"rows": "trades", "columns": {"time": {"column": 1, "format": "%T"}, "price": 2}, "assumed_qty": 1}
SYMBOLS = {
    "rows": "trades",
    "columns": {"time": {"column": 1, "unit": "ns"}, "price": 2, "symbol": 3},
    "assumed_qty": 1,
}


@pytest.mark.parametrize("settings", [LEAN, FOREX, LOBSTER, TABLE])
def test_files_of_rows_have_times_of_their_own(settings):
    config = feed(**settings, delay="5ms")
    assert config.origin_ns == 5_000_000
    assert FeedConfig.model_validate_json(config.model_dump_json()) == config


@pytest.mark.parametrize(
    ("ticks", "rows", "used", "scale"),
    [
        ("equity_quote", "quotes", (1, 2, 3, 4, 5, 8), 10_000),
        ("equity_trade", "trades", (1, 2, 3, 6), 10_000),
        ("crypto_quote", "quotes", (1, 2, 3, 4, 5, 6), 1),
        ("crypto_trade", "trades", (1, 2, 3, 4), 1),
        ("forex_quote", "quotes", (1, 2, 3), 1),
    ],
)
def test_the_columns_of_leans_ticks(ticks, rows, used, scale):
    table = feed(**(FOREX if ticks == "forex_quote" else LEAN | {"ticks": ticks})).rows
    assert (table.rows, set(table.columns_used), table.price_scale, table.header) == (rows, set(used), scale, False)
    assert table.columns.time.needs_date
    if ticks != "forex_quote":
        assert not feed(**LEAN | {"ticks": ticks, "suspicious": "keep"}).rows.only


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"path": "f.gz"}, "feed 'f' is a connection and has no file; remove 'path', or call it 'record'"),
        ({"venue": None}, "feed 'f' has no venue; write one of binance_spot, binance_usdm, binance_coinm"),
        ({"venue": "krakn"}, "feed 'f' has venue 'krakn'; write one of binance_spot"),
        ({"instruments": []}, "feed 'f' lists no instruments; name those to subscribe to"),
        ({"venue": "binance_spot", "instruments": ["A", "B"]}, "a feed of binance_spot speaks of one"),
        ({"channels": []}, "feed 'f' should name channels, each once: book, trades or ticker"),
        ({"channels": ["book", "book"]}, "feed 'f' should name channels, each once"),
        ({"channels": ["candles"]}, "'book', 'trades' or 'ticker'"),
        ({"depth": 11}, "kraken has no books of depth 11; write one of 10, 25, 100, 500, 1000"),
        ({"venue": "okx", "depth": 400}, "okx has no books of depth 400; remove it"),
        ({"retry": "10s", "retry_most": "5s"}, "'retry_most' is shorter than 'retry'; make it at least as long"),
        ({"retry": "0s"}, "greater than 0"),
        ({"silence": "0s"}, "greater than 0"),
        ({"url": "https://ws.kraken.com"}, "url 'https://ws.kraken.com' is no address; write wss://host/path"),
        ({"rest": "api.kraken.com"}, "rest 'api.kraken.com' is no address; write https://host/path"),
        ({"record": "a.gz"}, "should match pattern"),
        ({"connection": "A"}, "remove 'connection'"),
        ({"delay": "1ms"}, "remove 'delay'"),
        ({"patience": "1s"}, "remove 'patience'"),
    ],
)
def test_a_websocket_that_cannot_work_is_refused_with_what_to_do(settings, message):
    with pytest.raises(ValidationError, match=message):
        FeedConfig.model_validate(WEBSOCKET | settings)


def test_a_websocket_needs_a_venue_and_instruments_alone():
    chosen = FeedConfig.model_validate(WEBSOCKET)
    assert (chosen.channels, chosen.depth, chosen.url, chosen.record) == (("book", "trades"), None, None, None)
    assert (chosen.retry, chosen.retry_most, chosen.silence) == (500_000_000, 30_000_000_000, None)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (LEAN | {"ticks": None}, "has no ticks; say what its rows are: equity_quote, equity_trade"),
        (LEAN | {"ticks": "bars"}, "'equity_quote', 'equity_trade'"),
        (LEAN | {"date": None}, "has no date, but its times count from midnight; add it, such as `date: 2013-10-07`"),
        (LEAN | {"timezone": None}, "has no timezone, but its times are those of a clock somewhere"),
        (LEAN | {"instruments": []}, "list that one under `instruments`, not 0"),
        (LEAN | {"instruments": ["A", "B"]}, "list that one under `instruments`, not 2"),
        (LEAN | {"assumed_qty": 5}, "has quantities of its own; remove 'assumed_qty'"),
        (LEAN | {"table": TABLE["table"]}, "is of format lean; remove 'table', or use table"),
        (FOREX | {"assumed_qty": None}, "name the one to assume, such as `assumed_qty: 1_000_000`"),
        (FOREX | {"assumed_qty": 0}, "greater than 0"),
        (FOREX | {"suspicious": "drop"}, "flags no tick; remove 'suspicious'"),
        (LEAN | {"member": "a"}, "is no zip of lean or table files; remove 'member'"),
        (LOBSTER | {"ticks": "equity_quote"}, "is of format lobster; remove 'ticks', or use lean"),
        (LOBSTER | {"date": None}, "has no date"),
        (TABLE | {"table": None}, "has no table; say what its columns mean"),
        (TABLE | {"timezone": "UTC"}, "tells time without a timezone; remove 'timezone'"),
        (TABLE | {"date": "2013-10-07"}, "tells time without a date; remove 'date'"),
        (TABLE | {"table": WALL}, "has no date"),
        (TABLE | {"table": SYMBOLS, "instruments": []}, "lists no instruments; name those to take"),
        (LEAN | {"connection": "A"}, "remove 'connection'"),
        (LEAN | {"port": 5}, "is no capture of packets; remove 'port'"),
        ({"ticks": "equity_quote"}, "is of format recording; remove 'ticks', or use lean"),
    ],
)
def test_files_of_rows_that_cannot_be_read_are_refused_with_what_to_do(settings, message):
    with pytest.raises(ValidationError, match=message):
        feed(**{name: value for name, value in settings.items() if value is not None})
