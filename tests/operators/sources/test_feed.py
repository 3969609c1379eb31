import json

import pytest
from pydantic import ValidationError

from operators.sources.base_feed import LiveFeed
from operators.sources.feed import feed_config
from tests.operators.sources.log import ITCH, MIDNIGHT_NS

MOLD = {"format": "moldudp64", "lines": ["239.255.77.1:26477", "239.255.77.2:26477"]}
SOUP = {"format": "soupbintcp", "server": "localhost:17000", "username": "pair", "password": "secret"}
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
CAPTURES = ("recording", "itch50", "session", "mold_pcap", "fix_log", "lean", "lobster", "table")


def feed(**settings):
    """A recording unless said otherwise; None takes a setting away."""
    settings = {"id": "f", "format": "recording"} | settings
    if settings["format"] in CAPTURES:
        settings = {"path": "f.gz"} | settings
    return feed_config(**{name: value for name, value in settings.items() if value is not None})


def again(config):
    """What is made of a feed's own JSON."""
    return feed_config(**json.loads(config.model_dump_json()))


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
    assert again(config) == config


def test_a_capture_of_packets_may_have_a_second_line():
    config = feed(format="mold_pcap", path_b="b.pcap", port=26477, patience="50ms")
    assert (config.path_b, config.port, config.patience, config.origin_ns) == ("b.pcap", 26477, 50_000_000, 0)
    assert again(feed(format="mold_pcap")).patience == 100_000_000


def test_a_live_feed_says_where_to_listen_and_keeps_its_password_to_itself():
    mold = feed(**MOLD, server="127.0.0.1:17000", patience="5s")
    assert mold.lines == (("239.255.77.1", 26477), ("239.255.77.2", 26477))
    assert isinstance(mold, LiveFeed)
    assert again(mold) == mold
    soup = feed(**SOUP)
    assert soup.server == ("localhost", 17000)
    assert "secret" not in repr(soup)
    assert not isinstance(feed(), LiveFeed)
    assert not isinstance(feed(format="journal"), LiveFeed)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"format": "pcap"}, "'itch50', 'recording', 'session', 'mold_pcap'"),
        ({"format": None}, "discriminator 'format'"),
        (ITCH | {"timezone": "America/New_Work"}, "is not a timezone; write one like America/New_York or UTC"),
        (ITCH | {"timezone": "../etc/passwd"}, "is not a timezone"),
        ({**ITCH, "delay": -1}, "greater than or equal to 0"),
        ({**ITCH, "delay": "soon"}, "is not a duration"),
        ({"instruments": ["A", "B", "A"]}, "'A' is listed twice"),
        ({"path": ""}, "at least 1 character"),
        ({"format": "mold_pcap", "port": 70_000}, "less than or equal to 65535"),
        ({"format": "mold_pcap", "patience": "0s"}, "greater than 0"),
        ({**MOLD, "lines": []}, "at least 1 item"),
        ({**MOLD, "lines": ["233.54.12.111"]}, "is not an address; write host:port, such as 233.54.12.111:26477"),
        ({**MOLD, "lines": ["a:70000"]}, "is not an address"),
        ({**MOLD, "lines": [26477]}, "is not an address"),
        ({**MOLD, "session": "ELEVEN BYTE"}, "at most 10 characters"),
        ({**MOLD, "sequence": -1}, "greater than or equal to 0"),
        ({**SOUP, "username": ""}, "at least 1 character"),
        ({**SOUP, "password": ""}, "at least 1 character"),
        ({**SOUP, "password": "much too long"}, "at most 10 characters"),
        ({"format": "session", "connection": ""}, "at least 1 character"),
        ({"id": ""}, "at least 1 character"),
    ],
)
def test_what_cannot_work_is_refused_with_what_to_do(settings, message):
    with pytest.raises(ValidationError, match=message):
        feed(**settings)


NEEDED = {
    "recording": ({}, ["path"]),
    "itch50": (ITCH, ["path", "date", "timezone"]),
    "session": ({"connection": "A"}, ["path", "connection"]),
    "mold_pcap": ({}, ["path"]),
    "fix_log": ({}, ["path"]),
    "lean": (LEAN, ["path", "date", "timezone", "ticks", "instruments"]),
    "lobster": (LOBSTER, ["path", "date", "timezone", "instruments"]),
    "table": (TABLE, ["path", "table"]),
    "journal": ({}, []),
    "moldudp64": (MOLD, ["lines"]),
    "soupbintcp": (SOUP, ["server", "username", "password"]),
    "websocket": (WEBSOCKET, ["venue", "instruments"]),
    "fix_session": ({"fix": {"address": "h:1", "sender": "D", "target": "V"}}, ["fix"]),
}
"""Of every format, a feed that is whole and what it cannot be without."""


def test_what_is_missing_is_named_and_what_is_not_needed_is_not_asked_for():
    for form, (settings, needed) in NEEDED.items():
        whole = {"format": form, **settings}
        assert again(feed(**whole)) == feed(**whole)
        for name in needed:
            with pytest.raises(ValidationError) as error:
                feed_config(**{k: v for k, v in {"id": "f", "path": "x", **whole}.items() if k != name})
            missing = [e["loc"] for e in error.value.errors() if e["type"] == "missing"]
            assert missing == [(form, name)]


