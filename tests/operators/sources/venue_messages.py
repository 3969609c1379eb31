"""What a scripted venue must know of the messages it replays: whose they are, what they do, how it would say all of it.

Written without the decoders: books are kept as the venue's own texts.
"""

import json
from abc import ABC, abstractmethod
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, NamedTuple
from zlib import crc32

Level = Any
Side = dict[Decimal, Level]


class Told(NamedTuple):
    channel: str
    symbol: str
    text: str
    is_snapshot: bool = False
    bids: tuple[Level, ...] = ()
    asks: tuple[Level, ...] = ()


class Book:
    """The levels of a symbol as the venue wrote them, and its last message."""

    def __init__(self, depth: int | None) -> None:
        self.sides: tuple[Side, Side] = {}, {}
        self.depth, self.last, self.is_known = depth, "", False

    def apply(self, told: Told, price: Any, quantity: Any) -> None:
        if told.is_snapshot:
            self.sides, self.is_known = ({}, {}), True
        for side, levels, worst in zip(self.sides, (told.bids, told.asks), (min, max), strict=True):
            for level in levels:
                if Decimal(quantity(level)):
                    side[Decimal(price(level))] = level
                else:
                    side.pop(Decimal(price(level)), None)
            while self.depth is not None and len(side) > self.depth:
                del side[worst(side)]
        self.last = told.text

    def levels(self) -> tuple[list[Level], list[Level]]:
        bids, asks = self.sides
        return [bids[p] for p in sorted(bids, reverse=True)], [asks[p] for p in sorted(asks)]


class Messages(ABC):
    """One venue's form of messages."""

    depth: int | None = None
    idle = ""
    snapshot_path = ""
    """Of the REST snapshot, where the venue has one."""

    @abstractmethod
    def read(self, text: str) -> Told | None:
        """A message of a channel; None where it is none."""

    @abstractmethod
    def whole(self, symbol: str, book: Book) -> str:
        """The message that tells the whole book."""

    @abstractmethod
    def asked(self, text: str) -> tuple[bool, list[tuple[str, str]]] | None:
        """Whether a request subscribes, and to which channels of which symbols; None where it is a ping."""

    def answers(self, text: str) -> Iterator[str]:
        """What the venue answers."""
        yield self.idle

    price = staticmethod(lambda level: level[0])
    quantity = staticmethod(lambda level: level[1])


class Kraken1(Messages):
    depth = 1000
    idle = '{"event":"heartbeat"}'

    def read(self, text: str) -> Told | None:
        message = json.loads(text)
        if type(message) is dict:
            return None
        channel, symbol = message[-2].partition("-")[0], message[-1]
        if channel != "book":
            return Told({"trade": "trades"}.get(channel, channel), symbol, text)
        whole = {key: value for part in message[1:-2] for key, value in part.items()}
        is_snapshot = "as" in whole or "bs" in whole
        bids, asks = (whole.get(key, []) for key in (("bs", "as") if is_snapshot else ("b", "a")))
        return Told("book", symbol, text, is_snapshot, tuple(bids), tuple(asks))

    def whole(self, symbol: str, book: Book) -> str:
        bids, asks = ([level[:3] for level in side] for side in book.levels())
        return json.dumps([1, {"as": asks, "bs": bids}, "book-1000", symbol])

    def asked(self, text: str) -> Any:
        request = json.loads(text)
        if request["event"] == "ping":
            return None
        channel = {"trade": "trades"}.get(request["subscription"]["name"], request["subscription"]["name"])
        return request["event"] == "subscribe", [(channel, pair) for pair in request["pair"]]


class Kraken2(Messages):
    """Version 2, into which recordings of version 1 are put: the same digits, hence the venue's own checksums."""

    depth = 1000
    idle = '{"channel":"heartbeat"}'
    price = staticmethod(lambda level: level["price"])
    quantity = staticmethod(lambda level: level["qty"])

    @classmethod
    def converted(cls, text: str) -> str | None:
        """A book message of version 1 as version 2 has it; None where it is something else."""
        told = Kraken1().read(text)
        if told is None or told.channel != "book":
            return None
        bids, asks = ([{"price": level[0], "qty": level[1]} for level in side] for side in (told.bids, told.asks))
        checksum = 0
        if told.is_snapshot:
            book = Book(1000)
            book.apply(Told("book", "", "", True, tuple(bids), tuple(asks)), cls.price, cls.quantity)
            checksum = cls._checksum(book)
        else:
            checksum = int(json.loads(text)[-3]["c"])
        return cls._text(told.symbol.replace("XBT", "BTC"), told.is_snapshot, bids, asks, checksum)

    def read(self, text: str) -> Told | None:
        message = json.loads(text, parse_float=str, parse_int=str)
        (data,) = message["data"]
        bids, asks = tuple(data["bids"]), tuple(data["asks"])
        return Told("book", data["symbol"], text, message["type"] == "snapshot", bids, asks)

    def whole(self, symbol: str, book: Book) -> str:
        return self._text(symbol, True, *book.levels(), self._checksum(book))

    def asked(self, text: str) -> Any:
        request = json.loads(text)
        if request["method"] == "ping":
            return None
        channel = {"trade": "trades"}.get(request["params"]["channel"], request["params"]["channel"])
        return request["method"] == "subscribe", [(channel, symbol) for symbol in request["params"]["symbol"]]

    @staticmethod
    def _text(symbol: str, is_snapshot: bool, bids: list[Level], asks: list[Level], checksum: int) -> str:
        sides = [",".join(f'{{"price":{level["price"]},"qty":{level["qty"]}}}' for level in s) for s in (bids, asks)]
        data = f'{{"symbol":"{symbol}","bids":[{sides[0]}],"asks":[{sides[1]}],"checksum":{checksum}}}'
        return f'{{"channel":"book","type":"{"snapshot" if is_snapshot else "update"}","data":[{data}]}}'

    @staticmethod
    def _checksum(book: Book) -> int:
        bids, asks = book.levels()
        best = [level[key] for level in asks[:10] + bids[:10] for key in ("price", "qty")]
        return crc32("".join(text.replace(".", "").lstrip("0") for text in best).encode())


