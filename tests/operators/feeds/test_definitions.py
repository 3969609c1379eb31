"""Instruments out of venues' replies: recorded ones where there are, else as the venue documents them."""

from decimal import Decimal

import orjson
import pytest

from operators.feeds.definitions import (
    binance_instruments,
    bybit_instruments,
    coinbase_instruments,
    kraken_instruments,
    okx_instruments,
)
from schemas.errors import ConfigError
from tests.operators.feeds.recorded_session import bodies

PARSERS = [kraken_instruments, okx_instruments, coinbase_instruments, bybit_instruments, binance_instruments]


def terms(definitions, symbol):
    """(tick, lot, currency, multiplier) of the instrument with a symbol."""
    [found] = [i for i in definitions.instruments if i.symbol == symbol]
    assert found.id == f"{symbol}@{found.venue}"
    return f"{found.tick:f}", f"{found.lot:f}", found.currency, str(found.multiplier)


def test_kraken(data_path):
    [body] = bodies(data_path, "kraken", "AssetPairs")
    first, second = kraken_instruments(body, version=1), kraken_instruments(body)
    assert len(first.instruments) == len(second.instruments) == 291
    assert terms(first, "XMR/USD") == ("0.01", "0.00001", "USD", "1")  # a lot of 1e-8 would be worth 1e-10
    assert terms(first, "ADA/XBT") == ("0.00000001", "10", "XBT", "1")
    assert terms(second, "ADA/BTC") == ("0.00000001", "10", "BTC", "1")
    assert terms(second, "DOGE/USD")[2] == "USD"
    assert set(second.left_out.values()) == {"tick 0.0000000001 or lot 0.00000001 is not a multiple of 0.000000001"}


def test_okx(data_path):
    spot, swap, futures = (
        okx_instruments(bodies(data_path, "okx", f"instType={kind}")[0]) for kind in ("SPOT", "SWAP", "FUTURES")
    )
    assert (len(spot.instruments), len(swap.instruments), len(futures.instruments)) == (499, 124, 52)
    assert terms(spot, "BTC-USDT") == ("0.1", "0.000001", "USDT", "1")
    assert terms(swap, "BTC-USDT-SWAP") == ("0.1", "1", "USDT", "0.01")
    assert futures.left_out["BTC-USD-220527"] == "an inverse contract: its value is not proportional to its price"
    options = okx_instruments(bodies(data_path, "okx", "instType=OPTION")[0])
    assert (len(options.instruments), len(options.left_out)) == (0, 346)


def test_coinbase(data_path):
    found = coinbase_instruments(bodies(data_path, "coinbase", "products")[0])
    assert (len(found.instruments), len(found.left_out)) == (912, 8)
    assert terms(found, "BTC-USD") == ("0.01", "0.00001", "USD", "1")


def test_bybit(data_path):
    linear = bybit_instruments(bodies(data_path, "bybit", "category=linear")[0])
    spot = bybit_instruments(bodies(data_path, "bybit", "category=spot")[0])
    assert (len(linear.instruments), len(spot.instruments)) == (800, 552)
    assert terms(linear, "BTCUSDT") == ("0.1", "0.001", "USDT", "1")
    assert terms(spot, "BTCUSDT") == ("0.1", "0.000001", "USDT", "1")
    inverse = {"result": {"category": "inverse", "list": [{"symbol": "BTCUSD"}]}}
    assert list(bybit_instruments(orjson.dumps(inverse)).left_out) == ["BTCUSD"]


def test_binance():
    """The fields of `exchangeInfo` that are read, as documented for each market."""

    def symbol(name, **changes):
        filters = [
            {"filterType": "PRICE_FILTER", "tickSize": "0.10"},
            {"filterType": "LOT_SIZE", "stepSize": "0.001"},
        ]
        return {"symbol": name, "status": "TRADING", "quoteAsset": "USDT", "filters": filters} | changes

    listed = [
        symbol("BTCUSDT"),
        symbol("ETHUSDT", marginAsset="BNFCR"),
        symbol("OLDUSDT", status="BREAK"),
        symbol("BTCUSD_PERP", contractSize=100),
    ]
    found = binance_instruments(orjson.dumps({"symbols": listed}))
    assert terms(found, "BTCUSDT") == ("0.1", "0.001", "USDT", "1")
    assert terms(found, "ETHUSDT")[2] == "BNFCR"
    assert list(found.left_out) == ["OLDUSDT", "BTCUSD_PERP"]


def test_money_of_every_instrument_is_exact(data_path):
    for body in bodies(data_path, "bybit", "instruments-info"):
        for i in bybit_instruments(body).instruments:
            assert i.tick_value >= 2
            assert i.tick_value == i.tick * i.lot * i.multiplier * 10**8
            assert i.lot % Decimal("1e-9") == 0


@pytest.mark.parametrize("parse", PARSERS)
@pytest.mark.parametrize("body", [b"", b"null", b"[]", b"{}", b'{"error":["EGeneral:Invalid arguments"]}', b"\xff"])
def test_what_is_no_such_reply_is_refused(parse, body):
    with pytest.raises(ConfigError, match="expected a reply that lists instruments, came b"):
        parse(body)