FIELDS = {
    "path": {*CAPTURES},
    "delay": {"itch50", "fix_log", "lean", "lobster", "table"},
    "date": {"itch50", "lean", "lobster", "table"},
    "timezone": {"itch50", "lean", "lobster", "table"},
    "connection": {"session"},
    "path_b": {"mold_pcap"},
    "port": {"mold_pcap"},
    "patience": {"mold_pcap", "moldudp64"},
    "ticks": {"lean"},
    "assumed_qty": {"lean"},
    "suspicious": {"lean"},
    "table": {"table"},
    "member": {"lean", "table"},
    "lines": {"moldudp64"},
    "interface": {"moldudp64"},
    "server": {"moldudp64", "soupbintcp"},
    "session": {"moldudp64", "soupbintcp"},
    "sequence": {"moldudp64", "soupbintcp"},
    "username": {"soupbintcp"},
    "password": {"soupbintcp"},
    "fix": {"fix_session"},
    "venue": {"websocket"},
    "channels": {"websocket"},
    "depth": {"websocket"},
    "url": {"websocket"},
    "rest": {"websocket"},
    "record": {"websocket"},
    "silence": {"websocket"},
    "retry": {"websocket"},
    "retry_most": {"websocket"},
    "speed": set(),
}


@pytest.mark.parametrize("name", FIELDS)
def test_a_field_is_refused_where_it_is_of_other_formats(name):
    for form, (settings, _) in NEEDED.items():
        try:
            feed(**{"format": form, **settings, name: "x"})
            is_known = True
        except ValidationError as e:
            is_known = not any(d["type"] == "extra_forbidden" and d["loc"] == (form, name) for d in e.errors())
        assert is_known == (form in FIELDS[name])


@pytest.mark.parametrize("settings", [LEAN, FOREX, LOBSTER, TABLE])
def test_files_of_rows_have_times_of_their_own(settings):
    config = feed(**settings, delay="5ms")
    assert config.origin_ns == 5_000_000
    assert again(config) == config


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
        ({"venue": "krakn"}, "there is no venue 'krakn'; write one of binance_spot, binance_usdm, binance_coinm"),
        ({"instruments": []}, "at least 1 item"),
        ({"venue": "binance_spot", "instruments": ["A", "B"]}, "a feed of binance_spot speaks of one"),
        ({"channels": []}, "name channels, each once: book, trades or ticker"),
        ({"channels": ["book", "book"]}, "name channels, each once"),
        ({"channels": ["candles"]}, "'book', 'trades' or 'ticker'"),
        ({"depth": 11}, "kraken has no books of depth 11; write one of 10, 25, 100, 500, 1000"),
        ({"venue": "okx", "depth": 400}, "okx has no books of depth 400; remove it"),
        ({"retry": "10s", "retry_most": "5s"}, "'retry_most' is shorter than 'retry'; make it at least as long"),
        ({"retry": "0s"}, "greater than 0"),
        ({"silence": "0s"}, "greater than 0"),
        ({"url": "https://ws.kraken.com"}, "'https://ws.kraken.com' is no address; write wss://host/path"),
        ({"rest": "api.kraken.com"}, "'api.kraken.com' is no address; write https://host/path"),
        ({"record": "a.gz"}, "should match pattern"),
    ],
)
def test_a_websocket_that_cannot_work_is_refused_with_what_to_do(settings, message):
    with pytest.raises(ValidationError, match=message):
        feed_config(**WEBSOCKET | settings)


def test_a_websocket_needs_a_venue_and_instruments_alone():
    chosen = feed_config(**WEBSOCKET)
    assert (chosen.channels, chosen.depth, chosen.url, chosen.record) == (("book", "trades"), None, None, None)
    assert (chosen.retry, chosen.retry_most, chosen.silence) == (500_000_000, 30_000_000_000, None)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (LEAN | {"ticks": "bars"}, "'equity_quote', 'equity_trade'"),
        (LEAN | {"instruments": []}, "list that one under `instruments`, not 0"),
        (LEAN | {"instruments": ["A", "B"]}, "list that one under `instruments`, not 2"),
        (LEAN | {"assumed_qty": 5}, "has quantities of its own; remove 'assumed_qty'"),
        (FOREX | {"assumed_qty": None}, "name the one to assume, such as `assumed_qty: 1_000_000`"),
        (FOREX | {"assumed_qty": 0}, "greater than 0"),
        (FOREX | {"suspicious": "drop"}, "flags no tick; remove 'suspicious'"),
        (LEAN | {"member": "a"}, "is no zip; remove 'member'"),
        (TABLE | {"instruments": []}, "there are no symbols in the rows, .* under `instruments`, not 0"),
        (TABLE | {"member": "a"}, "is no zip; remove 'member'"),
        (TABLE | {"timezone": "UTC"}, "tells time without a timezone; remove 'timezone'"),
        (TABLE | {"date": "2013-10-07"}, "tells time without a date; remove 'date'"),
        (TABLE | {"table": WALL}, "has no date, but its times count from midnight; add it, such as `date: 2013-10-07`"),
        (TABLE | {"table": SYMBOLS, "instruments": []}, "lists no instruments; name those to take"),
        (
            TABLE | {"table": WALL, "date": "2013-10-07"},
            "has no timezone, but its times are those of a clock",
        ),
    ],
)
def test_files_of_rows_that_cannot_be_read_are_refused_with_what_to_do(settings, message):
    with pytest.raises(ValidationError, match=message):
        feed(**settings)