class Okx(Messages):
    idle = "pong"

    _CHANNELS = {"books": "book", "trades": "trades", "tickers": "ticker"}

    def read(self, text: str) -> Told | None:
        message = json.loads(text)
        if "event" in message:
            return None
        channel, symbol = self._CHANNELS[message["arg"]["channel"]], message["arg"]["instId"]
        if channel != "book":
            return Told(channel, symbol, text)
        data = message["data"][0]
        return Told("book", symbol, text, message["action"] == "snapshot", tuple(data["bids"]), tuple(data["asks"]))

    def whole(self, symbol: str, book: Book) -> str:
        message = json.loads(book.last)
        bids, asks = book.levels()
        message["data"][0] |= {"bids": bids, "asks": asks}
        return json.dumps(message | {"action": "snapshot"})

    def asked(self, text: str) -> Any:
        if text == "ping":
            return None
        request = json.loads(text)
        return request["op"] == "subscribe", [(self._CHANNELS[a["channel"]], a["instId"]) for a in request["args"]]


class Coinbase(Messages):
    idle = '{"channel":"heartbeats","sequence_num":0,"events":[]}'
    price = staticmethod(lambda update: update["price_level"])
    quantity = staticmethod(lambda update: update["new_quantity"])
    _CHANNELS = {"l2_data": "book", "level2": "book", "market_trades": "trades", "ticker": "ticker"}

    def read(self, text: str) -> Told | None:
        message = json.loads(text)
        channel, events = self._CHANNELS.get(message["channel"]), message["events"]
        if channel is None:
            return None
        if channel != "book":
            key = {"trades": "trades", "ticker": "tickers"}[channel]
            return Told(channel, events[0][key][0]["product_id"], text)
        (event,) = events
        bids, asks = ([u for u in event["updates"] if u["side"] == side] for side in ("bid", "offer"))
        return Told("book", event["product_id"], text, event["type"] == "snapshot", tuple(bids), tuple(asks))

    def whole(self, symbol: str, book: Book) -> str:
        message = json.loads(book.last)
        bids, asks = book.levels()
        message["events"] = [{"type": "snapshot", "product_id": symbol, "updates": bids + asks}]
        return json.dumps(message, separators=(",", ":"))

    def asked(self, text: str) -> Any:
        request = json.loads(text)
        channel = self._CHANNELS.get(request["channel"])
        return request["type"] == "subscribe", [(channel, p) for p in request.get("product_ids", ()) if channel]


class Bybit(Messages):
    idle = '{"success":true,"ret_msg":"pong","op":"ping"}'

    _CHANNELS = {"orderbook": "book", "publicTrade": "trades", "tickers": "ticker"}

    def read(self, text: str) -> Told | None:
        message = json.loads(text)
        topic = message.get("topic", "").split(".")
        channel, symbol = self._CHANNELS.get(topic[0]), topic[-1]
        if channel is None:
            return None
        if channel != "book":
            return Told(channel, symbol, text)
        data = message["data"]
        return Told("book", symbol, text, message["type"] == "snapshot", tuple(data["b"]), tuple(data["a"]))

    def whole(self, symbol: str, book: Book) -> str:
        message = json.loads(book.last)
        bids, asks = book.levels()
        message["data"] |= {"b": bids, "a": asks}
        return json.dumps(message | {"type": "snapshot"})

    def asked(self, text: str) -> Any:
        request = json.loads(text)
        if request["op"] == "ping":
            return None
        topics = [topic.split(".") for topic in request["args"]]
        return request["op"] == "subscribe", [(self._CHANNELS[topic[0]], topic[-1]) for topic in topics]


class Binance(Messages):
    """Its recording begins with the snapshot that came over REST, put at the place it belongs to."""

    idle = '{"result":null,"id":1}'
    snapshot_path = "/depth"
    _CHANNELS = {"depth": "book", "trade": "trades", "bookTicker": "ticker"}

    def read(self, text: str) -> Told | None:
        message = json.loads(text)
        if "lastUpdateId" in message:
            return Told("book", "BTCUSDT", text, True, tuple(message["bids"]), tuple(message["asks"]))
        data = message["data"]
        channel = self._CHANNELS[message["stream"].split("@")[1]]
        if channel != "book":
            return Told(channel, data["s"], text)
        return Told("book", data["s"], text, False, tuple(data["b"]), tuple(data["a"]))

    def whole(self, symbol: str, book: Book) -> str:
        last = json.loads(book.last)
        bids, asks = book.levels()
        number = last["lastUpdateId"] if "lastUpdateId" in last else last["data"]["u"]
        return json.dumps({"lastUpdateId": number, "bids": bids, "asks": asks})

    def asked(self, text: str) -> Any:
        request = json.loads(text)
        streams = [stream.split("@") for stream in request["params"]]
        return request["method"] == "SUBSCRIBE", [(self._CHANNELS[s[1]], s[0].upper()) for s in streams]


MESSAGES: dict[str, type[Messages]] = {
    "kraken": Kraken2,
    "kraken_v1": Kraken1,
    "okx": Okx,
    "coinbase": Coinbase,
    "bybit_linear": Bybit,
    "binance_spot": Binance,
    "binance_usdm": Binance,
}
