"""The recorded sessions that scripted venues replay: the messages of one connection, or of a Binance feed."""

import gzip
import json
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from tests.operators.feeds.recorded_session import bodies, records
from tests.operators.sources.venue_messages import Kraken2


class Session(NamedTuple):
    name: str
    """Of the recording."""
    connection: str
    definitions: str
    """Part of the address whose reply defines the instruments."""
    symbols: tuple[str, ...]
    compared: int | None
    """Levels a side that the venue lets us check; None where all are."""


SESSIONS = {
    "kraken": Session("kraken", "KRAKEN.ws.50", "AssetPairs", ("XMR/USD", "ETH/CHF", "BTC/CHF", "ADA/BTC"), 10),
    "kraken_v1": Session("kraken", "KRAKEN.ws.50", "AssetPairs", ("XMR/USD", "ETH/CHF", "XBT/CHF", "ADA/XBT"), 10),
    "okx": Session("okx", "OKX.ws.1", "instType=S", ("BTC-USDT", "UNI-USD-SWAP"), 25),
    "coinbase": Session("coinbase", "COINBASE.ws.2", "products", ("ETH-USD",), None),
    "bybit_linear": Session("bybit", "BYBIT.ws.2", "category=linear", ("BTCUSDT", "ETHUSDT", "SOLUSDT"), None),
    "binance_spot": Session("spot_btcusdt_20240808", "", "", ("BTCUSDT",), None),
    "binance_usdm": Session("usdm_btcusdt_20240808", "", "", ("BTCUSDT",), None),
}
_BINANCE_MESSAGES = 5000


def texts(data_path: Path, venue: str) -> list[str]:
    """What came on the session's connection, in order. A Binance snapshot stands before what does not lead to it."""
    session = SESSIONS[venue]
    if not venue.startswith("binance"):
        lines = records(data_path, session.name)
        found = [r["data"] for r in lines if r["t"] == "recv" and r["conn"] == session.connection]
        return found if venue != "kraken" else [text for old in found if (text := Kraken2.converted(old)) is not None]
    with gzip.open(data_path / "binance" / f"{session.name}.gz", "rt") as lines:
        found = [line.split(" ", 1)[1].rstrip("\n") for line in islice(lines, _BINANCE_MESSAGES)]
    (snapshot,) = (text for text in found if text.startswith('{"lastUpdateId"'))
    last = json.loads(snapshot)["lastUpdateId"]
    behind = [text for text in found if text != snapshot and _final(text) > last]
    return [snapshot, *behind]


def _final(text: str) -> int:
    """The last update id of a depth update; of other messages one behind all."""
    return json.loads(text)["data"]["u"] if '"depthUpdate"' in text else 1 << 62


def listings(data_path: Path, venue: str) -> list[bytes]:
    """Replies that define instruments."""
    session = SESSIONS[venue]
    return bodies(data_path, session.name, session.definitions) if session.definitions else []
