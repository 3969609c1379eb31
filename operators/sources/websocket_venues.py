"""The venues' websockets: addresses, requests, heartbeats and limits, from their documentation (docs/websockets.md)."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

import orjson

from operators.feeds.binance import Binance
from operators.feeds.bybit import Bybit
from operators.feeds.coinbase import Coinbase
from operators.feeds.definitions import (
    Definitions,
    binance_instruments,
    bybit_instruments,
    coinbase_instruments,
    kraken_instruments,
    okx_instruments,
)
from operators.feeds.kraken import Kraken
from operators.feeds.okx import Okx
from operators.sources.websocket_pace import Limit
from operators.sources.websocket_venue import Channel, Venue, Verb

_S = 10**9


class KrakenWebsocket(Venue):
    """Kraken, version 2. It sends a heartbeat each second."""

    url = "wss://ws.kraken.com/v2"
    rest = "https://api.kraken.com"
    definitions = ("/0/public/AssetPairs",)
    connections = Limit(150, 600)
    requests = Limit(10, 1)
    ping = '{"method":"ping"}'
    silence_ns = 10 * _S
    depths = (10, 25, 100, 500, 1000)
    decoder = Kraken

    def defined(self, body: bytes) -> Definitions:
        """The instruments that a reply lists."""
        return kraken_instruments(body)

    def ask(self, verb: Verb, channels: Sequence[Channel], symbols: Sequence[str], depth: int) -> Iterator[str]:
        """One request per channel; tickers come whenever the best prices change."""
        terms: Mapping[Channel, Mapping[str, Any]] = {
            "book": {"channel": "book", "depth": depth},
            "trades": {"channel": "trade"},
            "ticker": {"channel": "ticker", "event_trigger": "bbo"},
        }
        for channel in channels:
            yield _json({"method": verb, "params": {**terms[channel], "symbol": list(symbols)}})

    def parameters(self, depth: int) -> Mapping[str, Any]:
        """The depth, which the checksum depends on."""
        return {"depth": depth}


class Kraken1Websocket(KrakenWebsocket):
    """Kraken, version 1, where bitcoin is XBT."""

    url = "wss://ws.kraken.com"
    ping = '{"event":"ping"}'

    def defined(self, body: bytes) -> Definitions:
        """The instruments that a reply lists."""
        return kraken_instruments(body, version=1)

    def ask(self, verb: Verb, channels: Sequence[Channel], symbols: Sequence[str], depth: int) -> Iterator[str]:
        """One request per channel."""
        terms: Mapping[Channel, Mapping[str, Any]] = {
            "book": {"name": "book", "depth": depth},
            "trades": {"name": "trade"},
            "ticker": {"name": "ticker"},
        }
        for channel in channels:
            yield _json({"event": verb, "pair": list(symbols), "subscription": terms[channel]})


class OkxWebsocket(Venue):
    """OKX, public channels of version 5. It closes a connection that is silent for 30 s, and answers "ping"."""

    url = "wss://ws.okx.com:8443/ws/v5/public"
    rest = "https://www.okx.com"
    definitions = tuple(f"/api/v5/public/instruments?instType={kind}" for kind in ("SPOT", "SWAP", "FUTURES"))
    connections = Limit(3, 1)
    requests = Limit(480, 3600)
    ping = "ping"
    silence_ns = 25 * _S
    decoder = Okx
    _CHANNELS: ClassVar[Mapping[Channel, str]] = {"book": "books", "trades": "trades", "ticker": "tickers"}
    _AT_ONCE = 100
    """Channels per request, which must be below 64 KB."""

    def defined(self, body: bytes) -> Definitions:
        """The instruments that a reply lists."""
        return okx_instruments(body)

    def ask(self, verb: Verb, channels: Sequence[Channel], symbols: Sequence[str], depth: int) -> Iterator[str]:
        """A request per hundred channels of symbols."""
        every = [{"channel": self._CHANNELS[channel], "instId": symbol} for channel in channels for symbol in symbols]
        for some in _batches(every, self._AT_ONCE):
            yield _json({"op": verb, "args": some})


class CoinbaseWebsocket(Venue):
    """Coinbase Advanced Trade. Its channel of heartbeats has one each second, and keeps the others open."""

    url = "wss://advanced-trade-ws.coinbase.com"
    rest = "https://api.coinbase.com"
    definitions = ("/api/v3/brokerage/market/products",)
    connections = Limit(8, 1)
    requests = Limit(8, 1)
    are_requests_shared = True
    silence_ns = 10 * _S
    decoder = Coinbase
    _CHANNELS: ClassVar[Mapping[Channel, str]] = {"book": "level2", "trades": "market_trades", "ticker": "ticker"}

    def defined(self, body: bytes) -> Definitions:
        """The instruments that a reply lists."""
        return coinbase_instruments(body)

    def opening(self) -> Iterator[str]:
        """Heartbeats."""
        yield _json({"type": "subscribe", "channel": "heartbeats"})

    def ask(self, verb: Verb, channels: Sequence[Channel], symbols: Sequence[str], depth: int) -> Iterator[str]:
        """One request per channel."""
        for channel in channels:
            yield _json({"type": verb, "product_ids": list(symbols), "channel": self._CHANNELS[channel]})


class BybitWebsocket(Venue):
    """Bybit, version 5, public topics. It wants a ping every 20 s, and answers it."""

    rest = "https://api.bybit.com"
    connections = Limit(500, 300)
    requests = Limit(10, 1)
    ping = '{"op":"ping"}'
    silence_ns = 30 * _S
    depths = (200, 1, 50, 1000)
    decoder = Bybit
    _AT_ONCE = 10
    """Topics per request; spot takes no more."""

    def defined(self, body: bytes) -> Definitions:
        """The instruments that a reply lists."""
        return bybit_instruments(body)

    def ask(self, verb: Verb, channels: Sequence[Channel], symbols: Sequence[str], depth: int) -> Iterator[str]:
        """A request per ten topics."""
        topics = {"book": f"orderbook.{depth}", "trades": "publicTrade", "ticker": "tickers"}
        every = [f"{topics[channel]}.{symbol}" for channel in channels for symbol in symbols]
        for some in _batches(every, self._AT_ONCE):
            yield _json({"op": verb, "args": some})

    def parameters(self, depth: int) -> Mapping[str, Any]:
        """The depth, which names the topic."""
        return {"depth": depth}


class BybitLinear(BybitWebsocket):
    """USDT and USDC perpetuals and futures."""

    url = "wss://stream.bybit.com/v5/public/linear"
    definitions = ("/v5/market/instruments-info?category=linear&status=Trading&limit=1000",)


class BybitSpot(BybitWebsocket):
    """Spot; its tickers state no best prices."""

    url = "wss://stream.bybit.com/v5/public/spot"
    definitions = ("/v5/market/instruments-info?category=spot&status=Trading&limit=1000",)


class BinanceWebsocket(Venue):
    """Binance, combined streams. It pings, as does the line; silence is nothing unusual. Snapshots come over REST."""

    connections = Limit(300, 300)
    requests = Limit(4, 1)
    silence_ns = 60 * _S
    decoder = Binance
    is_single = True
    market: ClassVar[str]
    snapshot_path: ClassVar[str]
    """Of a book's snapshot, but for the symbol."""
    _STREAMS: ClassVar[Mapping[Channel, str]] = {"book": "depth@100ms", "trades": "trade", "ticker": "bookTicker"}
    _AT_ONCE = 50

    def __init__(self) -> None:
        self._ids = itertools.count(1)

    def defined(self, body: bytes) -> Definitions:
        """The instruments that a reply lists."""
        return binance_instruments(body)

    def ask(self, verb: Verb, channels: Sequence[Channel], symbols: Sequence[str], depth: int) -> Iterator[str]:
        """A request per fifty streams."""
        every = [f"{symbol.lower()}@{self._STREAMS[channel]}" for channel in channels for symbol in symbols]
        for some in _batches(every, self._AT_ONCE):
            yield _json({"method": verb.upper(), "params": some, "id": next(self._ids)})

    def snapshot(self, symbol: str) -> str:
        """The deepest snapshot there is."""
        return self.snapshot_path + symbol

    def parameters(self, depth: int) -> Mapping[str, Any]:
        """The market, whose rules differ."""
        return {"market": self.market}

    def speaks_of_books(self, message: bytes) -> bool:
        """Tickers and trades, of which there are many, do not."""
        return b'"depthUpdate"' in message or b'"lastUpdateId"' in message


