"""What venues are asked: as the recorded sessions asked them, and as their documentation has it."""

import json

import pytest

from operators.sources.websocket_venues import VENUES
from tests.operators.feeds.recorded_session import bodies, records

ALL = ("book", "trades", "ticker")


def asked(venue, verb, channels, symbols, depth=0):
    return [json.loads(request) for request in VENUES[venue]().ask(verb, channels, symbols, depth)]


def sent(data_path, name, connection):
    return [
        json.loads(r["data"]) for r in records(data_path, name) if r["t"] == "send" and r["conn"].endswith(connection)
    ]


def test_kraken_version_1_is_asked_as_in_the_recording(data_path):
    for connection, channel in (("48", "trades"), ("49", "ticker"), ("50", "book")):
        [recorded] = sent(data_path, "kraken", connection)
        assert asked("kraken_v1", "subscribe", [channel], recorded["pair"], 1000) == [recorded]


def test_okx_is_asked_as_in_the_recording(data_path):
    recorded = sent(data_path, "okx", "ws.1")[-1]
    symbols = [arg["instId"] for arg in recorded["args"][:3]]
    assert asked("okx", "subscribe", ("ticker", "trades", "book"), symbols) == [recorded]


def test_coinbase_is_asked_as_in_the_recording(data_path):
    recorded = {request["channel"]: request for request in sent(data_path, "coinbase", "ws.2")}
    found = {r["channel"]: r for r in asked("coinbase", "subscribe", ALL, recorded["level2"]["product_ids"])}
    [opening] = map(json.loads, VENUES["coinbase"]().opening())
    assert found == {name: recorded[name] for name in ("level2", "market_trades", "ticker")}
    assert opening == {"type": "subscribe", "channel": recorded["heartbeats"]["channel"]}


def test_bybit_is_asked_for_the_topics_of_the_recording(data_path):
    recorded = {topic for request in sent(data_path, "bybit", "ws.2") for topic in request["args"]}
    requests = asked("bybit_linear", "subscribe", ALL, ("BTCUSDT", "ETHUSDT", "SOLUSDT", "DOGEUSDT"), 200)
    topics = [topic for request in requests for topic in request["args"]]
    assert set(topics) == {t for t in recorded if t.split(".")[0] in ("orderbook", "publicTrade", "tickers")}
    assert [len(request["args"]) for request in requests] == [10, 2]


def test_kraken_version_2():
    assert asked("kraken", "subscribe", ALL, ("BTC/USD",), 25) == [
        {"method": "subscribe", "params": {"channel": "book", "depth": 25, "symbol": ["BTC/USD"]}},
        {"method": "subscribe", "params": {"channel": "trade", "symbol": ["BTC/USD"]}},
        {"method": "subscribe", "params": {"channel": "ticker", "event_trigger": "bbo", "symbol": ["BTC/USD"]}},
    ]


@pytest.mark.parametrize("venue", ["binance_spot", "binance_usdm", "binance_coinm"])
def test_binance(venue):
    streams = ["btcusdt@depth@100ms", "btcusdt@trade", "btcusdt@bookTicker"]
    asker = VENUES[venue]()
    first, second = (
        json.loads(r) for verb in ("subscribe", "unsubscribe") for r in asker.ask(verb, ALL, ["BTCUSDT"], 0)
    )
    assert first == {"method": "SUBSCRIBE", "params": streams, "id": 1}
    assert second == {"method": "UNSUBSCRIBE", "params": streams, "id": 2}
    assert asker.snapshot("BTCUSDT").endswith("symbol=BTCUSDT")


@pytest.mark.parametrize("venue", VENUES)
def test_a_book_is_asked_for_again_by_leaving_and_joining_it(venue):
    again = list(VENUES[venue]().again("X", 10))
    assert again[: len(again) // 2] == list(VENUES[venue]().ask("unsubscribe", ("book",), ("X",), 10))
    assert len(again) == 2
    assert "unsubscribe" not in again[1].lower()


@pytest.mark.parametrize(
    ("venue", "name", "url"),
    [
        ("kraken", "kraken", "AssetPairs"),
        ("okx", "okx", "instType=SPOT"),
        ("coinbase", "coinbase", "products"),
        ("bybit_linear", "bybit", "category=linear"),
        ("bybit_spot", "bybit", "category=spot"),
    ],
)
def test_addresses_of_definitions_are_those_of_the_recording(data_path, venue, name, url):
    chosen = VENUES[venue]()
    recorded = {r["url"].replace("?&", "?") for r in records(data_path, name) if r["t"] == "http"}
    assert any(chosen.rest + path in recorded for path in chosen.definitions)
    assert len(chosen.defined(bodies(data_path, name, url)[0]).instruments) > 100


def test_all_are_encrypted_and_wait_longer_for_a_message_than_for_a_heartbeat():
    for venue in VENUES.values():
        assert venue.url.startswith("wss://")
        assert venue.rest.startswith("https://")
        assert venue.ping is None or venue.silence_ns / 1e9 > 1.5 * venue.ping_every_s or venue.silence_ns == 10 * 10**9