class BinanceSpot(BinanceWebsocket):
    """Spot."""

    url = "wss://stream.binance.com:9443/stream"
    rest = "https://api.binance.com"
    definitions = ("/api/v3/exchangeInfo",)
    snapshot_path = "/api/v3/depth?limit=5000&symbol="
    snapshots = Limit(20, 60)
    market = "spot"


class BinanceUsdm(BinanceWebsocket):
    """USDⓈ-margined futures; books, best prices and trades are on the path `public`."""

    url = "wss://fstream.binance.com/public/stream"
    rest = "https://fapi.binance.com"
    definitions = ("/fapi/v1/exchangeInfo",)
    snapshot_path = "/fapi/v1/depth?limit=1000&symbol="
    snapshots = Limit(100, 60)
    market = "usdm"


class BinanceCoinm(BinanceWebsocket):
    """Coin-margined futures."""

    url = "wss://dstream.binance.com/stream"
    rest = "https://dapi.binance.com"
    definitions = ("/dapi/v1/exchangeInfo",)
    snapshot_path = "/dapi/v1/depth?limit=1000&symbol="
    snapshots = Limit(100, 60)
    market = "coinm"


VENUES: Mapping[str, type[Venue]] = {
    "binance_spot": BinanceSpot,
    "binance_usdm": BinanceUsdm,
    "binance_coinm": BinanceCoinm,
    "bybit_linear": BybitLinear,
    "bybit_spot": BybitSpot,
    "coinbase": CoinbaseWebsocket,
    "kraken": KrakenWebsocket,
    "kraken_v1": Kraken1Websocket,
    "okx": OkxWebsocket,
}


def _json(request: Mapping[str, Any]) -> str:
    return orjson.dumps(request).decode()


def _batches(every: list[Any], size: int) -> Iterator[list[Any]]:
    for start in range(0, len(every), size):
        yield every[start : start + size]
